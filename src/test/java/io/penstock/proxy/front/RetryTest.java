package io.penstock.proxy.front;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.proxy.AttemptReport;
import io.penstock.proxy.ExchangeReport;
import io.penstock.proxy.ExchangeReport.Result;
import io.penstock.proxy.FailureKind;
import io.penstock.proxy.Phase;
import io.penstock.upstream.Outcome;
import io.penstock.upstream.Standing;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** An error of one replica is hidden by another one's answer, within limits, and told as it is when nobody does better. */
@SuppressWarnings("NullAway.Init") // Opened before each test.
class RetryTest {

    private static final String EVENT = "data: {\"n\":1}\n\n";
    private static final Script GOOD = Script.stream(EVENT, Script.DONE);
    private static final String WORDS =
            "{\"error\":{\"message\":\"no\",\"type\":\"InternalServerError\",\"param\":null,\"code\":%d}}";
    private static final String DEAD = "{\"error\": {\"message\": \"EngineCore encountered an issue. See stack trace"
            + " (above) for the root cause.\", \"type\": \"InternalServerError\", \"param\": null, \"code\": 500}}";
    private static final String WRAPPED = "{\"type\":\"error\",\"error\":{\"type\":\"internal_error\",\"message\":"
            + "\"2 validation errors for X\\nmodel\\n  Field required [type=missing, input_value={'error': {'message':"
            + " 'En...am': None, 'code': 500}}, input_type=dict]\"}}";
    private static final String STOPPING =
            "{\"error\":{\"message\":\"cannot schedule new futures after shutdown\",\"code\":500}}";

    private ScriptedReplica one;
    private ScriptedReplica two;

    @BeforeEach
    void open() throws Exception {
        one = ScriptedReplica.start();
        two = ScriptedReplica.start();
    }

    @AfterEach
    void close() throws Exception {
        Eventually.that("no replica is busy any more", () -> one.busy() + two.busy() == 0);
        one.close();
        two.close();
    }

    private static String words(int code) {
        return WORDS.formatted(code);
    }

    private static Script answer(int status) {
        return Script.answer(status, "application/json", words(status));
    }

    /** As vLLM says it under a head that says 200: the error, the end marker, a clean last chunk. */
    private static Script inBand(String data) {
        return Script.stream("data: " + data + "\n\n", Script.DONE);
    }

    /** Whoever gets the first request does this with it; everything after that goes well. */
    private void firstOfAll(Script trouble) {
        Script either = call -> (one.calls().size() + two.calls().size() == 1 ? trouble : GOOD).play(call);
        one.always(either);
        two.always(either);
    }

    private ExchangeReport hidden(Stage stage) throws Exception {
        try (Client client = Client.to(stage)) {
            Client.Reply reply = client.send(Client.chat()).reply();
            assertThat(reply.status()).isEqualTo(200);
            assertThat(reply.body()).isEqualTo(EVENT + Script.DONE);
        }
        ExchangeReport report = stage.report(0);
        assertThat(report.result()).isEqualTo(Result.COMPLETED);
        assertThat(report.attempts()).hasSize(2);
        assertThat(report.attempts().get(0).replica()).isNotEqualTo(report.replica());
        return report;
    }

    @ParameterizedTest
    @CsvSource({
        "500, UPSTREAM_ERROR, true",
        "501, UPSTREAM_ERROR, true",
        "502, UPSTREAM_BUSY, false",
        "503, UPSTREAM_BUSY, false",
        "504, UPSTREAM_BUSY, false",
        "429, UPSTREAM_BUSY, false"
    })
    void errorAnswerIsHidden(int status, FailureKind kind, boolean charged) throws Exception {
        firstOfAll(answer(status));
        try (Stage stage = Setting.with(one, two).open()) {
            AttemptReport first = hidden(stage).attempts().get(0);
            assertThat(first.failure()).isEqualTo(kind);
            assertThat(stage.replica(first.replica()).count(charged ? Outcome.FAILED : Outcome.IGNORED))
                    .isEqualTo(1);
            assertThat(stage.replica(first.replica()).standing()).isEqualTo(Standing.READY);
        }
    }

    @ParameterizedTest
    @CsvSource({"500, IN_BAND_ERROR, true", "503, UPSTREAM_BUSY, false", "429, UPSTREAM_BUSY, false"})
    void errorAsTheFirstEventIsHidden(int code, FailureKind kind, boolean charged) throws Exception {
        firstOfAll(inBand(words(code)));
        try (Stage stage = Setting.with(one, two).open()) {
            AttemptReport first = hidden(stage).attempts().get(0);
            assertThat(first.failure()).isEqualTo(kind);
            assertThat(stage.replica(first.replica()).count(charged ? Outcome.FAILED : Outcome.IGNORED))
                    .isEqualTo(1);
        }
    }

    @Test
    void errorBehindOutputThatHasNotLeftIsHiddenToo() throws Exception {
        firstOfAll(call -> {
            call.send(Script.STREAM_HEAD);
            call.chunk(EVENT + "data: " + words(500) + "\n\n");
            call.awaitClosed();
        });
        try (Stage stage = Setting.with(one, two).open()) {
            hidden(stage);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void triedReplicasAreNotAskedAgainAndTheLastAnswerIsPassedOn(boolean inBand) throws Exception {
        one.always(inBand ? inBand(words(503)) : answer(503));
        two.always(inBand ? inBand(words(503)) : answer(503));
        try (Stage stage = Setting.with(one, two).open();
                Client client = Client.to(stage)) {
            Client.Reply reply = client.send(Client.chat("X-Request-Id: me")).reply();
            assertThat(reply.status()).isEqualTo(503);
            assertThat(reply.body()).isEqualTo(words(503));
            assertThat(reply.header("retry-after")).isNotEmpty();
            assertThat(reply.header("content-type")).isEqualTo("application/json");
            assertThat(reply.header("x-request-id")).isEqualTo("me");
            assertThat(one.calls().size() + two.calls().size()).isEqualTo(2);
            assertThat(stage.report(0).result()).isEqualTo(Result.UPSTREAM_ERROR);
            assertThat(stage.report(0).failure()).isEqualTo(FailureKind.UPSTREAM_BUSY);
            // The connection is as good as new.
            one.always(GOOD);
            two.always(GOOD);
            assertThat(client.send(Client.chat()).reply().body()).isEqualTo(EVENT + Script.DONE);
        }
    }

    @Test
    void oneRequestIsRetriedTwiceAtMost() throws Exception {
        try (ScriptedReplica three = ScriptedReplica.start();
                ScriptedReplica four = ScriptedReplica.start();
                Stage stage = Setting.with(one, two, three, four).open();
                Client client = Client.to(stage)) {
            List<ScriptedReplica> all = List.of(one, two, three, four);
            all.forEach(each -> each.always(answer(500)));
            Client.Reply reply = client.send(Client.chat()).reply();
            assertThat(reply.status()).isEqualTo(500);
            assertThat(reply.header("retry-after")).isEmpty();
            assertThat(all.stream().mapToInt(each -> each.calls().size()).sum()).isEqualTo(3);
        }
    }

    @Test
    void allRequestsTogetherAreRetriedWithinTheBudget() throws Exception {
        one.always(answer(500));
        two.always(answer(500));
        try (Stage stage = Setting.with(one, two).retries(2, 0, 3).open();
                Client client = Client.to(stage)) {
            for (int i = 0; i < 5; i++) {
                assertThat(client.send(Client.chat()).reply().status()).isEqualTo(500);
            }
            assertThat(one.calls().size() + two.calls().size()).isEqualTo(5 + 3);
        }
    }

    @Test
    void retriesCanBeTurnedOff() throws Exception {
        firstOfAll(answer(500));
        try (Stage stage = Setting.with(one, two).retries(0, 100, 100).open();
                Client client = Client.to(stage)) {
            assertThat(client.send(Client.chat()).reply().status()).isEqualTo(500);
        }
    }

    @Test
    void clientsOwnMistakeAsTheFirstEventBecomesARealStatus() throws Exception {
        one.always(inBand(words(400)));
        two.always(inBand(words(400)));
        try (Stage stage = Setting.with(one, two).open();
                Client client = Client.to(stage)) {
            Client.Reply reply = client.send(Client.chat()).reply();
            assertThat(reply.status()).isEqualTo(400);
            assertThat(reply.body()).isEqualTo(words(400));
            assertThat(one.calls().size() + two.calls().size()).isEqualTo(1);
        }
    }

    @Test
    void errorAsTheFirstEventAfterAHeartbeatIsTheLastEvent() throws Exception {
        CountDownLatch beaten = new CountDownLatch(1);
        one.always(Script.until(beaten).then(inBand(words(500))));
        try (Stage stage = Setting.with(one).heartbeat(Duration.ofMillis(60)).open();
                Client client = Client.to(stage)) {
            assertThat(client.send(Client.chat()).head()).startsWith("HTTP/1.1 200");
            assertThat(client.chunk()).startsWith(":");
            beaten.countDown();
            String rest = client.rest();
            assertThat(rest).contains("data: " + words(500) + "\n\n").doesNotContain("[DONE]");
            assertThat(rest).doesNotEndWith("\r\n0\r\n\r\n");
            assertThat(stage.report(0).result()).isEqualTo(Result.BROKEN);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void replicaThatWasToldToStopIsLeftAtNoCost(boolean inBand) throws Exception {
        one.always(inBand ? inBand(STOPPING) : Script.answer(500, "application/json", STOPPING));
        two.always(GOOD);
        try (Stage stage = Setting.with(one, two).retries(0, 0, 0).open();
                Client client = Client.to(stage)) {
            for (int i = 0; i < 6; i++) {
                assertThat(client.send(Client.chat()).reply().body()).isEqualTo(EVENT + Script.DONE);
            }
            assertThat(one.calls()).hasSize(1);
            assertThat(stage.replica("a").standing()).isEqualTo(Standing.LEAVING);
            assertThat(stage.replica("a").count(Outcome.FAILED)).isZero();
            // Its port closes, and another process comes up.
            one.refuse();
            stage.awaitStanding("a", Standing.REFUSED);
            one.always(GOOD).listen();
            stage.awaitStanding("a", Standing.READY);
            assertThat(stage.replica("a").epoch()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"answer", "first event", "first event of messages"})
    void replicaWhoseEngineIsDeadIsLeftAtNoCost(String how) throws Exception {
        boolean messages = how.endsWith("messages");
        one.always(
                switch (how) {
                    case "answer" -> Script.answer(500, "application/json", DEAD);
                    case "first event" -> inBand(DEAD);
                    default -> Script.stream("event: error\ndata: " + WRAPPED + "\n\n");
                });
        String end = messages ? "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n" : Script.DONE;
        two.always(Script.stream(EVENT, end));
        String path = messages ? "/v1/messages" : "/v1/chat/completions";
        try (Stage stage = Setting.with(one, two).retries(0, 0, 0).open();
                Client client = Client.to(stage)) {
            one.at("/health", Script.answer(503, "text/plain", ""));
            for (int i = 0; i < 4; i++) {
                assertThat(client.send(Client.post(path, "{\"stream\":true}"))
                                .reply()
                                .body())
                        .isEqualTo(EVENT + end);
            }
            assertThat(one.calls()).hasSize(1);
            assertThat(stage.replica("a").count(Outcome.FAILED)).isEqualTo(1);
            assertThat(stage.reports().stream().flatMap(r -> r.attempts().stream()))
                    .filteredOn(a -> a.failure() == FailureKind.ENGINE_DEAD)
                    .hasSize(1);
        }
    }

    @Test
    void bodyThatKilledTwoReplicasIsRefusedForAWhileAndNoOther() throws Exception {
        Script death = call -> {
            if (call.text().contains("poison")) {
                call.fin();
            } else {
                GOOD.play(call);
            }
        };
        one.always(death);
        two.always(death);
        String poison = "{\"stream\":true,\"prompt\":\"poison\"}";
        try (Stage stage = Setting.with(one, two).open();
                Client client = Client.to(stage)) {
            assertThat(client.send(Client.post("/v1/completions", poison))
                            .reply()
                            .status())
                    .isEqualTo(502);
            Client.Reply again =
                    client.send(Client.post("/v1/completions", poison)).reply();
            assertThat(again.status()).isEqualTo(422);
            assertThat(again.header("x-should-retry")).isEqualTo("false");
            assertThat(again.body()).contains("poison_request");
            assertThat(one.calls().size() + two.calls().size()).isEqualTo(2);
            String same = poison.replace("poison", "bonbon");
            assertThat(client.send(Client.post("/v1/completions", same)).reply().body())
                    .isEqualTo(EVENT + Script.DONE);
        }
    }

    @Test
    void clientThatLeavesBeforeTheRetryStopsIt() throws Exception {
        one.always(answer(500));
        two.always(answer(500));
        try (ScriptedReplica three = ScriptedReplica.start();
                Stage stage = Setting.with(one, two, three).slowly().open();
                Client client = Client.to(stage)) {
            three.always(answer(500));
            client.send(Client.chat());
            Eventually.that(
                    "it was answered",
                    () -> one.calls().size()
                                    + two.calls().size()
                                    + three.calls().size()
                            == 1);
            client.reset();
            ExchangeReport report = stage.report(0);
            assertThat(report.result()).isEqualTo(Result.CLIENT_LEFT);
            assertThat(report.stopped()).isEqualTo(Phase.BACK_OFF);
            assertThat(one.calls().size() + two.calls().size() + three.calls().size())
                    .isEqualTo(1);
        }
    }
}
