package io.penstock.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import io.vertx.junit5.VertxExtension;
import java.io.IOException;
import java.net.BindException;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@ExtendWith(VertxExtension.class)
class SimulatorTest {

    private static final String CHAT = "/v1/chat/completions";
    private static final SimOptions OPTIONS = SimOptions.standard(System::nanoTime, System::currentTimeMillis)
            .withPace(Duration.ofMillis(5), Duration.ofMillis(2));

    private Simulator simulator;

    @BeforeEach
    void start(Vertx vertx) {
        simulator = Simulator.start(vertx, OPTIONS).await();
    }

    @Test
    void sendsTheHeadBeforeTheFirstTokenAndTheRoleWithIt(Vertx vertx) throws IOException {
        Simulator slow = Simulator.start(vertx, OPTIONS.withPace(Duration.ofMillis(300), Duration.ofMillis(100)))
                .await();
        try (RawClient client = RawClient.to(slow)) {
            client.send(RawClient.post(CHAT, chat(2, true)));
            client.head();
            assertThat(client.isSilentFor(150)).isTrue();
            assertThat(client.chunk()).contains("\"role\":\"assistant\"");
            assertThat(client.isSilentFor(20)).isFalse();
        }
    }

    @Test
    void responsesTellOfTheirAcceptanceBeforeTheFirstToken() throws IOException {
        try (RawClient client = RawClient.to(simulator)) {
            client.send(RawClient.post(
                    "/v1/responses", "{\"input\":\"Hi\",\"stream\":true}", "x-sim-fault: stall-before-first-token"));
            client.head();
            assertThat(client.chunk()).startsWith("event: response.created\n");
            assertThat(client.chunk()).startsWith("event: response.in_progress\n");
            assertThat(client.isSilentFor(50)).isTrue();
        }
    }

    @Test
    void keepsItsPaceWithoutDrift(Vertx vertx) throws IOException {
        Simulator paced = Simulator.start(vertx, OPTIONS.withPace(Duration.ofMillis(100), Duration.ofMillis(10)))
                .await();
        try (RawClient client = RawClient.to(paced)) {
            Instant start = Instant.now();
            client.send(RawClient.post(CHAT, chat(50, true))).reply();
            // 100 ms and 49 × 10 ms; the upper bound leaves room for a busy machine.
            assertThat(Duration.between(start, Instant.now()))
                    .isBetween(Duration.ofMillis(585), Duration.ofMillis(900));
        }
    }

    @Test
    void closesUnusedConnectionsAfterTheKeepAliveTime(Vertx vertx) throws IOException {
        Simulator impatient = Simulator.start(vertx, OPTIONS.withKeepAlive(Duration.ofMillis(200)))
                .await();
        try (RawClient client = RawClient.to(impatient);
                RawClient mute = RawClient.to(impatient)) {
            client.send(RawClient.get("/health")).reply();
            client.send(RawClient.get("/health")).reply();
            Instant start = Instant.now();
            assertThat(client.end()).isEqualTo(RawClient.End.FIN);
            assertThat(Duration.between(start, Instant.now())).isGreaterThan(Duration.ofMillis(100));
            assertThat(mute.isSilentFor(300)).isTrue();
        }
    }

    @Test
    void takesAHalfCloseForADeparture() throws IOException {
        try (RawClient client = RawClient.to(simulator)) {
            client.send(RawClient.post(CHAT, chat(2_000, true))).head();
            client.until("assistant");
            client.closeSendingHalf();
            assertThat(client.restText()).doesNotContain("[DONE]").doesNotEndWith("0\r\n\r\n");
        } catch (java.net.SocketException e) {
            // A reset instead, when bytes were under way; no last chunk either.
            assertThat(e).hasMessageContaining("reset");
        }
        FaultTest.until(() -> simulator.traffic().aborted() == 1);
    }

    @Test
    void freesTheEngineWhenAClientResets() throws IOException {
        try (RawClient client = RawClient.to(simulator);
                RawClient other = RawClient.to(simulator)) {
            client.send(RawClient.post(CHAT, chat(2_000, false)));
            FaultTest.until(() -> simulator.traffic().inFlight() == 1);
            client.reset();
            FaultTest.until(() -> simulator.traffic().inFlight() == 0);
            assertThat(simulator.traffic().aborted()).isOne();
            assertThat(other.send(RawClient.get("/metrics")).reply().body())
                    .contains("vllm:num_requests_running{engine=\"0\",model_name=\"demo\"} 0.0\n");
        }
    }

    @Test
    void saysTheSameToTheSamePromptOnEveryReplica(Vertx vertx) throws IOException {
        Simulator other =
                Simulator.start(vertx, OPTIONS.withName("other").withSeed(9)).await();

        JsonObject here = answer(simulator, chat(8, false));
        JsonObject there = answer(other, chat(8, false));

        assertThat(text(here)).isEqualTo(text(there)).hasSizeGreaterThan(16);
        assertThat(here.getString("id")).isNotEqualTo(there.getString("id"));
        assertThat(here.getString("system_fingerprint"))
                .isEqualTo(simulator.fingerprint())
                .isNotEqualTo(there.getString("system_fingerprint"));
        assertThat(text(answer(simulator, chat(4, false)))).isEqualTo(firstWords(text(here), 4));
    }

    @Test
    void streamsTheWordsOfTheWholeAnswer() throws IOException {
        String whole = text(answer(simulator, chat(6, false)));
        try (RawClient client = RawClient.to(simulator)) {
            StringBuilder streamed = new StringBuilder();
            for (String event :
                    client.send(RawClient.post(CHAT, chat(6, true))).reply().chunks()) {
                if (event.contains("\"delta\"")) {
                    streamed.append(new JsonObject(event.substring(6))
                            .getJsonArray("choices")
                            .getJsonObject(0)
                            .getJsonObject("delta")
                            .getString("content"));
                }
            }
            assertThat(streamed.toString()).isEqualTo(whole);
        }
    }

    @Test
    void stopsAtAStopSequence() throws IOException {
        String whole = text(answer(simulator, chat(16, false)));
        String third = whole.strip().split(" ", -1)[2];
        String body = chat(16, false).replace("\"stream\"", "\"stop\":[\"" + third + "\"],\"stream\"");

        JsonObject choice = answer(simulator, body).getJsonArray("choices").getJsonObject(0);

        assertThat(choice.getString("finish_reason")).isEqualTo("stop");
        assertThat(choice.getString("stop_reason")).isEqualTo(third);
        assertThat(choice.getJsonObject("message").getString("content"))
                .isEqualTo(whole.substring(0, whole.indexOf(third)));
    }

    @ParameterizedTest
    @CsvSource({
        "/v1/messages, '{\"messages\":[],\"max_tokens\":9,\"stop_sequences\":[\" \"],\"stream\":STREAM}', stop_sequence",
        "/v1/completions, '{\"prompt\":[1,2],\"stop\":\" \",\"stream\":STREAM}', '\"finish_reason\":\"stop\"'",
        "/v1/responses, '{\"input\":[],\"stop\":\" \",\"stream\":STREAM}', '\"status\":\"completed\"'"
    })
    void everyApiKnowsTheTwoWaysToEnd(String path, String body, String wanted) throws IOException {
        try (RawClient client = RawClient.to(simulator)) {
            for (String streams : new String[] {"true", "false"}) {
                client.send(RawClient.post(path, body.replace("STREAM", streams)));
                assertThat(client.reply().body()).contains(wanted);
            }
        }
    }

    @Test
    void theClientsRequestIdBecomesTheAnswersId() throws IOException {
        try (RawClient client = RawClient.to(simulator)) {
            client.send(RawClient.post(CHAT, chat(1, false), "X-Request-Id: abc-123"));
            assertThat(client.reply().body()).startsWith("{\"id\":\"chatcmpl-abc-123\"");
            client.send(RawClient.post("/v1/completions", "{\"prompt\":\"Hi\"}", "X-Request-Id: abc-123"));
            assertThat(client.reply().body()).startsWith("{\"id\":\"cmpl-abc-123\"");
        }
    }

    @Test
    void makesSixteenTokensWhenNobodySaysHowMany() throws IOException {
        JsonObject answer = answer(
                simulator, "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"Hi\"}]}]}");

        assertThat(answer.getJsonObject("usage").getInteger("completion_tokens"))
                .isEqualTo(16);
    }

    @Test
    void embedsTextsTheSameWayEachTime() throws IOException {
        try (RawClient client = RawClient.to(simulator)) {
            String both = client.send(RawClient.post("/v1/embeddings", "{\"input\":[\"a\",\"b\"]}"))
                    .reply()
                    .body();
            String one = client.send(RawClient.post("/v1/embeddings", "{\"input\":\"a\"}"))
                    .reply()
                    .body();
            assertThat(new JsonObject(both).getJsonArray("data")).hasSize(2);
            assertThat(new JsonObject(both).getJsonArray("data").getValue(0))
                    .isEqualTo(new JsonObject(one).getJsonArray("data").getValue(0));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "/v1/chat/completions, '[1]', 400",
        "/v1/chat/completions, '{\"messages\":[],\"max_tokens\":0}', 400",
        "/v1/messages, '{\"messages\":[]}', 400",
        "/invocations, '{\"prompt\":\"Hi\"}', 200",
        "/detokenize, '{\"tokens\":3}', 200",
        "/v1/responses/resp_1, '{}', 405",
        "/v1/responses/resp_1/else, '{}', 404",
        "/sim/none, '{}', 404",
        "/sim/state, '{}', 405",
        "/sim/fault, '{}', 400",
        "/sim/fault?name=status&arg=abc, '{}', 400",
        "/sim/fault?name=slow&count=none, '{}', 400"
    })
    void answersTheOddOnes(String path, String body, int status) throws IOException {
        try (RawClient client = RawClient.to(simulator)) {
            assertThat(client.send(RawClient.post(path, body)).reply().status()).isEqualTo(status);
        }
    }

    @Test
    void letsTheRightKeyIn(Vertx vertx) throws IOException {
        Simulator guarded = Simulator.start(vertx, OPTIONS.withApiKey("k")).await();
        try (RawClient client = RawClient.to(guarded)) {
            assertThat(client.send(RawClient.get("/v1/models", "Authorization: Bearer k"))
                            .reply()
                            .status())
                    .isEqualTo(200);
            assertThat(client.send(RawClient.get("/metrics")).reply().status()).isEqualTo(200);
        }
    }

    @Test
    void faultsCanBeSwitchedByHttp() throws IOException {
        try (RawClient client = RawClient.to(simulator)) {
            client.send(RawClient.post("/sim/fault?name=status&arg=429&count=2", ""));
            assertThat(client.reply().body()).isEqualTo("{\"faults\":[\"status:429 x2\"]}");
            assertThat(client.send(RawClient.post(CHAT, chat(1, false))).reply().status())
                    .isEqualTo(429);
            JsonObject state = new JsonObject(
                    client.send(RawClient.get("/sim/state")).reply().body());
            assertThat(state.getJsonArray("faults")).containsExactly("status:429 x1");
            assertThat(state.getJsonObject("requests").getLong(CHAT)).isOne();
            assertThat(state.getInteger("finished")).isOne();
            assertThat(client.send(RawClient.post("/sim/clear", "")).reply().status())
                    .isEqualTo(200);
            assertThat(client.send(RawClient.post(CHAT, chat(1, false))).reply().status())
                    .isEqualTo(200);
            assertThat(client.send(RawClient.get("/sim/fault")).reply().status())
                    .isEqualTo(405);
            assertThat(client.send(RawClient.get("/sim/clear")).reply().status())
                    .isEqualTo(405);
        }
    }

    @Test
    void aStopResetsEverythingAndARestartBeginsAnew() throws IOException {
        int port = simulator.port();
        try (RawClient streaming = RawClient.to(simulator);
                RawClient idle = RawClient.to(simulator)) {
            streaming.send(RawClient.post(CHAT, chat(2_000, true))).head();
            idle.send(RawClient.post("/sim/stop", "")).reply();
            assertThat(streaming.end()).isEqualTo(RawClient.End.RESET);
            assertThat(idle.end()).isEqualTo(RawClient.End.RESET);
        }
        FaultTest.until(() -> !simulator.isRunning());
        assertThat(RawClient.isRefused(port)).isTrue();
        assertThat(simulator.traffic().cut()).isOne();
        simulator.stop().await();

        simulator.restart().await();
        simulator.restart().await();

        assertThat(simulator.port()).isEqualTo(port);
        try (RawClient client = RawClient.to(simulator)) {
            assertThat(client.send(RawClient.get("/metrics")).reply().body())
                    .contains("vllm:generation_tokens_total{engine=\"0\",model_name=\"demo\"} 0.0\n");
        }
        simulator.close().await();
        assertThat(RawClient.isRefused(port)).isTrue();
    }

    @Test
    void failsToStartOnATakenPort(Vertx vertx) {
        assertThatThrownBy(() -> Simulator.start(vertx, OPTIONS.withAddress("127.0.0.1", simulator.port()))
                        .await())
                .isInstanceOf(BindException.class);
    }

    @Test
    void remembersWhatReachedIt() throws IOException {
        try (RawClient client = RawClient.to(simulator)) {
            client.send(RawClient.post(CHAT, chat(1, false), "X-Marker: here")).reply();
            client.send(RawClient.post("/tokenize", "{\"prompt\":\"" + "x".repeat(300_000) + "\"}"))
                    .reply();
            for (int i = 0; i < 31; i++) {
                client.send(RawClient.get("/health")).reply();
            }
        }
        assertThat(simulator.traffic().recent()).hasSize(32);
        assertThat(simulator.traffic().recent().get(0).body().length()).isZero();
        assertThat(simulator.traffic().requests("/health")).isEqualTo(31);
        assertThat(simulator.traffic().requests("/nowhere")).isZero();
        assertThat(simulator.traffic().acceptedConnections()).isOne();
        FaultTest.until(() -> simulator.traffic().openConnections() == 0);
    }

    private JsonObject answer(Simulator from, String body) throws IOException {
        try (RawClient client = RawClient.to(from)) {
            return new JsonObject(
                    client.send(RawClient.post(CHAT, body)).reply().body());
        }
    }

    private static String chat(int tokens, boolean streams) {
        return "{\"model\":\"demo\",\"messages\":[{\"role\":\"user\",\"content\":\"Say hello\"}],\"max_tokens\":"
                + tokens + ",\"stream\":" + streams + "}";
    }

    private static String text(JsonObject answer) {
        return answer.getJsonArray("choices")
                .getJsonObject(0)
                .getJsonObject("message")
                .getString("content");
    }

    private static String firstWords(String text, int count) {
        int end = 0;
        for (int i = 0; i <= count && end >= 0; i++) {
            end = text.indexOf(' ', i == 0 ? 0 : end + 1);
        }
        return end < 0 ? text : text.substring(0, end);
    }
}
