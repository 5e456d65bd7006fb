package io.penstock.health;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.config.PenstockConfig;
import io.penstock.upstream.Ejection;
import io.penstock.upstream.Ejection.Cause;
import io.penstock.upstream.Fleet;
import io.penstock.upstream.Lease;
import io.penstock.upstream.Outcome;
import io.penstock.upstream.Standing;
import io.penstock.upstream.UpstreamSet;
import io.penstock.upstream.UpstreamState;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** On a clock that only moves when it is told to, and with a chance of one half: no jitter. */
class OutlierEjectionTest {

    private static final PenstockConfig.Ejection USUAL = PenstockConfig.Ejection.DEFAULT;

    private final UpstreamState a = Fleet.ready("a");
    private final UpstreamState b = Fleet.ready("b");
    private final UpstreamState c = Fleet.ready("c");
    private UpstreamSet set = Fleet.set(a, b, c);
    private PenstockConfig.Ejection settings = USUAL;
    private double chance = 0.5;
    // Far below zero: a clock may begin anywhere.
    private long now = Long.MIN_VALUE / 2;
    private final OutlierEjection ejection = new OutlierEjection(() -> settings, () -> now, () -> chance);

    private void pass(Duration time) {
        now += time.toNanos();
    }

    private static void requests(UpstreamState state, int count, Outcome outcome) {
        for (int i = 0; i < count; i++) {
            Fleet.lease(state).end(outcome);
        }
    }

    private OutlierEjection.@Nullable Turn review(UpstreamState state) {
        return ejection.review(state, set);
    }

    /** Five faults, and what becomes of it. */
    private Duration ejected(UpstreamState state) {
        requests(state, 5, Outcome.FAILED);
        OutlierEjection.Turn turn = Objects.requireNonNull(review(state), "not ejected");
        assertThat(state.standing()).isEqualTo(Standing.EJECTED);
        return turn.rest();
    }

    private static Ejection out(UpstreamState state) {
        return Objects.requireNonNull(state.conduct().ejection());
    }

    private void trial(UpstreamState state, Duration rest, Outcome outcome) {
        pass(rest);
        assertThat(Objects.requireNonNull(review(state)).rest()).isZero();
        Lease trial = Fleet.lease(state);
        assertThat(trial.onTrial()).isTrue();
        trial.end(outcome);
    }

    @Test
    void theFifthFaultInARowEjectsForASecond() {
        requests(a, 4, Outcome.FAILED);
        assertThat(review(a)).isNull();
        requests(a, 1, Outcome.FAILED);

        assertThat(review(a))
                .isEqualTo(new OutlierEjection.Turn(
                        Standing.READY, Standing.EJECTED, "5 faults in a row; out for 1.0 s", Duration.ofSeconds(1)));
        assertThat(a.reason()).isEqualTo("5 faults in a row; out for 1.0 s");
        assertThat(out(a).cause()).isEqualTo(Cause.CONSECUTIVE);
        assertThat(review(a)).as("a second look").isNull();
    }

    @Test
    void anAnswerInBetweenStartsTheRowAnew() {
        requests(a, 4, Outcome.FAILED);
        requests(a, 1, Outcome.COMPLETED);
        requests(a, 4, Outcome.FAILED);

        assertThat(review(a)).isNull();
    }

    @Test
    void whatFailedBeforeItCameBackForAnotherReasonDoesNotEject() {
        ejection.tally(set);
        requests(a, 30, Outcome.FAILED);
        a.conduct().returned();

        assertThat(review(a)).isNull();
        requests(a, 4, Outcome.FAILED);
        assertThat(review(a)).isNull();
        requests(a, 1, Outcome.FAILED);
        assertThat(review(a)).isNotNull();
    }

    @ParameterizedTest
    @CsvSource({"10, 10, true", "11, 9, false", "9, 10, false", "12, 12, true", "30, 20, false", "0, 3, false"})
    void halfOfTwentyRequestsInTheWindowEject(int good, int bad, boolean out) {
        settings = new PenstockConfig.Ejection(0, USUAL.window(), 50, 20, USUAL.base(), USUAL.max());
        ejection.tally(set);
        requests(a, bad, Outcome.FAILED);
        requests(a, good, Outcome.COMPLETED);

        OutlierEjection.Turn turn = review(a);

        assertThat(turn != null).isEqualTo(out);
        if (turn != null) {
            assertThat(turn.reason())
                    .isEqualTo(bad + " of " + (good + bad) + " requests failed in 30 s; out for 1.0 s");
            assertThat(out(a).cause()).isEqualTo(Cause.SHARE);
        }
    }

    @Test
    void whatHappenedBeforeTheWindowIsForgotten() {
        ejection.tally(set);
        requests(a, 15, Outcome.COMPLETED);
        for (int second = 0; second < 31; second++) {
            pass(Duration.ofSeconds(1));
            ejection.tally(set);
        }
        interleaved(10);
        assertThat(review(a)).as("19 requests in the window").isNull();

        requests(a, 1, Outcome.FAILED);
        assertThat(review(a)).isNotNull();
    }

    /** Faults, each but the last followed by an answer. */
    private void interleaved(int faults) {
        for (int i = 0; i < faults; i++) {
            requests(a, 1, Outcome.FAILED);
            requests(a, i == faults - 1 ? 0 : 1, Outcome.COMPLETED);
        }
    }

    @Test
    void nothingEndsTheRestBeforeItsTime() {
        Duration rest = ejected(a);
        pass(rest.minusNanos(1));
        assertThat(review(a)).isNull();
        a.probePassed();
        assertThat(a.lease(0, () -> {})).isNull();

        pass(Duration.ofNanos(1));
        OutlierEjection.Turn turn = Objects.requireNonNull(review(a));
        assertThat(turn.to()).isEqualTo(Standing.EJECTED);
        assertThat(review(a)).as("while on trial").isNull();
    }

    @Test
    void aCompletedTrialBringsItBackAndAFailedOneDoublesTheRest() {
        Duration rest = ejected(a);
        for (int seconds : new int[] {2, 4, 8, 16, 32, 60, 60}) {
            trial(a, rest, Outcome.FAILED);
            OutlierEjection.Turn again = Objects.requireNonNull(review(a));
            assertThat(again.from()).isEqualTo(Standing.EJECTED);
            assertThat(out(a).cause()).isEqualTo(Cause.TRIAL);
            rest = again.rest();
            assertThat(rest).isEqualTo(Duration.ofSeconds(seconds));
        }
        trial(a, rest, Outcome.COMPLETED);

        assertThat(review(a))
                .isEqualTo(new OutlierEjection.Turn(
                        Standing.EJECTED, Standing.READY, "completed a request on trial", Duration.ZERO));
        assertThat(a.usable()).isTrue();
        assertThat(a.conduct().ramp().active()).isTrue();
    }

    @Test
    void itBeginsWithEverythingIfNobodyElseWorks() {
        Duration rest = ejected(a);
        b.judge(Standing.REFUSED, "loading");
        c.judge(Standing.REFUSED, "loading");
        trial(a, rest, Outcome.COMPLETED);
        review(a);
        assertThat(a.conduct().ramp().active()).isFalse();
    }

    @Test
    void theDoublingIsForgottenAfterAWhileOfHealth() {
        trial(a, ejected(a), Outcome.COMPLETED);
        review(a);
        pass(Duration.ofSeconds(29));
        Duration second = ejected(a);
        assertThat(second).isEqualTo(Duration.ofSeconds(2));

        trial(a, second, Outcome.COMPLETED);
        review(a);
        pass(Duration.ofSeconds(30));
        assertThat(ejected(a)).isEqualTo(Duration.ofSeconds(1));
    }

    @Test
    void aLongEjectionIsRememberedForTwiceItsLength() {
        Duration rest = ejected(a);
        for (int i = 0; i < 5; i++) {
            trial(a, rest, Outcome.FAILED);
            rest = Objects.requireNonNull(review(a)).rest();
        }
        assertThat(rest).isEqualTo(Duration.ofSeconds(32));
        trial(a, rest, Outcome.COMPLETED);
        review(a);

        pass(Duration.ofSeconds(63));
        assertThat(ejected(a)).isEqualTo(Duration.ofSeconds(60));
    }

    @ParameterizedTest
    @CsvSource({"0, 900", "0.5, 1000", "1, 1100"})
    void theRestVariesByATenth(double dice, long millis) {
        chance = dice;
        assertThat(ejected(a).toMillis()).isEqualTo(millis);
    }

    @Test
    void aRestartClearsAll() {
        trial(a, ejected(a), Outcome.FAILED);
        review(a);
        a.restarted();

        assertThat(a.standing()).isEqualTo(Standing.READY);
        assertThat(review(a)).isNull();
        requests(a, 4, Outcome.FAILED);
        assertThat(review(a)).isNull();
        requests(a, 1, Outcome.FAILED);
        assertThat(Objects.requireNonNull(review(a)).rest()).isEqualTo(Duration.ofSeconds(1));
    }

    @ParameterizedTest
    @CsvSource({"2, 1", "3, 1", "4, 2", "5, 2"})
    void halfAtMostAreOut(int replicas, int most) {
        UpstreamState[] all = new UpstreamState[replicas];
        for (int i = 0; i < replicas; i++) {
            all[i] = Fleet.ready("r" + i);
        }
        set = Fleet.set(all);
        for (UpstreamState each : all) {
            requests(each, 5, Outcome.FAILED);
            review(each);
        }
        assertThat(set.members())
                .filteredOn(each -> each.standing() == Standing.EJECTED)
                .hasSize(most);
        assertThat(set.inPanic()).isFalse();
    }

    @Test
    void theLastUsableOneStaysUntilItHasAPeer() {
        b.judge(Standing.REFUSED, "loading");
        c.drain(true);
        requests(a, 9, Outcome.FAILED);
        assertThat(review(a)).isNull();

        c.drain(false);
        assertThat(review(a)).isNotNull();
    }

    @Test
    void oneThatIsGoneAnywayDoesNotCountAsEjected() {
        ejected(a);
        requests(b, 5, Outcome.FAILED);
        assertThat(review(b)).isNull();

        a.judge(Standing.REFUSED, "its port is closed");
        assertThat(review(b)).isNotNull();
    }

    @Test
    void theLastOneForAModelStays() {
        UpstreamState llama = Fleet.ready("llama", 1, 0, "llama", "both");
        UpstreamState qwen = Fleet.ready("qwen", 1, 0, "qwen", "both");
        UpstreamState unknown = Fleet.ready("unknown");
        set = Fleet.set(llama, qwen, unknown);
        requests(llama, 5, Outcome.FAILED);
        requests(unknown, 5, Outcome.FAILED);

        assertThat(review(llama)).isNull();
        assertThat(review(unknown)).isNotNull();
    }

    @Test
    void whoGetsNoWorkAnywayIsNotEjected() {
        requests(a, 5, Outcome.FAILED);
        a.judge(Standing.FAILING, "its probes fail");
        assertThat(review(a)).isNull();
    }

    @Test
    void switchedOffItEjectsNobodyAndBringsEveryoneBack() {
        ejected(a);
        settings = new PenstockConfig.Ejection(0, USUAL.window(), 0, 20, USUAL.base(), USUAL.max());

        assertThat(Objects.requireNonNull(review(a)).to()).isEqualTo(Standing.READY);
        requests(a, 50, Outcome.FAILED);
        assertThat(review(a)).isNull();
    }

    @Test
    void oneThatWentComesBackClean() {
        ejected(a);
        ejection.forget(a);

        assertThat(a.standing()).isEqualTo(Standing.READY);
        assertThat(ejected(a)).isEqualTo(Duration.ofSeconds(1));
    }
}
