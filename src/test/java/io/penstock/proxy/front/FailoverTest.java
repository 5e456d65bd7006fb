package io.penstock.proxy.front;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.proxy.ExchangeReport;
import io.penstock.proxy.ExchangeReport.Result;
import io.penstock.proxy.FailureKind;
import io.penstock.upstream.Standing;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Until the first output event whatever happens to a replica is made good elsewhere, and the client never knows. */
@SuppressWarnings("NullAway.Init") // Opened before each test.
class FailoverTest {

    private static final String EVENT = "data: {\"n\":1}\n\n";
    private static final String DONE = "data: [DONE]\n\n";
    private static final String CREATED = "event: response.created\ndata: {\"type\":\"response.created\"}\n\n";
    private static final Script GOOD = Script.stream(EVENT, DONE);

    /** What befalls an attempt before output. */
    private static final Map<String, Script> TROUBLE = Map.ofEntries(
            Map.entry("FIN", Script.FIN),
            Map.entry("RST", Script.RESET),
            Map.entry(
                    "partial head, FIN",
                    Script.raw("HTTP/1.1 200 OK\r\ncontent-").then(Script.FIN)),
            Map.entry(
                    "partial head, RST",
                    Script.raw("HTTP/1.1 200 OK\r\ncontent-").then(Script.RESET)),
            Map.entry("garbage", Script.raw("\001\002 not HTTP at all\r\n\r\n").then(Script.SILENCE)),
            Map.entry("head, FIN", Script.begun().then(Script.FIN)),
            Map.entry("head, RST", Script.begun().then(Script.RESET)),
            Map.entry("comments, FIN", Script.begun(": a\n\n", ": b\n\n").then(Script.FIN)),
            Map.entry("half an event, FIN", Script.begun("data: {\"n\":").then(Script.FIN)),
            Map.entry("bad chunk", Script.begun().then(Script.raw("zz\r\n")).then(Script.SILENCE)),
            Map.entry("created, FIN", Script.begun(CREATED).then(Script.FIN)),
            Map.entry("created, RST", Script.begun(CREATED).then(Script.RESET)));

    private ScriptedReplica one;
    private ScriptedReplica two;

    @BeforeEach
    void open() throws Exception {
        one = ScriptedReplica.start();
        two = ScriptedReplica.start();
    }

    @AfterEach
    void close() throws Exception {
        one.close();
        two.close();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "FIN",
                "RST",
                "'partial head, FIN'",
                "'partial head, RST'",
                "garbage",
                "'head, FIN'",
                "'head, RST'",
                "'comments, FIN'",
                "'half an event, FIN'",
                "bad chunk",
                "'created, FIN'",
                "'created, RST'"
            })
    void troubleBeforeOutputIsMadeGoodElsewhere(String what) throws Exception {
        Script trouble = trouble(what);
        String path = what.startsWith("created") ? "/v1/responses" : "/v1/chat/completions";
        try (Stage stage = Setting.with(one, two).probes(Duration.ofSeconds(5)).open();
                Client client = Client.to(stage)) {
            firstOfAll(trouble, GOOD);
            Client.Reply reply = client.send(Client.post(path, "{\"stream\":true}", "X-Request-Id: me"))
                    .reply();
            assertThat(reply.status()).isEqualTo(200);
            assertThat(reply.body()).isEqualTo(EVENT + DONE);
            ExchangeReport report = stage.report(0);
            assertThat(report.result()).isEqualTo(Result.COMPLETED);
            assertThat(report.attempts()).hasSize(2);
            assertThat(report.attempts().get(0).failure()).isEqualTo(FailureKind.DIED_BEFORE_OUTPUT);
            assertThat(report.attempts().get(0).replica()).isNotEqualTo(report.replica());
            assertThat(List.of(one.call(0).header("x-request-id"), two.call(0).header("x-request-id")))
                    .containsExactlyInAnyOrder("me", "me-2");
            assertThat(one.call(0).text()).isEqualTo(two.call(0).text());
        }
    }

    private static Script trouble(String what) {
        return TROUBLE.getOrDefault(what, Script.FIN);
    }

    /** Whoever gets the first request does this with it; everything after that goes well. */
    private void firstOfAll(Script trouble, Script good) {
        Script either = call -> (one.calls().size() + two.calls().size() == 1 ? trouble : good).play(call);
        one.always(either);
        two.always(either);
    }

    @ParameterizedTest
    @ValueSource(strings = {"FIN", "head, FIN", "comments, FIN", "created, FIN", "garbage"})
    void troubleAfterAHeartbeatIsMadeGoodUnderTheSameHead(String what) throws Exception {
        CountDownLatch beaten = new CountDownLatch(1);
        firstOfAll(Script.until(beaten).then(trouble(what)), GOOD);
        try (Stage stage =
                        Setting.with(one, two).heartbeat(Duration.ofMillis(60)).open();
                Client client = Client.to(stage)) {
            client.send(Client.post("/v1/responses", "{\"stream\":true}"));
            assertThat(client.head()).startsWith("HTTP/1.1 200 OK").contains("text/event-stream");
            assertThat(client.chunk()).startsWith(": penstock");
            beaten.countDown();
            assertThat(withoutComments(client)).isEqualTo(EVENT + DONE);
            assertThat(stage.report(0).result()).isEqualTo(Result.COMPLETED);
        }
    }

    private static String withoutComments(Client client) throws Exception {
        StringBuilder events = new StringBuilder();
        for (String chunk = client.chunk(); !chunk.isEmpty(); chunk = client.chunk()) {
            events.append(chunk.startsWith(":") ? "" : chunk);
        }
        return events.toString();
    }

    @Test
    void refusedConnectionIsMadeGoodAndTakesTheReplicaOut() throws Exception {
        one.always(GOOD);
        two.always(GOOD);
        try (Stage stage = Setting.with(one, two).probes(Duration.ofSeconds(30)).open();
                Client client = Client.to(stage)) {
            one.refuse();
            for (int i = 0; i < 4; i++) {
                assertThat(client.send(Client.chat()).reply().body()).isEqualTo(EVENT + DONE);
            }
            assertThat(stage.replica("a").standing()).isEqualTo(Standing.REFUSED);
            assertThat(stage.reports().stream().flatMap(r -> r.attempts().stream()))
                    .filteredOn(a -> a.failure() == FailureKind.CONNECT_REFUSED)
                    .hasSize(1);
        }
    }

    @Test
    void connectTimeoutIsMadeGood() throws Exception {
        two.always(GOOD);
        try (ScriptedReplica hole = ScriptedReplica.startWithTinyBacklog();
                Stage stage = Setting.with(hole, two)
                        .probes(Duration.ofSeconds(30))
                        .connect(Duration.ofMillis(200))
                        .open();
                Client client = Client.to(stage)) {
            hole.blackHole();
            for (int i = 0; i < 3; i++) {
                assertThat(client.send(Client.chat()).reply().body()).isEqualTo(EVENT + DONE);
            }
            assertThat(stage.reports().stream().flatMap(r -> r.attempts().stream()))
                    .filteredOn(a -> a.failure() == FailureKind.CONNECT_TIMEOUT)
                    .hasSize(1);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"FIN", "RST"})
    void bodyCutBeforeItWasRelayedIsMadeGood(String how) throws Exception {
        Script cut = Script.raw(Script.head(200, "application/json", 1000) + "{\"half\":")
                .then(how.equals("FIN") ? Script.FIN : Script.RESET);
        firstOfAll(cut, Script.json("{\"whole\":1}"));
        try (Stage stage = Setting.with(one, two).open();
                Client client = Client.to(stage)) {
            Client.Reply reply =
                    client.send(Client.post("/v1/completions", "{}")).reply();
            assertThat(reply.body()).isEqualTo("{\"whole\":1}");
            assertThat(stage.report(0).attempts().get(0).failure()).isEqualTo(FailureKind.CUT_BEFORE_RELAY);
        }
    }

    @Test
    void bodyCutAfterOneMebibyteIsCutHonestly() throws Exception {
        String much = "x".repeat(2 << 20);
        one.always(
                Script.raw(Script.head(200, "application/json", 4 << 20) + much).then(Script.FIN));
        try (Stage stage = Setting.with(one).open();
                Client client = Client.to(stage)) {
            String head = client.send(Client.post("/v1/embeddings", "{}")).head();
            assertThat(head).contains("content-length: " + (4 << 20));
            assertThat(client.rest()).isEqualTo(much);
            assertThat(stage.report(0).result()).isEqualTo(Result.BROKEN);
            assertThat(stage.report(0).failure()).isEqualTo(FailureKind.DIED_MID_STREAM);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void twoDeathsAreEnough(boolean afterHeartbeat) throws Exception {
        Script death = afterHeartbeat ? Script.after(120).then(Script.FIN) : Script.FIN;
        try (ScriptedReplica three = ScriptedReplica.start();
                Stage stage = Setting.with(one, two, three)
                        .heartbeat(afterHeartbeat ? Duration.ofMillis(50) : Duration.ofSeconds(60))
                        .open();
                Client client = Client.to(stage)) {
            one.always(death);
            two.always(death);
            three.always(death);
            client.send(Client.chat());
            if (afterHeartbeat) {
                assertThat(client.head()).startsWith("HTTP/1.1 200");
                String rest = client.rest();
                assertThat(rest).contains("\"code\":\"poison_request\"").doesNotContain("[DONE]");
                assertThat(rest).doesNotContain("\r\n0\r\n\r\n");
                assertThat(stage.report(0).result()).isEqualTo(Result.BROKEN);
            } else {
                Client.Reply reply = client.reply();
                assertThat(reply.status()).isEqualTo(502);
                assertThat(reply.header("x-should-retry")).isEqualTo("false");
                assertThat(reply.body()).contains("\"code\":\"poison_request\"");
                assertThat(stage.report(0).result()).isEqualTo(Result.REFUSED);
            }
            assertThat(one.calls().size() + two.calls().size() + three.calls().size())
                    .isEqualTo(2);
        }
    }

    @Test
    void staleConnectionsCostNobodyAnError() throws Exception {
        one.always(Script.json("{}")).idle(20);
        try (Stage stage = Setting.with(one).open();
                Client client = Client.to(stage)) {
            int failed = 0;
            for (int i = 0; i < 200; i++) {
                failed +=
                        client.send(Client.post("/v1/embeddings", "{}")).reply().status() == 200 ? 0 : 1;
                Thread.sleep(18 + i % 4); // The replica closes at 20 ms: this is the race itself.
            }
            assertThat(failed).isZero();
        }
    }

    @Test
    void keptConnectionThatDiesLateIsADeath() throws Exception {
        Script late = Script.after(1200).then(Script.FIN);
        one.next(Script.json("{}"), late).always(Script.json("{}"));
        two.next(Script.json("{}"), late).always(Script.json("{}"));
        try (Stage stage = Setting.with(one, two).open();
                Client client = Client.to(stage)) {
            client.send(Client.post("/v1/embeddings", "{}")).reply();
            client.send(Client.post("/v1/embeddings", "{}")).reply();
            // Both replicas have a kept connection now; the request is what kills them.
            Client.Reply reply =
                    client.send(Client.post("/v1/embeddings", "{}")).reply();
            assertThat(reply.status()).isEqualTo(502);
            assertThat(reply.body()).contains("poison_request");
        }
    }

    @Test
    void replicaJudgedDeadGivesItsWaitingRequestsAway() throws Exception {
        one.always(Script.begun(": accepted\n\n").then(Script.SILENCE));
        two.always(Script.begun(": accepted\n\n").then(Script.SILENCE));
        try (Stage stage = Setting.with(one, two).open();
                Client client = Client.to(stage)) {
            client.send(Client.chat());
            Eventually.that("one has it", () -> one.calls().size() + two.calls().size() == 1);
            ScriptedReplica hung = one.calls().isEmpty() ? two : one;
            ScriptedReplica other = hung == one ? two : one;
            other.always(GOOD);
            hung.at("/health", Script.answer(503, "text/plain", ""));
            assertThat(client.reply().body()).endsWith(EVENT + DONE);
            Eventually.that("the first attempt is ended", () -> hung.call(0).closedNanos() != 0);
            assertThat(stage.report(0).attempts().get(0).failure()).isEqualTo(FailureKind.LEFT_BEFORE_OUTPUT);
        }
    }

    @Test
    void requestWaitsForAReplicaAndIsServedWhenOneComesUp() throws Exception {
        one.always(GOOD).refuse();
        try (Stage stage = Setting.with(one).ready(0).open();
                Client client = Client.to(stage)) {
            client.send(Client.chat());
            Eventually.that("it waits", () -> stage.waiting() == 1);
            one.listen();
            assertThat(client.reply().body()).isEqualTo(EVENT + DONE);
            assertThat(stage.report(0).queueNanos()).isPositive();
        }
    }

    @ParameterizedTest
    @EnumSource(Limit.class)
    void requestThatWaitsInVainGets503(Limit limit) throws Exception {
        one.refuse();
        Duration configured = limit == Limit.CONFIGURED ? Duration.ofMillis(200) : Duration.ofSeconds(60);
        try (Stage stage = Setting.with(one).ready(0).waiting(10, configured).open();
                Client client = Client.to(stage)) {
            long start = System.nanoTime();
            client.send(limit == Limit.CLIENTS ? Client.chat("X-Stainless-Timeout: 0.2") : Client.chat());
            Client.Reply reply = client.reply();
            assertThat(Duration.ofNanos(System.nanoTime() - start))
                    .isBetween(Duration.ofMillis(190), Duration.ofSeconds(2));
            assertThat(reply.status()).isEqualTo(503);
            assertThat(reply.header("retry-after")).isNotEmpty();
            assertThat(reply.body()).contains("\"code\":\"no_replica_available\"");
            assertThat(stage.report(0).failure()).isEqualTo(FailureKind.NO_REPLICA);
        }
    }

    /** Whose patience ends first. */
    enum Limit {
        CONFIGURED,
        CLIENTS
    }

    @Test
    void fullWaitingRoomGets429() throws Exception {
        one.refuse();
        try (Stage stage = Setting.with(one)
                        .ready(0)
                        .waiting(1, Duration.ofSeconds(5))
                        .open();
                Client first = Client.to(stage);
                Client second = Client.to(stage)) {
            first.send(Client.chat());
            Eventually.that("it waits", () -> stage.waiting() == 1);
            Client.Reply reply = second.send(Client.chat()).reply();
            assertThat(reply.status()).isEqualTo(429);
            // Nobody has had a turn yet: the usual 5 s and some.
            assertThat(reply.header("retry-after")).isEqualTo("6");
            assertThat(reply.body()).contains("too many requests are waiting for a replica; try again in 6 s");
            first.reset();
        }
    }

    @Test
    void failureAfterTheWaitingDeadlineIsStillMadeGoodByWhoeverIsFree() throws Exception {
        firstOfAll(Script.after(300).then(Script.FIN), GOOD);
        try (Stage stage = Setting.with(one, two)
                        .waiting(10, Duration.ofMillis(150))
                        .open();
                Client client = Client.to(stage)) {
            assertThat(client.send(Client.chat()).reply().body()).isEqualTo(EVENT + DONE);
        }
    }

    @Test
    void answersOfTheReplicaPassUnchangedWhateverTheirStatus() throws Exception {
        String body = "{\"object\":\"error\",\"message\":\"no such model\"}";
        one.next(Script.answer(404, "application/json", body), Script.answer(500, "text/plain", "boom"));
        try (Stage stage = Setting.with(one).open();
                Client client = Client.to(stage)) {
            Client.Reply first = client.send(Client.chat()).reply();
            assertThat(first.status()).isEqualTo(404);
            assertThat(first.body()).isEqualTo(body);
            assertThat(client.send(Client.chat()).reply().body()).isEqualTo("boom");
            assertThat(stage.report(1).result()).isEqualTo(Result.UPSTREAM_ERROR);
        }
    }

    @ParameterizedTest
    @CsvSource({"true, no output within", "false, no end within"})
    void operatorsTimeLimitsGet504(boolean first, String words) throws Exception {
        one.always(Script.begun(": a\n\n").then(Script.SILENCE));
        Duration limit = Duration.ofMillis(200);
        try (Stage stage = Setting.with(one)
                        .answers(first ? limit : Duration.ZERO, first ? Duration.ZERO : limit)
                        .open();
                Client client = Client.to(stage)) {
            Client.Reply reply = client.send(Client.chat()).reply();
            assertThat(reply.status()).isEqualTo(504);
            assertThat(reply.body()).contains(words);
            Eventually.that("the replica is told", () -> one.call(0).closedNanos() != 0);
        }
    }
}
