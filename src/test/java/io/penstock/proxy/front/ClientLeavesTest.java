package io.penstock.proxy.front;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.proxy.ExchangeReport;
import io.penstock.proxy.ExchangeReport.Result;
import io.penstock.proxy.FailureKind;
import io.penstock.proxy.Phase;
import io.penstock.upstream.Outcome;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Work nobody waits for stops at once, in whatever phase the client leaves, and nothing is held against the replica. */
@SuppressWarnings("NullAway.Init") // Opened before each test.
class ClientLeavesTest {

    private static final Logger LOG = LoggerFactory.getLogger(ClientLeavesTest.class);
    private static final String EVENT = "data: {\"n\":1}\n\n";

    /** How a client leaves. */
    enum Way {
        FIN,
        HALF_CLOSE,
        RESET;

        void leave(Client client) throws Exception {
            switch (this) {
                case FIN -> client.fin();
                case HALF_CLOSE -> client.finSending();
                case RESET -> client.reset();
            }
        }
    }

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

    @ParameterizedTest
    @EnumSource(Way.class)
    void duringTheUpload(Way way) throws Exception {
        try (Client client = Client.to(stage)) {
            client.send("POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n{\"model\":");
            Eventually.that("its memory is reserved", () -> stage.bodyBytes() > 0);
            way.leave(client);
            assertLeft(stage.report(0), null, Phase.BODY);
        }
        assertThat(replica.calls()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whileWaitingForAReplica(Way way) throws Exception {
        replica.refuse();
        Eventually.that("no replica is left", () -> stage.ready() == 0);
        try (Client client = Client.to(stage)) {
            client.send(Client.chat());
            Eventually.that("it waits", () -> stage.waiting() == 1);
            way.leave(client);
            assertLeft(stage.report(0), null, Phase.QUEUE);
        }
        assertThat(stage.waiting()).isZero();
        replica.listen();
        Eventually.that("the replica is back", () -> stage.ready() == 1);
        assertNoGhost();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whileConnecting(Way way) throws Exception {
        try (ScriptedReplica hole = ScriptedReplica.startWithTinyBacklog();
                Stage slow = Setting.with(hole)
                        .probes(Duration.ofSeconds(30))
                        .connect(Duration.ofSeconds(2))
                        .open();
                Client client = Client.to(slow)) {
            hole.blackHole();
            client.send(Client.chat());
            Eventually.that("it is being connected", () -> slow.replica("a").inFlight() == 1);
            long left = System.nanoTime();
            way.leave(client);
            assertLeft(slow.report(0), "a", Phase.CONNECT);
            measured("lease of a black hole", left, System.nanoTime());
            assertThat(slow.replica("a").inFlight()).isZero();
            assertThat(slow.replica("a").count(Outcome.IGNORED)).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void beforeTheReplicasHead(Way way) throws Exception {
        replica.always(Script.SILENCE);
        leaveOnceCalled(way, "before the head", Phase.HEAD);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void afterAHeadWithoutOutput(Way way) throws Exception {
        replica.always(Script.begun(": hello\n\n").then(Script.SILENCE));
        leaveOnceCalled(way, "head without output", Phase.PREFILL);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void inTheMiddleOfAStream(Way way) throws Exception {
        replica.always(Script.begun(EVENT).then(Script.SILENCE));
        leaveOnceCalled(way, "mid-stream", Phase.DECODE);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void inTheMiddleOfAnAnswerThatIsNoStream(Way way) throws Exception {
        replica.always(Script.raw(Script.head(200, "application/json", 5_000_000) + "{\"x\":\"" + "a".repeat(100))
                .then(Script.SILENCE));
        leaveOnceCalled(way, "half an answer", Phase.PREFILL);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void inTheMiddleOfAFlow(Way way) throws Exception {
        String big = "data: " + "x".repeat(10_000) + "\n\n";
        replica.always(Script.begun(EVENT).then(call -> {
            try {
                while (true) {
                    call.chunk(big);
                }
            } catch (java.io.IOException closed) {
                call.awaitClosed();
            }
        }));
        leaveOnceCalled(way, "mid-flow", Phase.DECODE);
    }

    @ParameterizedTest
    @EnumSource(
            value = Way.class,
            names = {"FIN", "RESET"})
    void whileHeldBackBecauseItDoesNotRead(Way way) throws Exception {
        String big = "data: " + "x".repeat(60_000) + "\n\n";
        java.util.concurrent.atomic.AtomicLong sent = new java.util.concurrent.atomic.AtomicLong();
        replica.always(Script.begun(EVENT).then(call -> {
            try {
                while (true) {
                    call.chunk(big);
                    sent.incrementAndGet();
                }
            } catch (java.io.IOException closed) {
                call.awaitClosed();
            }
        }));
        try (Client client = Client.narrow(stage)) {
            client.send(Client.chat()).head();
            Call call = replica.call(0);
            awaitStandstill(sent);
            long left = System.nanoTime();
            way.leave(client);
            assertLeft(stage.report(0), "a", Phase.DECODE);
            Eventually.that("the replica's connection is closed", () -> call.closedNanos() != 0);
            measured("held back, " + way, left, call.closedNanos());
        }
    }

    /** Waits until a counter has not moved for 150 ms. */
    static void awaitStandstill(java.util.concurrent.atomic.AtomicLong counter) {
        long[] last = {-1, System.nanoTime()};
        Eventually.that("the replica is held back", () -> {
            long now = System.nanoTime();
            if (counter.get() != last[0]) {
                last[0] = counter.get();
                last[1] = now;
            }
            return now - last[1] > 150_000_000;
        });
    }

    @Test
    void afterTheLastByteItHasNotLeftAtAll() throws Exception {
        replica.always(Script.stream(EVENT, "data: [DONE]\n\n"));
        try (Client client = Client.to(stage)) {
            client.send(Client.chat()).reply();
            client.reset();
        }
        assertThat(stage.report(0).result()).isEqualTo(Result.COMPLETED);
        assertThat(stage.replica("a").count(Outcome.COMPLETED)).isEqualTo(1);
    }

    @Test
    void withASecondRequestPipelinedBehind() throws Exception {
        replica.always(Script.begun(EVENT).then(Script.SILENCE));
        Client client = Client.to(stage);
        client.send(Client.chat() + Client.chat());
        client.head();
        client.reset();
        assertLeft(stage.report(0), "a", Phase.DECODE);
        stage.settle();
        assertThat(replica.calls()).hasSize(1);
    }

    @Test
    void betweenAFailureAndTheNextAttempt() throws Exception {
        replica.always(Script.FIN);
        try (Client client = Client.to(stage)) {
            client.send(Client.chat());
            replica.call(0);
            replica.refuse();
            client.reset();
        }
        stage.report(0);
        assertThat(replica.calls().size()).isLessThanOrEqualTo(2);
    }

    private void leaveOnceCalled(Way way, String what, Phase phase) throws Exception {
        try (Client client = Client.to(stage)) {
            client.send(Client.chat());
            Call call = replica.call(0);
            if (phase == Phase.DECODE) {
                client.head();
            }
            long left = System.nanoTime();
            way.leave(client);
            Eventually.that("the replica's connection is closed", () -> call.closedNanos() != 0);
            measured(what + ", " + way, left, call.closedNanos());
            assertLeft(stage.report(0), "a", phase);
        }
        assertThat(replica.calls()).hasSize(1);
        assertThat(stage.replica("a").count(Outcome.IGNORED)).isEqualTo(1);
        assertThat(stage.replica("a").count(Outcome.FAILED)).isZero();
        assertNoGhost();
    }

    private static void measured(String phase, long left, long closed) {
        LOG.info("client left {}: stopped after {} ms", phase, (closed - left) / 1_000_000.0);
        assertThat(Duration.ofNanos(closed - left)).isLessThan(Duration.ofSeconds(1));
    }

    private static void assertLeft(ExchangeReport report, @Nullable String replica, Phase phase) {
        assertThat(report.stopped()).isEqualTo(phase);
        assertThat(report.result()).isEqualTo(Result.CLIENT_LEFT);
        assertThat(report.failure()).isEqualTo(FailureKind.CLIENT_LEFT);
        assertThat(report.status()).isEqualTo(499);
        assertThat(report.replica()).isEqualTo(replica);
    }

    /** A request of someone else is served, and it is the only one that came. */
    private void assertNoGhost() throws Exception {
        int before = replica.calls().size();
        replica.always(Script.json("{}"));
        try (Client other = Client.to(stage)) {
            assertThat(other.send(Client.post("/v1/embeddings", "{\"who\":\"other\"}"))
                            .reply()
                            .status())
                    .isEqualTo(200);
        }
        assertThat(replica.calls()).hasSize(before + 1);
        assertThat(replica.calls().get(before).text()).contains("other");
        stage.settle();
    }
}
