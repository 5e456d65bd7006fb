package io.penstock.proxy.front;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.proxy.ExchangeReport.Result;
import io.penstock.proxy.FailureKind;
import io.penstock.upstream.Outcome;
import io.vertx.core.json.JsonObject;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A stream that was cut never looks complete: whole events, one error event in the API's shape, and no clean end. */
@SuppressWarnings("NullAway.Init") // Opened before each test.
class CutStreamTest {

    private static final String ONE = "data: {\"n\":1}\n\n";
    private static final String TWO = "event: x\r\ndata: {\"n\":2}\r\n\r\n";

    private static final Map<String, Script> CUTS = Map.of(
            "FIN", Script.FIN,
            "RST", Script.after(50).then(Script.RESET),
            "bad chunk", Script.raw("zz\r\nxx\r\n").then(Script.SILENCE),
            "FIN inside a chunk", Script.raw("20\r\ndata: {\"n\":3,").then(Script.FIN),
            "FIN inside an event", Script.raw("d\r\ndata: {\"n\":3,\r\n").then(Script.FIN),
            "FIN inside a chunk size", Script.raw("2").then(Script.FIN),
            "FIN inside the last chunk", Script.raw("0\r\n").then(Script.FIN));

    private ScriptedReplica replica;
    private Stage stage;

    @BeforeEach
    void open() throws Exception {
        replica = ScriptedReplica.start();
        stage = Setting.with(replica).open();
    }

    @AfterEach
    void close() throws Exception {
        stage.close();
        Eventually.that("no replica is busy any more", () -> replica.busy() == 0);
        replica.close();
    }

    static Stream<Arguments> cuts() {
        return CUTS.keySet().stream()
                .sorted()
                .flatMap(cut -> Stream.of("/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages")
                        .map(path -> Arguments.of(cut, path)));
    }

    @ParameterizedTest(name = "{0} on {1}")
    @MethodSource("cuts")
    void eventsSoFarThenOneErrorEventThenACut(String cut, String path) throws Exception {
        replica.always(Script.begun(ONE, TWO).then(CUTS.getOrDefault(cut, Script.FIN)));
        try (Client client = Client.to(stage)) {
            client.send(Client.post(path, "{\"stream\":true}")).head();
            String raw = client.rest();
            assertThat(raw).doesNotContain("[DONE]");
            assertThat(raw).doesNotEndWith("0\r\n\r\n");
            String body = unchunked(raw);
            assertThat(body).startsWith(ONE + TWO);
            assertErrorEvent(path, body.substring((ONE + TWO).length()));
        }
        assertThat(stage.report(0).result()).isEqualTo(Result.BROKEN);
        assertThat(stage.report(0).failure()).isEqualTo(FailureKind.DIED_MID_STREAM);
        assertThat(stage.report(0).events()).isEqualTo(2);
        assertThat(stage.replica("a").count(Outcome.FAILED)).isEqualTo(1);
        assertThat(replica.calls()).hasSize(1);
    }

    private static String unchunked(String raw) {
        StringBuilder body = new StringBuilder();
        for (int at = 0; at < raw.length(); ) {
            int end = raw.indexOf("\r\n", at);
            int size = Integer.parseInt(raw.substring(at, end), 16);
            body.append(raw, end + 2, end + 2 + size);
            at = end + 2 + size + 2;
        }
        return body.toString();
    }

    private static void assertErrorEvent(String path, String event) {
        assertThat(event).endsWith("\n\n").containsOnlyOnce("data: ");
        JsonObject json = new JsonObject(event.substring(event.indexOf("data: ") + 6));
        switch (path) {
            case "/v1/messages" -> {
                assertThat(event).startsWith("event: error\ndata: ");
                assertThat(json.getString("type")).isEqualTo("error");
                assertThat(json.getJsonObject("error").getString("type")).isEqualTo("api_error");
                assertThat(json.getJsonObject("error").getString("message")).contains("replica a died");
            }
            case "/v1/responses" -> {
                assertThat(event).startsWith("event: error\ndata: ");
                assertThat(json.getString("type")).isEqualTo("error");
                assertThat(json.getString("code")).isEqualTo("upstream_died");
                assertThat(json.getString("message")).contains("replica a died");
            }
            default -> {
                assertThat(event).startsWith("data: ");
                assertThat(json.getJsonObject("error").getString("code")).isEqualTo("upstream_died");
                assertThat(json.getJsonObject("error").getString("message")).contains("replica a died");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages"})
    void cleanEndWithoutTheEndMarkerIsACut(String path) throws Exception {
        replica.always(Script.stream(ONE, TWO));
        try (Client client = Client.to(stage)) {
            client.send(Client.post(path, "{\"stream\":true}")).head();
            String raw = client.rest();
            assertThat(raw).doesNotEndWith("0\r\n\r\n");
            String body = unchunked(raw);
            assertThat(body).startsWith(ONE + TWO);
            assertThat(body.substring((ONE + TWO).length()))
                    .contains("error", "ended its answer before it was whole")
                    .endsWith("\n\n");
        }
        assertThat(stage.report(0).failure()).isEqualTo(FailureKind.ENDED_WITHOUT_MARKER);
        assertThat(stage.replica("a").count(Outcome.FAILED)).isEqualTo(1);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "/v1/chat/completions | data: {\"error\": {\"message\": \"boom\", \"code\": 500}} | boom | FAILED",
                "/v1/chat/completions | data: {\"error\": {\"message\": \"bad\", \"code\": 400}} | bad | IGNORED",
                "/v1/completions | data: {\"error\": {\"message\": \"boom\", \"code\": 503}} | boom | FAILED",
                "/v1/responses | event: error+data: {\"type\":\"error\",\"message\":\"boom\"} | boom | FAILED",
                "/v1/messages | event: error+data: {\"type\":\"error\",\"error\":{\"type\":\"internal_error\"}}"
                        + " | replica a failed in the middle | FAILED"
            })
    void errorInTheMiddleIsTheLastThatLeaves(String path, String error, String words, Outcome outcome)
            throws Exception {
        replica.always(Script.stream(ONE, error.replace('+', '\n') + "\n\n", Script.DONE));
        try (Client client = Client.to(stage)) {
            client.send(Client.post(path, "{\"stream\":true}")).head();
            String raw = client.rest();
            assertThat(raw).doesNotContain("[DONE]").doesNotEndWith("0\r\n\r\n");
            String body = unchunked(raw);
            assertThat(body).startsWith(ONE).endsWith("\n\n");
            assertThat(body.substring(ONE.length())).contains(words).containsOnlyOnce("data: ");
        }
        assertThat(stage.report(0).result()).isEqualTo(Result.BROKEN);
        assertThat(stage.report(0).failure()).isEqualTo(FailureKind.IN_BAND_ERROR_MID_STREAM);
        assertThat(stage.replica("a").count(outcome)).isEqualTo(1);
        assertThat(replica.calls()).hasSize(1);
    }

    @Test
    void http10ClientGetsAResetInPlaceOfACleanLookingEnd() throws Exception {
        replica.always(call -> {
            call.send("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n");
            call.chunk("y".repeat(1_500_000));
            call.fin();
        });
        try (Client client = Client.to(stage)) {
            client.send(Client.post("/v1/embeddings", "{}").replace("HTTP/1.1", "HTTP/1.0"));
            assertThat(client.end()).isEqualTo(Client.End.RESET);
        }
    }

    @Test
    void errorEventAfterATornEventStandsOnItsOwn() throws Exception {
        replica.always(Script.begun(ONE, "data: " + "x".repeat(400_000)).then(Script.FIN));
        try (Client client = Client.to(stage)) {
            client.send(Client.chat()).head();
            String body = unchunked(client.rest());
            assertErrorEvent("/v1/chat/completions", body.substring(body.lastIndexOf("\n\ndata: {\"error\"") + 2));
        }
    }

    @Test
    void http10ClientGetsTheErrorEventBeforeTheEnd() throws Exception {
        replica.always(Script.begun(ONE).then(Script.FIN));
        try (Client client = Client.to(stage)) {
            client.send(Client.chat().replace("HTTP/1.1", "HTTP/1.0")).head();
            String body = client.rest();
            assertThat(body).startsWith(ONE);
            assertErrorEvent("/v1/chat/completions", body.substring(ONE.length()));
        }
    }

    @Test
    void answerThatIsNoStreamIsCutWithoutAWord() throws Exception {
        String much = "y".repeat(1_500_000);
        replica.always(call -> {
            call.send("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n");
            call.chunk(much);
            call.fin();
        });
        try (Client client = Client.to(stage)) {
            client.send(Client.post("/v1/embeddings", "{}")).head();
            assertThat(unchunked(client.rest())).isEqualTo(much);
        }
        assertThat(stage.report(0).result()).isEqualTo(Result.BROKEN);
    }

    @Test
    void eventsSplitAnywhereArriveByteForByte() throws Exception {
        String stream = ONE + ": comment\n\n" + TWO + "data: {\"text\":\"äöü €\"}\n\n" + "data: [DONE]\n\n";
        for (int size : List.of(1, 2, 3, 7)) {
            replica.always(call -> {
                call.send(Script.STREAM_HEAD);
                byte[] bytes = stream.getBytes(java.nio.charset.StandardCharsets.UTF_8);
                for (int at = 0; at < bytes.length; at += size) {
                    int end = Math.min(bytes.length, at + size);
                    call.send(Integer.toHexString(end - at) + "\r\n");
                    call.send(java.util.Arrays.copyOfRange(bytes, at, end));
                    call.send("\r\n");
                }
                call.send("0\r\n\r\n");
            });
            try (Client client = Client.to(stage)) {
                assertThat(client.send(Client.chat()).reply().body()).isEqualTo(stream);
            }
        }
    }

    @Test
    void endMarkerWithoutItsBlankLineIsNone() throws Exception {
        replica.always(Script.stream(ONE, "data: [DONE]"));
        try (Client client = Client.to(stage)) {
            client.send(Client.chat()).head();
            String body = unchunked(client.rest());
            assertThat(body).startsWith(ONE).doesNotContain("[DONE]");
        }
        assertThat(stage.report(0).failure()).isEqualTo(FailureKind.ENDED_WITHOUT_MARKER);
    }

    @Test
    void endMarkerIsEnoughThoughTheFramingIsCut() throws Exception {
        replica.always(Script.begun(ONE, Script.DONE).then(Script.FIN));
        try (Client client = Client.to(stage)) {
            assertThat(client.send(Client.chat()).reply().body()).isEqualTo(ONE + Script.DONE);
        }
        assertThat(stage.report(0).result()).isEqualTo(Result.COMPLETED);
    }

    @Test
    void eventLargerThanAnyBufferIsPassedOnBeforeItsEnd() throws Exception {
        CountDownLatch seen = new CountDownLatch(1);
        String big = "data: " + "x".repeat(400_000);
        replica.always(Script.begun(ONE, big)
                .then(Script.until(seen))
                .then(call -> call.chunk("\n\n"))
                .then(Script.END));
        try (Client client = Client.to(stage)) {
            client.send(Client.chat()).head();
            int got = 0;
            while (got < ONE.length() + 300_000) {
                got += client.chunk().length();
            }
            seen.countDown();
            for (String chunk = client.chunk(); !chunk.isEmpty(); chunk = client.chunk()) {
                got += chunk.length();
            }
            assertThat(got).isEqualTo(ONE.length() + big.length() + 2 + Script.DONE.length());
        }
    }
}
