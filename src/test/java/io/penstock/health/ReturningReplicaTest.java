package io.penstock.health;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.health.ModelledReplica.Truth;
import io.penstock.upstream.Ejection;
import io.penstock.upstream.Outcome;
import io.penstock.upstream.Standing;
import io.penstock.upstream.UpstreamState;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** How replicas leave and come back, step by step on a moved clock: two of them, with everything around as in production. */
class ReturningReplicaTest {

    private static final Duration MOMENT = Duration.ofMillis(700);

    private final DayOfFaults day = new DayOfFaults(7, 2);
    private final UpstreamState a = day.state("vllm0");
    private final ModelledReplica truth = day.replica("vllm0");

    @BeforeEach
    void warm() {
        day.runFor(Duration.ofSeconds(1));
        ask(8);
        day.runFor(Duration.ofSeconds(20));
        assertThat(day.answered()).isEqualTo(8);
        assertThat(a.conduct().ramp().active()).as("all came together").isFalse();
    }

    private void ask(int requests) {
        for (int i = 0; i < requests; i++) {
            day.ask(3);
        }
    }

    private List<String> news() {
        return day.changes.stream()
                .filter(change -> change.upstream() == a)
                .map(change -> change.from() + ">" + change.to())
                .toList();
    }

    private void eject() {
        truth.become(Truth.ERRORS);
        ask(12);
        day.runFor(MOMENT);
        assertThat(a.standing()).isEqualTo(Standing.EJECTED);
    }

    private void stall() {
        truth.become(Truth.HUNG);
        ask(4);
        day.runFor(Duration.ofSeconds(25));
        assertThat(a.standing()).isEqualTo(Standing.STALLED);
    }

    @Test
    void whatHadNoOutputAtAStalledReplicaIsAnsweredElsewhere() {
        stall();
        day.runFor(Duration.ofSeconds(5));
        assertThat(day.errands).isEmpty();
        assertThat(day.answered()).isEqualTo(12);
        assertThat(a.conduct().faults()).isZero();
    }

    /** Three probes of two seconds each; the time that they wait in vain is not waited once more between them. */
    @Test
    void aHostThatWentSilentIsOutOnceThreeProbesHaveWaitedInVain() {
        truth.become(Truth.BLACK_HOLE);
        day.runFor(Duration.ofMillis(9_400));
        assertThat(a.standing()).isEqualTo(Standing.FAILING);
        assertThat(news()).endsWith("READY>FAILING");
    }

    @Test
    void oneThatMakesTokensAgainBeginsWithFourRequests() {
        stall();
        truth.become(Truth.GOOD);
        day.runFor(Duration.ofSeconds(12));
        assertThat(a.standing()).isEqualTo(Standing.READY);
        assertThat(a.conduct().ramp().active()).isTrue();

        day.replica("vllm1").become(Truth.SLOW);
        ask(30);
        assertThat(a.inFlight()).as("before its first output").isEqualTo(4);
        day.runFor(MOMENT);
        ask(30);
        assertThat(a.inFlight()).as("after four first outputs").isGreaterThan(16);
        assertThat(news()).endsWith("READY>SUSPECT", "SUSPECT>STALLED", "STALLED>READY");
    }

    @Test
    void faultsOfRequestsThatHungDoNotEjectOneThatIsBack() {
        ask(20);
        day.runFor(MOMENT);
        truth.become(Truth.HUNG);
        // Streams that had begun end with an error at last, which is charged.
        day.runFor(Duration.ofSeconds(50));
        assertThat(a.standing()).isEqualTo(Standing.STALLED);
        assertThat(a.count(Outcome.FAILED)).isGreaterThanOrEqualTo(5);

        truth.become(Truth.GOOD);
        day.runFor(Duration.ofSeconds(30));
        assertThat(news()).contains("STALLED>READY").doesNotContain("READY>EJECTED");
        assertThat(a.standing()).isEqualTo(Standing.READY);
    }

    @Test
    void aRequestOnTrialIsAnnouncedWhenItBringsOneBack() {
        eject();
        truth.become(Truth.GOOD);
        day.runFor(Duration.ofSeconds(2));
        assertThat(a.standing()).as("nobody has asked").isEqualTo(Standing.EJECTED);
        ask(1);
        day.runFor(Duration.ofSeconds(5));
        assertThat(news()).endsWith("READY>EJECTED", "EJECTED>EJECTED", "EJECTED>READY");
        assertThat(a.conduct().ramp().active()).isTrue();
    }

    @Test
    void anotherProcessEndsAnEjectionAndIsAnnouncedThoughNoProbeSawIt() {
        for (int i = 0; i < 4; i++) {
            day.ask(30);
        }
        day.runFor(MOMENT);
        eject();
        assertThat(a.inFlight()).as("streams that go on").isPositive();
        int epoch = a.epoch();
        truth.startAnew();
        day.runFor(Duration.ofSeconds(4));
        assertThat(a.epoch()).isEqualTo(epoch + 1);
        assertThat(a.standing()).isEqualTo(Standing.READY);
        assertThat(a.conduct().ejection()).isNull();
        assertThat(news()).endsWith("READY>EJECTED", "EJECTED>EJECTED", "EJECTED>READY");
    }

    @Test
    void oneThatLeavesPassesItsProbesAndGetsNoWorkUntilAnotherProcessRunsThere() {
        truth.become(Truth.LEAVING);
        ask(6);
        day.runFor(Duration.ofSeconds(20));
        assertThat(day.answered()).isEqualTo(14);
        assertThat(a.standing()).isEqualTo(Standing.LEAVING);
        long started = a.started();
        ask(10);
        assertThat(a.started()).isEqualTo(started);

        truth.become(Truth.REFUSING);
        day.runFor(Duration.ofSeconds(2));
        assertThat(a.standing()).isEqualTo(Standing.REFUSED);
        truth.become(Truth.GOOD);
        day.runFor(MOMENT);
        assertThat(a.standing()).isEqualTo(Standing.READY);
        assertThat(a.epoch()).isEqualTo(1);
        assertThat(news()).containsSubsequence("READY>LEAVING", "LEAVING>REFUSED", "REFUSED>READY");
    }

    @Test
    void oneThatDidNotMeanItIsAskedAgainAfterHalfAMinute() {
        assertThat(a.leave("says that it was told to stop")).isTrue();
        day.doubt(a, "says so");
        truth.become(Truth.LEAVING);
        day.runFor(Duration.ofSeconds(26));
        assertThat(a.standing()).isEqualTo(Standing.LEAVING);
        day.runFor(Duration.ofSeconds(8));
        assertThat(a.standing()).isEqualTo(Standing.READY);
        assertThat(a.epoch()).as("the same process").isZero();
    }

    @Test
    void restingEndsAndAnEjectedReplicaWaitsForItsTrial() {
        eject();
        Ejection out = a.conduct().ejection();
        assertThat(out).isNotNull();
        day.runFor(Duration.ofSeconds(2));
        assertThat(a.conduct().ejection())
                .isSameAs(out)
                .extracting(Ejection::phase)
                .isEqualTo(Ejection.Phase.OPEN);
    }
}
