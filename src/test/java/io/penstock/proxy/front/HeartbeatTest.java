package io.penstock.proxy.front;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.proxy.ExchangeReport.Result;
import io.penstock.proxy.FailureKind;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Signs of life for a streaming client that waits, and what can still be said once one was sent. */
@SuppressWarnings("NullAway.Init") // Opened before each test.
class HeartbeatTest {

    private static final String COMMENT = ": penstock: waiting for a replica\n\n";
    private static final String STILL = ": penstock: waiting for the next event\n\n";
    private static final String EVENT = "data: {\"n\":1}\n\n";
    private static final Duration SOON = Duration.ofMillis(100);

    private final CountDownLatch go = new CountDownLatch(1);
    private ScriptedReplica replica;

    @BeforeEach
    void open() throws Exception {
        replica = ScriptedReplica.start();
    }

    @AfterEach
    void close() throws Exception {
        Eventually.that("no replica is busy any more", () -> replica.busy() == 0);
        replica.close();
    }

    @Test
    void noneComesBeforeItsTime() throws Exception {
        replica.always(Script.after(150).then(Script.answer(400, "application/json", "{\"bad\":1}")));
        try (Stage stage =
                        Setting.with(replica).heartbeat(Duration.ofSeconds(1)).open();
                Client client = Client.to(stage)) {
            Client.Reply reply = client.send(Client.chat()).reply();
            assertThat(reply.status()).isEqualTo(400);
            assertThat(reply.body()).isEqualTo("{\"bad\":1}");
        }
    }

    @Test
    void commentsThenTheOutputUnderTheSameHead() throws Exception {
        replica.always(Script.until(go).then(Script.stream(EVENT, "data: [DONE]\n\n")));
        try (Stage stage = Setting.with(replica).heartbeat(SOON).open();
                Client client = Client.to(stage)) {
            long start = System.nanoTime();
            client.send(Client.chat("X-Request-Id: r1"));
            String head = client.head();
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThanOrEqualTo(SOON.minusMillis(2));
            assertThat(head)
                    .startsWith("HTTP/1.1 200 OK\r\n")
                    .contains("content-type: text/event-stream", "x-request-id: r1", "transfer-encoding: chunked");
            assertThat(client.chunk()).isEqualTo(COMMENT);
            assertThat(client.chunk()).isEqualTo(COMMENT);
            go.countDown();
            String chunk = client.chunk();
            while (chunk.equals(COMMENT)) {
                chunk = client.chunk();
            }
            assertThat(chunk).isEqualTo(EVENT);
            assertThat(client.chunk()).isEqualTo("data: [DONE]\n\n");
            assertThat(client.chunk()).isEmpty();
            // The connection is as good as new.
            replica.always(Script.json("{}"));
            assertThat(client.send(Client.post("/score", "{}")).reply().body()).isEqualTo("{}");
        }
    }

    @Test
    void silenceInTheMiddleOfAnAnswerIsBrokenBetweenEventsOnly() throws Exception {
        CountDownLatch rest = new CountDownLatch(1);
        replica.always(Script.begun(EVENT)
                .then(Script.until(go))
                .then(call -> call.chunk("data: {\"n\":"))
                .then(Script.until(rest))
                .then(call -> call.chunk("2}\n\n"))
                .then(Script.END));
        try (Stage stage = Setting.with(replica).heartbeat(SOON).open();
                Client client = Client.to(stage)) {
            client.send(Client.chat()).head();
            assertThat(client.chunk()).isEqualTo(EVENT);
            assertThat(client.chunk()).isEqualTo(STILL);
            assertThat(client.chunk()).isEqualTo(STILL);
            go.countDown();
            // Half an event has come: nothing may come between its halves, and the client has seen neither.
            Thread.sleep(3 * SOON.toMillis());
            rest.countDown();
            StringBuilder events = new StringBuilder();
            for (String chunk = client.chunk(); !chunk.isEmpty(); chunk = client.chunk()) {
                events.append(chunk);
            }
            assertThat(events.toString().replace(STILL, "")).isEqualTo("data: {\"n\":2}\n\n" + Script.DONE);
        }
    }

    @Test
    void noneComesWhileTheAnswerFlows() throws Exception {
        replica.always(call -> {
            call.send(Script.STREAM_HEAD);
            for (int i = 0; i < 80; i++) {
                call.chunk(EVENT);
                Thread.sleep(20);
            }
            Script.END.play(call);
        });
        try (Stage stage =
                        Setting.with(replica).heartbeat(Duration.ofSeconds(1)).open();
                Client client = Client.to(stage)) {
            assertThat(client.send(Client.chat()).reply().body()).isEqualTo(EVENT.repeat(80) + Script.DONE);
        }
    }

    @Test
    void whoAsksForNoStreamGetsNone() throws Exception {
        replica.always(Script.after(250).then(Script.json("{\"x\":1}")));
        try (Stage stage = Setting.with(replica).heartbeat(SOON).open();
                Client client = Client.to(stage)) {
            assertThat(client.send(Client.post("/v1/chat/completions", "{\"model\":\"m\"}"))
                            .reply()
                            .body())
                    .isEqualTo("{\"x\":1}");
        }
    }

    @ParameterizedTest
    @CsvSource({"/v1/chat/completions, 'data: '", "/v1/messages, 'event: error\ndata: '"})
    void replicasErrorAfterwardsBecomesTheLastEvent(String path, String prefix) throws Exception {
        String words = "{\"error\":{\"message\":\"too long\",\"code\":400}}";
        replica.always(Script.until(go).then(Script.answer(400, "application/json", words)));
        try (Stage stage = Setting.with(replica).heartbeat(SOON).open();
                Client client = Client.to(stage)) {
            client.send(Client.post(path, "{\"stream\":true}")).head();
            assertThat(client.chunk()).isEqualTo(COMMENT);
            go.countDown();
            String rest = client.rest();
            assertThat(rest).endsWith("\r\n" + prefix + words + "\n\n\r\n");
            assertThat(rest).doesNotContain("\r\n0\r\n");
            assertThat(stage.report(0).result()).isEqualTo(Result.BROKEN);
            assertThat(stage.report(0).status()).isEqualTo(400);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"boom\nboom", "<html>", ""})
    void replicasErrorThatIsNotOneLineOfJsonIsToldInOurWords(String words) throws Exception {
        replica.always(Script.until(go).then(Script.answer(500, "text/plain", words)));
        try (Stage stage = Setting.with(replica).heartbeat(SOON).open();
                Client client = Client.to(stage)) {
            client.send(Client.chat()).head();
            go.countDown();
            assertThat(client.rest()).contains("\"code\":\"upstream_error\"", "replica a answered with status 500");
        }
    }

    @Test
    void failureOfAllAfterwardsBecomesAnErrorEvent() throws Exception {
        replica.refuse();
        try (Stage stage = Setting.with(replica)
                        .ready(0)
                        .heartbeat(SOON)
                        .waiting(10, Duration.ofMillis(350))
                        .open();
                Client client = Client.to(stage)) {
            client.send(Client.chat()).head();
            assertThat(client.chunk()).isEqualTo(COMMENT);
            assertThat(client.rest())
                    .contains("\"code\":\"no_replica_available\"")
                    .doesNotContain("[DONE]");
            assertThat(stage.report(0).result()).isEqualTo(Result.BROKEN);
            assertThat(stage.report(0).failure()).isEqualTo(FailureKind.NO_REPLICA);
        }
    }

    @Test
    void http10ClientGetsThemToo() throws Exception {
        replica.always(Script.until(go).then(Script.stream(EVENT, Script.DONE)));
        try (Stage stage = Setting.with(replica).heartbeat(SOON).open();
                Client client = Client.to(stage)) {
            client.send(Client.chat().replace("HTTP/1.1", "HTTP/1.0"));
            assertThat(client.head()).contains("connection: close").doesNotContain("transfer-encoding");
            client.until(COMMENT);
            go.countDown();
            assertThat(client.rest()).endsWith(EVENT + Script.DONE);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void clientThatLeavesAfterOneStopsEverything(boolean reset) throws Exception {
        replica.always(Script.SILENCE);
        try (Stage stage = Setting.with(replica).heartbeat(SOON).open();
                Client client = Client.to(stage)) {
            client.send(Client.chat()).head();
            if (reset) {
                client.reset();
            } else {
                client.fin();
            }
            assertThat(stage.report(0).result()).isEqualTo(Result.CLIENT_LEFT);
        }
    }
}
