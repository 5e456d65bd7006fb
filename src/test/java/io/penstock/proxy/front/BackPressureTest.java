package io.penstock.proxy.front;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.proxy.ExchangeReport.Result;
import io.penstock.proxy.FailureKind;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A client that does not read holds back its own replica's stream, and nothing else. */
@SuppressWarnings("NullAway.Init") // Opened before each test.
class BackPressureTest {

    private static final String EVENT = "data: " + "x".repeat(64_000) + "\n\n";
    private static final int EVENTS = 600; // 38 MB: more than all buffers on the way together.

    private final AtomicLong sent = new AtomicLong();
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

    private Script flood(Script end) {
        return call -> {
            call.send(Script.STREAM_HEAD);
            for (int i = 0; i < EVENTS; i++) {
                call.chunk(EVENT);
                sent.incrementAndGet();
            }
            end.play(call);
        };
    }

    @Test
    void replicaIsHeldBackAndGoesOnOnceTheClientReads() throws Exception {
        replica.always(flood(Script.END));
        try (Client client = Client.narrow(stage)) {
            client.send(Client.chat());
            ClientLeavesTest.awaitStandstill(sent);
            assertThat(sent.get() * EVENT.length()).isLessThan(24_000_000);
            Client.Reply reply = client.reply();
            assertThat(reply.body().length()).isEqualTo(EVENTS * EVENT.length() + Script.DONE.length());
            assertThat(reply.body()).isEqualTo(EVENT.repeat(EVENTS) + Script.DONE);
        }
        assertThat(stage.report(0).result()).isEqualTo(Result.COMPLETED);
    }

    @Test
    void othersAreServedMeanwhile() throws Exception {
        replica.next(flood(Script.SILENCE)).always(Script.stream("data: 1\n\n", Script.DONE));
        try (Client mute = Client.narrow(stage)) {
            mute.send(Client.chat());
            ClientLeavesTest.awaitStandstill(sent);
            for (int i = 0; i < 4; i++) {
                try (Client other = Client.to(stage)) {
                    assertThat(other.send(Client.chat()).reply().body()).isEqualTo("data: 1\n\n" + Script.DONE);
                }
            }
            mute.reset();
        }
    }

    @Test
    void deathWhileTheClientDoesNotReadFreesEverything() throws Exception {
        CountDownLatch die = new CountDownLatch(1);
        replica.always(call -> {
            Thread killer = new Thread(() -> {
                try {
                    die.await();
                    call.reset();
                } catch (Exception e) {
                    throw new IllegalStateException(e);
                }
            });
            killer.start();
            flood(Script.SILENCE).play(call);
        });
        try (Client client = Client.narrow(stage)) {
            client.send(Client.chat());
            ClientLeavesTest.awaitStandstill(sent);
            die.countDown();
            assertThat(stage.report(0).result()).isEqualTo(Result.BROKEN);
            Eventually.that("its connection is closed from below", () -> stage.connections() == 0);
        }
        assertThat(stage.clients.get()).isZero();
    }

    @Test
    void clientThatTakesNothingIsCutAfterAWhile() throws Exception {
        replica.always(flood(Script.SILENCE));
        try (Stage impatient =
                        Setting.with(replica).slowReader(Duration.ofMillis(300)).open();
                Client mute = Client.narrow(impatient)) {
            mute.send(Client.chat());
            assertThat(impatient.report(0).result()).isEqualTo(Result.BROKEN);
            assertThat(impatient.report(0).failure()).isEqualTo(FailureKind.CLIENT_DOES_NOT_READ);
            Eventually.that("the replica is told", () -> replica.busy() == 0);
            Eventually.that("its connection is closed from below", () -> impatient.connections() == 0);
        }
    }

    @Test
    void clientThatTakesNothingOfTheEndIsCutToo() throws Exception {
        replica.always(Script.json("z".repeat(1_000_000)));
        try (Stage impatient =
                        Setting.with(replica).slowReader(Duration.ofMillis(300)).open();
                Client mute = Client.narrow(impatient)) {
            // The first ones fit into what the kernel keeps for a client that does not read.
            mute.send(Client.post("/v1/embeddings", "{}").repeat(12));
            Eventually.that(
                    "one of them is stuck",
                    () -> impatient.reports().stream()
                            .anyMatch(report -> report.failure() == FailureKind.CLIENT_DOES_NOT_READ));
            Eventually.that("its connection is closed from below", () -> impatient.connections() == 0);
        }
    }

    @Test
    void shutdownEndsAnAnswerWhoseLastBytesTheClientDoesNotRead() throws Exception {
        String body = "z".repeat(1_000_000);
        replica.always(Script.json(body));
        try (Client mute = Client.narrow(stage);
                Client waiting = Client.to(stage)) {
            mute.send(Client.post("/v1/embeddings", "{}"));
            Eventually.that("the replica is done", () -> replica.call(0).over());
            replica.always(Script.begun("data: 1\n\n").then(Script.SILENCE));
            waiting.send(Client.chat()).head();
            stage.closeFronts(Duration.ofMillis(200));
            assertThat(waiting.rest()).contains("shutting_down");
            Eventually.that("both connections are gone", () -> stage.connections() == 0);
        }
        assertThat(stage.reports()).hasSize(2);
    }
}
