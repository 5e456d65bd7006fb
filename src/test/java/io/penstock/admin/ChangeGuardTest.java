package io.penstock.admin;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.config.Endpoint;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ChangeGuardTest {

    private final ChangeGuard guard = new ChangeGuard(new Endpoint("Penstock.internal", 8090));

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "127.8.9.1", "::1", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1"})
    void thisMachineMayChangeThings(String peer) {
        assertThat(guard.objection(peer, List.of("localhost:8090"), null, null)).isNull();
    }

    @ParameterizedTest
    @ValueSource(strings = {"10.0.0.1", "172.17.0.1", "128.0.0.1", "fe80::1", "::ffff:10.0.0.1", "::"})
    void anotherMachineIsToldWhereToRunTheCommand(String peer) {
        assertThat(guard.objection(peer, List.of("localhost:8090"), null, null))
                .contains(peer)
                .contains("docker exec");
    }

    @Test
    void connectionWithoutAnAddressIsNotTrusted() {
        assertThat(guard.objection(null, List.of("localhost"), null, null)).isNotNull();
        assertThat(guard.objection("not an address", List.of("localhost"), null, null))
                .isNotNull();
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
        assertThat(guard.objection("127.0.0.1", List.of(host), null, null)).isNull();
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
        assertThat(guard.objection("127.0.0.1", List.of(host), null, null)).contains("Host header");
    }

    @Test
    void exactlyOneHostIsNeeded() {
        assertThat(guard.objection("127.0.0.1", List.of(), null, null)).contains("Host header");
        assertThat(guard.objection("127.0.0.1", List.of("localhost", "localhost"), null, null))
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
        String objection = guard.objection("127.0.0.1", List.of("localhost:8090"), origin, fetchSite);

        if (allowed) {
            assertThat(objection).isNull();
        } else {
            assertThat(objection).contains("another site");
        }
    }
}
