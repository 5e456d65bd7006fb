package io.penstock.proxy.front;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.upstream.Ejection;
import io.penstock.upstream.Standing;
import io.penstock.upstream.Threads;
import io.penstock.upstream.UpstreamState;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A replica that passes its probes and fails requests is left alone, and comes back by a request that goes well. */
@SuppressWarnings("NullAway.Init") // Opened before each test.
@Timeout(60)
class EjectionTest {

    private static final Duration LONG = Duration.ofSeconds(50);
    private static final String EVENT = "data: {\"n\":1}\n\n";
    private static final Script GOOD = Script.stream(EVENT, Script.DONE);

    private ScriptedReplica bad;
    private ScriptedReplica one;
    private ScriptedReplica two;

    @BeforeEach
    void open() throws Exception {
        bad = ScriptedReplica.start().always(answer(500));
        one = ScriptedReplica.start().always(GOOD);
        two = ScriptedReplica.start().always(GOOD);
    }

    @AfterEach
    void close() throws Exception {
        bad.close();
        one.close();
        two.close();
    }

    private static Script answer(int status) {
        return Script.answer(status, "application/json", "{\"error\":{\"message\":\"no\",\"code\":" + status + "}}");
    }

    private static int ask(Client client) throws Exception {
        return client.send(Client.chat()).reply().status();
    }

    private static void awaitPhase(Stage stage, Ejection.Phase phase) {
        Eventually.that("it is " + phase, () -> {
            Ejection out = stage.replica("a").conduct().ejection();
            return out != null && out.phase() == phase;
        });
    }

    /** Asks until the bad replica is out; every answer must be good. */
    private static void askUntilEjected(Stage stage) throws Exception {
        try (Client client = Client.to(stage)) {
            Eventually.that("a is ejected", () -> {
                try {
                    assertThat(ask(client)).isEqualTo(200);
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
                return stage.replica("a").standing() == Standing.EJECTED;
            });
        }
    }

    @Test
    void aReplicaThatFailsAtOnceAttractsNoWorkAndNoClientSeesIt() throws Exception {
        try (Stage stage = Setting.with(bad, one, two).open()) {
            List<Integer> failed = Threads.race(3, i -> () -> {
                int wrong = 0;
                try (Client client = Client.to(stage)) {
                    for (int n = 0; n < 100; n++) {
                        wrong += ask(client) == 200 ? 0 : 1;
                    }
                }
                return wrong;
            });

            assertThat(failed).containsOnly(0);
            assertThat(bad.calls().size()).isBetween(5, 9);
            UpstreamState a = stage.replica("a");
            assertThat(a.standing()).isEqualTo(Standing.EJECTED);
            assertThat(a.reason()).contains("; out for ");
        }
    }

    @Test
    void aTrialThatFailsCostsNoRetryAndAnotherReplicaAnswers() throws Exception {
        // Five retries are all there are.
        try (Stage stage = Setting.with(bad, one)
                .retries(2, 0, 5)
                .ejection(5, Duration.ofMillis(100))
                .open()) {
            askUntilEjected(stage);
            assertThat(bad.calls()).hasSize(5);

            for (int trial = 1; trial <= 3; trial++) {
                awaitPhase(stage, Ejection.Phase.OPEN);
                try (Client client = Client.to(stage)) {
                    assertThat(ask(client)).isEqualTo(200);
                }
                assertThat(bad.calls()).hasSize(5 + trial);
                awaitPhase(stage, Ejection.Phase.RESTING);
            }
            assertThat(stage.replica("a").reason()).contains("its trial failed; out for 0.8 s");
        }
    }

    @Test
    void aCompletedTrialBringsItBackAndOnlyOneGoesThereAtATime() throws Exception {
        try (Stage stage =
                Setting.with(bad, one).ejection(5, Duration.ofMillis(100)).open()) {
            askUntilEjected(stage);
            int before = bad.calls().size();
            CountDownLatch finish = new CountDownLatch(1);
            bad.always(Script.begun(EVENT).then(Script.until(finish)).then(Script.END));
            awaitPhase(stage, Ejection.Phase.OPEN);
            try (Client trial = Client.to(stage);
                    Client client = Client.to(stage)) {
                trial.send(Client.chat()).head();
                for (int i = 0; i < 10; i++) {
                    assertThat(ask(client)).isEqualTo(200);
                }
                assertThat(bad.calls()).hasSize(before + 1);
                assertThat(stage.replica("a").standing()).isEqualTo(Standing.EJECTED);

                finish.countDown();
                stage.awaitStanding("a", Standing.READY);
                assertThat(stage.replica("a").conduct().ramp().active()).isTrue();
                assertThat(trial.chunk()).isEqualTo(EVENT);
            }
        }
    }

    @Test
    void whatTheClientDidWrongIsNoFaultAndNoTrial() throws Exception {
        bad.always(answer(400));
        one.always(answer(400));
        try (Stage stage =
                Setting.with(bad, one).ejection(3, Duration.ofMillis(100)).open()) {
            try (Client client = Client.to(stage)) {
                for (int i = 0; i < 20; i++) {
                    assertThat(ask(client)).isEqualTo(400);
                }
                assertThat(stage.ready()).isEqualTo(2);

                bad.always(answer(500));
                one.always(GOOD);
                askUntilEjected(stage);
                bad.always(answer(400));
                awaitPhase(stage, Ejection.Phase.OPEN);
                assertThat(ask(client)).isEqualTo(400);
                assertThat(stage.replica("a").standing()).isEqualTo(Standing.EJECTED);
                awaitPhase(stage, Ejection.Phase.OPEN);
            }
        }
    }

    @Test
    void clientsThatLeaveEjectNobody() throws Exception {
        bad.always(Script.begun(EVENT).then(Script.SILENCE));
        one.always(Script.begun(EVENT).then(Script.SILENCE));
        try (Stage stage = Setting.with(bad, one).ejection(2, LONG).open()) {
            for (int i = 0; i < 8; i++) {
                try (Client client = Client.to(stage)) {
                    client.send(Client.chat()).head();
                }
            }
            stage.settle();
            assertThat(stage.ready()).isEqualTo(2);
            assertThat(stage.replica("a").conduct().faults()).isZero();
        }
    }

    @Test
    void aBusyReplicaRestsAMomentAndIsNotEjected() throws Exception {
        bad.always(answer(503));
        try (Stage stage = Setting.with(bad, one).ejection(2, LONG).open();
                Client client = Client.to(stage)) {
            for (int i = 0; i < 40; i++) {
                assertThat(ask(client)).isEqualTo(200);
            }
            assertThat(bad.calls().size()).isBetween(1, 6);
            assertThat(stage.replica("a").standing()).isEqualTo(Standing.READY);
            assertThat(stage.replica("a").conduct().faultsInRow()).isZero();
        }
    }

    @Test
    void theLastUsableReplicaIsNeverEjected() throws Exception {
        try (Stage stage = Setting.with(bad).ejection(2, LONG).open();
                Client client = Client.to(stage)) {
            for (int i = 0; i < 10; i++) {
                assertThat(ask(client)).isEqualTo(500);
            }
            assertThat(bad.calls()).hasSize(10);
            assertThat(stage.replica("a").standing()).isEqualTo(Standing.READY);
        }
    }

    @Test
    void inAPanicAnEjectedReplicaGetsTheWork() throws Exception {
        try (Stage stage = Setting.with(bad, one).ejection(5, LONG).open()) {
            askUntilEjected(stage);
            one.refuse();
            stage.awaitStanding("b", Standing.REFUSED);
            bad.always(GOOD);
            try (Client client = Client.to(stage)) {
                for (int i = 0; i < 5; i++) {
                    assertThat(ask(client)).isEqualTo(200);
                }
                assertThat(stage.live.current().inPanic()).isTrue();
                assertThat(client.send(Client.request("GET", "/health")).reply().status())
                        .isEqualTo(200);
            }
            one.listen();
            stage.awaitStanding("b", Standing.READY);
        }
    }

    @Test
    void aRestartEndsAnEjection() throws Exception {
        try (Stage stage = Setting.with(bad, one).ejection(5, LONG).open()) {
            askUntilEjected(stage);
            bad.die();
            stage.awaitStanding("a", Standing.REFUSED);
            bad.always(GOOD).listen();

            stage.awaitStanding("a", Standing.READY);
            assertThat(stage.replica("a").conduct().ejection()).isNull();
            assertThat(stage.replica("a").conduct().ramp().active()).isTrue();
        }
    }
}
