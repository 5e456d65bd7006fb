package io.penstock.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.proxy.HeaderHygiene.Hop;
import io.vertx.core.MultiMap;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HeaderHygieneTest {

    private static final Hop STRANGER = new Hop("192.0.2.7", false, "http", "front:8000");
    private static final Hop TRUSTED = new Hop("10.0.0.1", true, "http", "front:8000");

    @Nested
    class TowardsTheReplica {

        @Test
        void endToEndHeadersPassInOrderAndSpelling() {
            assertThat(endToEnd(
                            "Accept",
                            "*/*",
                            "USER-AGENT",
                            "curl",
                            "x-stainless-timeout",
                            "5",
                            "Cookie",
                            "a",
                            "Cookie",
                            "b"))
                    .containsExactly(
                            "Accept: */*", "USER-AGENT: curl", "x-stainless-timeout: 5", "Cookie: a", "Cookie: b");
        }

        @Test
        void traceContextPasses() {
            assertThat(endToEnd("traceparent", "00-1-2-01", "tracestate", "a=b"))
                    .containsExactly("traceparent: 00-1-2-01", "tracestate: a=b");
        }

        @ParameterizedTest
        @ValueSource(
                strings = {
                    "Connection",
                    "Keep-Alive",
                    "Proxy-Connection",
                    "Proxy-Authenticate",
                    "Proxy-Authorization",
                    "TE",
                    "Trailer",
                    "Transfer-Encoding",
                    "Upgrade",
                    "Host",
                    "Content-Length",
                    "Expect",
                    "X-data-parallel-rank",
                    "X-Forwarded-Port",
                    "X-Forwarded-Server",
                    "Forwarded",
                })
        void whatIsOfThisHopOrNotTheClientsToSayStaysHere(String name) {
            for (String spelling :
                    List.of(name, name.toLowerCase(java.util.Locale.ROOT), name.toUpperCase(java.util.Locale.ROOT))) {
                assertThat(endToEnd(spelling, "1", "Accept", "*/*"))
                        .as(spelling)
                        .containsExactly("Accept: */*");
            }
        }

        @ParameterizedTest
        @ValueSource(strings = {"x-mine", "X-MINE", "close, x-mine", "close,x-mine,", " x-other ,\tX-Mine"})
        void whatConnectionNamesStaysHere(String connection) {
            assertThat(endToEnd("X-Mine", "1", "Connection", connection, "X-Mine-Too", "2"))
                    .containsExactly("X-Mine-Too: 2");
        }

        @Test
        void severalConnectionHeadersAreOneList() {
            assertThat(endToEnd("a", "1", "Connection", "a", "connection", "b", "b", "2", "c", "3"))
                    .containsExactly("c: 3");
        }

        @Test
        void namingOurOwnHeadersInConnectionTakesNothingAway() {
            MultiMap to = toReplica(STRANGER, null, "Connection", "x-forwarded-for, x-request-id, x-real-ip");

            assertThat(to.get("x-forwarded-for")).isEqualTo("192.0.2.7");
            assertThat(to.get("x-request-id")).isEqualTo("attempt-id");
            assertThat(to.get("x-real-ip")).isEqualTo("192.0.2.7");
        }

        @Test
        void theRequestIdIsThatOfTheAttempt() {
            MultiMap to = toReplica(STRANGER, null, "X-Request-Id", "the clients", "x-request-id", "again");

            assertThat(to.getAll("x-request-id")).containsExactly("attempt-id");
        }

        @Test
        void aStrangersForwardingHeadersAreOverwritten() {
            MultiMap to = toReplica(
                    STRANGER,
                    null,
                    "X-Forwarded-For",
                    "1.1.1.1",
                    "X-Real-IP",
                    "1.1.1.1",
                    "X-Forwarded-Proto",
                    "https",
                    "X-Forwarded-Host",
                    "evil");

            assertThat(to.getAll("x-forwarded-for")).containsExactly("192.0.2.7");
            assertThat(to.getAll("x-real-ip")).containsExactly("192.0.2.7");
            assertThat(to.getAll("x-forwarded-proto")).containsExactly("http");
            assertThat(to.getAll("x-forwarded-host")).containsExactly("front:8000");
        }

        @Test
        void aTrustedProxysForwardingHeadersAreBelievedAndExtended() {
            MultiMap to = toReplica(
                    TRUSTED,
                    null,
                    "X-Forwarded-For",
                    "198.51.100.1, 198.51.100.2",
                    "x-forwarded-for",
                    "198.51.100.3",
                    "X-Real-IP",
                    "198.51.100.1",
                    "X-Forwarded-Proto",
                    "https",
                    "X-Forwarded-Host",
                    "api.example");

            assertThat(to.getAll("x-forwarded-for"))
                    .containsExactly("198.51.100.1, 198.51.100.2, 198.51.100.3, 10.0.0.1");
            assertThat(to.getAll("x-real-ip")).containsExactly("198.51.100.1");
            assertThat(to.getAll("x-forwarded-proto")).containsExactly("https");
            assertThat(to.getAll("x-forwarded-host")).containsExactly("api.example");
        }

        @Test
        void aTrustedProxyThatSaysNothingIsTheClient() {
            MultiMap to = toReplica(TRUSTED, null);

            assertThat(to.get("x-forwarded-for")).isEqualTo("10.0.0.1");
            assertThat(to.get("x-real-ip")).isEqualTo("10.0.0.1");
            assertThat(to.get("x-forwarded-proto")).isEqualTo("http");
            assertThat(to.get("x-forwarded-host")).isEqualTo("front:8000");
        }

        @Test
        void withoutAHostNoneIsMadeUp() {
            assertThat(toReplica(new Hop("192.0.2.7", false, "https", null), null, "X-Forwarded-Host", "evil")
                            .contains("x-forwarded-host"))
                    .isFalse();
        }

        @Test
        void aTrustedProxyKnowsTheHostAlsoWhereItSentNone() {
            MultiMap to = toReplica(new Hop("10.0.0.1", true, "http", null), null, "X-Forwarded-Host", "api.example");

            assertThat(to.get("x-forwarded-host")).isEqualTo("api.example");
        }

        @Test
        void theClientsKeyReachesAReplicaWithoutOne() {
            assertThat(endToEnd("Authorization", "Bearer clients", "x-api-key", "k"))
                    .containsExactly("Authorization: Bearer clients", "x-api-key: k");
        }

        @Test
        void aReplicasOwnKeyTakesThePlaceOfTheClients() {
            MultiMap to = toReplica(STRANGER, "replicas", "AUTHORIZATION", "Bearer clients", "authorization", "more");
            assertThat(to.getAll("authorization")).containsExactly("Bearer replicas");

            assertThat(toReplica(STRANGER, "replicas").getAll("authorization")).containsExactly("Bearer replicas");
        }
    }

    @Nested
    class TowardsTheClient {

        @Test
        void endToEndHeadersPassInOrderAndSpelling() {
            assertThat(toClient(
                            "Date",
                            "d",
                            "server",
                            "uvicorn",
                            "Content-Length",
                            "5",
                            "Set-Cookie",
                            "a",
                            "set-cookie",
                            "b"))
                    .containsExactly(
                            "Date: d", "server: uvicorn", "Content-Length: 5", "Set-Cookie: a", "set-cookie: b");
        }

        @ParameterizedTest
        @ValueSource(
                strings = {
                    "Connection",
                    "keep-alive",
                    "Proxy-Connection",
                    "proxy-authenticate",
                    "Proxy-Authorization",
                    "te",
                    "Trailer",
                    "transfer-encoding",
                    "Upgrade"
                })
        void whatIsOfThisHopStaysHere(String name) {
            assertThat(toClient(name, "1", "vary", "Origin")).containsExactly("vary: Origin");
        }

        @Test
        void whatConnectionNamesStaysHere() {
            assertThat(toClient("Connection", "close, X-Drop", "x-drop", "1", "x-keep", "2"))
                    .containsExactly("x-keep: 2");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "a,                                    true",
        "AZaz09-_.:,                           true",
        "0af7651916cd43dd8448eb211c80319c,     true",
        "'',                                   false",
        "with space,                           false",
        "quo\"te,                              false",
        "semi;colon,                           false",
        "slash/,                               false",
        "ümlaut,                               false",
        "{json},                               false",
        ",                                     false",
    })
    void onlyPlainIdsAreTakenOver(@Nullable String id, boolean acceptable) {
        assertThat(HeaderHygiene.acceptableRequestId(id)).isEqualTo(acceptable);
    }

    @Test
    void anIdMayHaveOneHundredAndTwentyEightCharacters() {
        assertThat(HeaderHygiene.acceptableRequestId("a".repeat(128))).isTrue();
        assertThat(HeaderHygiene.acceptableRequestId("a".repeat(129))).isFalse();
        assertThat(HeaderHygiene.acceptableRequestId("a\nb")).isFalse();
    }

    /** What a replica gets of these headers, without those that every request gets. */
    private static List<String> endToEnd(String... headers) {
        List<String> passed = lines(toReplica(STRANGER, null, headers));
        assertThat(passed)
                .endsWith(
                        "x-forwarded-for: 192.0.2.7",
                        "x-real-ip: 192.0.2.7",
                        "x-forwarded-proto: http",
                        "x-forwarded-host: front:8000",
                        "x-request-id: attempt-id");
        return passed.subList(0, passed.size() - 5);
    }

    private static MultiMap toReplica(Hop hop, @Nullable String apiKey, String... headers) {
        MultiMap to = MultiMap.caseInsensitiveMultiMap();
        HeaderHygiene.toReplica(headers(headers), to, hop, "attempt-id", apiKey);
        return to;
    }

    private static List<String> toClient(String... headers) {
        MultiMap to = MultiMap.caseInsensitiveMultiMap();
        HeaderHygiene.toClient(headers(headers), to);
        return lines(to);
    }

    private static MultiMap headers(String... namesAndValues) {
        MultiMap headers = MultiMap.caseInsensitiveMultiMap();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            headers.add(namesAndValues[i], namesAndValues[i + 1]);
        }
        return headers;
    }

    private static List<String> lines(MultiMap headers) {
        List<String> lines = new ArrayList<>();
        headers.forEach((name, value) -> lines.add(name + ": " + value));
        return lines;
    }
}
