package io.penstock.admin;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.admin.ChangeGuard.Objection;
import io.penstock.config.Endpoint;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ChangeGuardTest {

    private @Nullable String key;
    private final ChangeGuard guard = new ChangeGuard(new Endpoint("Penstock.internal", 8090), () -> key);

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "127.8.9.1", "::1", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1"})
    void thisMachineMayChangeThings(String peer) {
        assertThat(reason(peer, List.of("localhost:8090"), null, null)).isNull();
    }

    @ParameterizedTest
    @ValueSource(strings = {"10.0.0.1", "172.17.0.1", "128.0.0.1", "fe80::1", "::ffff:10.0.0.1", "::"})
    void anotherMachineIsToldWhereToRunTheCommand(String peer) {
        assertThat(reason(peer, List.of("localhost:8090"), null, null))
                .contains(peer)
                .contains("docker exec");
    }

    @Test
    void connectionWithoutAnAddressIsNotTrusted() {
        assertThat(reason(null, List.of("localhost"), null, null)).isNotNull();
        assertThat(reason("not an address", List.of("localhost"), null, null)).isNotNull();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "127.0.0.1",
                "127.0.0.1:8090",
                "192.168.7.3:80",
                "[::1]",
                "[::1]:8090",
                "[fe80::1%eth0]:1",
                "localhost",
                "LOCALHOST:8090",
                "penstock.internal:8090"
            })
    void addressesLocalhostAndTheConfiguredNameAreHosts(String host) {
        assertThat(reason("127.0.0.1", List.of(host), null, null)).isNull();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "evil.example",
                "evil.example:8090",
                "localhost.evil.example",
                "127.0.0.1.evil.example",
                "127.0.0.1@evil.example",
                "1.2.3.4.5",
                "127.1",
                "[evil]",
                "",
                ":8090",
                "localhost:8090:1"
            })
    void foreignNamesPointedHereAreRefused(String host) {
        assertThat(reason("127.0.0.1", List.of(host), null, null)).contains("Host header");
    }

    @Test
    void exactlyOneHostIsNeeded() {
        assertThat(reason("127.0.0.1", List.of(), null, null)).contains("Host header");
        assertThat(reason("127.0.0.1", List.of("localhost", "localhost"), null, null))
                .contains("Host header");
    }

    @ParameterizedTest
    @CsvSource({
        "http://localhost:8090, same-origin, true",
        "http://localhost:8090, none, true",
        "http://localhost:8090, cross-site, false",
        "http://localhost:8090, same-site, false",
        "HTTP://LOCALHOST:8090, , true",
        "http://localhost:8091, , false",
        "http://localhost, , false",
        "https://localhost:8090, , false",
        "http://evil.example, , false",
        "'null', , false",
        ", cross-site, false",
    })
    void pagesOfOtherSitesAreRefused(String origin, String fetchSite, boolean allowed) {
        String objection = reason("127.0.0.1", List.of("localhost:8090"), origin, fetchSite);

        if (allowed) {
            assertThat(objection).isNull();
        } else {
            assertThat(objection).contains("another site");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "Bearer 0123456789abcdef, true",
        "bearer   0123456789abcdef, true",
        "Bearer 0123456789abcdeX, false",
        "Bearer 0123456789abcde, false",
        "Bearer 0123456789abcdef0, false",
        "Bearer, false",
        "0123456789abcdef, false",
        "Basic 0123456789abcdef, false",
    })
    void theKeyIsNeededWhereverOneComesFrom(String authorization, boolean allowed) {
        key = "0123456789abcdef";
        for (String peer : List.of("127.0.0.1", "10.0.0.1")) {
            Objection objection = guard.objection(peer, List.of("penstock.svc:8090"), null, null, authorization);
            if (allowed) {
                assertThat(objection).isNull();
            } else {
                assertThat(objection).isEqualTo(new Objection(401, "this is not the admin key"));
            }
        }
        assertThat(guard.objection("127.0.0.1", List.of("localhost"), null, null, null))
                .isNotNull()
                .satisfies(missing -> assertThat(missing.status()).isEqualTo(401))
                .satisfies(missing -> assertThat(missing.reason()).contains("PENSTOCK_ADMIN_KEY"));
    }

    @ParameterizedTest
    @CsvSource({
        "http://penstock.svc:8090, true",
        "https://penstock.svc:8090, true",
        "https://evil.example, false",
        "'null', false"
    })
    void theKeyDoesNotOpenTheDoorToPagesOfOtherSites(String origin, boolean allowed) {
        key = "0123456789abcdef";
        Objection objection =
                guard.objection("10.0.0.1", List.of("penstock.svc:8090"), origin, null, "Bearer 0123456789abcdef");
        assertThat(objection == null).isEqualTo(allowed);
    }

    @Test
    void aKeyThatNobodyConfiguredOpensNothing() {
        assertThat(guard.objection("10.0.0.1", List.of("localhost"), null, null, "Bearer 0123456789abcdef"))
                .isNotNull();
    }

    private @Nullable String reason(
            @Nullable String peer, List<String> hosts, @Nullable String origin, @Nullable String fetchSite) {
        Objection objection = guard.objection(peer, hosts, origin, fetchSite, null);
        if (objection != null) {
            assertThat(objection.status()).isEqualTo(403);
        }
        return objection == null ? null : objection.reason();
    }
}
