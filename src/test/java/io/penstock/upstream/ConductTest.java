package io.penstock.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.upstream.Ejection.Cause;
import java.util.Objects;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ConductTest {

    private static final long MILLI = 1_000_000;

    private final UpstreamState state = Fleet.ready("a");
    private final Conduct conduct = state.conduct();

    private void request(Outcome outcome) {
        Fleet.lease(state).end(outcome);
    }

    @Test
    void faultsInARowAreBrokenByAnAnswerOnly() {
        request(Outcome.FAILED);
        request(Outcome.IGNORED);
        request(Outcome.FAILED);
        Lease refused = Fleet.lease(state);
        refused.provesNothing();
        refused.end(Outcome.COMPLETED);

        assertThat(conduct.faultsInRow()).isEqualTo(2);
        assertThat(conduct.answers()).isZero();

        request(Outcome.COMPLETED);
        assertThat(conduct.faultsInRow()).isZero();
        assertThat(conduct.faults()).isEqualTo(2);
        assertThat(conduct.answers()).isEqualTo(1);
    }

    @Test
    void whatWasSentBeforeAnEjectionOrAReturnSaysNothingAfterIt() {
        Lease before = Fleet.lease(state);
        Lease alsoBefore = Fleet.lease(state);
        conduct.eject(new Ejection(Cause.SHARE, "why"));
        before.end(Outcome.FAILED);
        Lease during = Objects.requireNonNull(state.lease(0, 0, () -> {}, /* panic= */ true));
        conduct.eject(null);
        during.end(Outcome.FAILED);
        alsoBefore.end(Outcome.COMPLETED);

        assertThat(conduct.faultsInRow()).isZero();
        assertThat(conduct.answers() + conduct.faults()).isZero();
        request(Outcome.FAILED);
        assertThat(conduct.faultsInRow()).isEqualTo(1);
    }

    @Test
    void aRestartClearsAll() {
        request(Outcome.FAILED);
        conduct.busy().begin(0, 0.5);
        conduct.ramp().begin();
        conduct.eject(new Ejection(Cause.SHARE, "why"));

        state.restarted();

        assertThat(conduct.faultsInRow()).isZero();
        assertThat(conduct.ejection()).isNull();
        assertThat(conduct.busy().holds(0)).isFalse();
        assertThat(conduct.ramp().active()).isFalse();
    }

    @Test
    void eightThreadsCountEveryFault() throws Exception {
        Threads.race(8, i -> () -> {
            IntStream.range(0, 5_000).forEach(n -> request(Outcome.FAILED));
            return true;
        });
        assertThat(conduct.faultsInRow()).isEqualTo(40_000);
        assertThat(conduct.faults()).isEqualTo(40_000);
    }

    @Test
    void thereIsOneNoticeOnTheWayUntilItIsHeard() {
        assertThat(conduct.tell()).isTrue();
        assertThat(conduct.tell()).isFalse();
        conduct.heard();
        assertThat(conduct.tell()).isTrue();
    }

    @Test
    void busyPausesDoubleUpToTwoSeconds() {
        BusyPause busy = conduct.busy();
        long now = -5;
        for (long expected : new long[] {250, 500, 1000, 2000, 2000}) {
            assertThat(busy.holds(now)).isFalse();
            busy.begin(now, 0.5);
            now += expected * MILLI - 1;
            assertThat(busy.holds(now)).as("just before %s ms", expected).isTrue();
            now++;
        }
        busy.begin(now, 0.5);
        request(Outcome.COMPLETED);
        assertThat(busy.holds(now)).as("after an answer").isFalse();

        busy.begin(now, 0.5);
        assertThat(busy.holds(now + 250 * MILLI)).as("short again").isFalse();
    }

    @Test
    void aBurstOfRefusalsIsOnePause() {
        BusyPause busy = conduct.busy();
        for (int i = 0; i < 10; i++) {
            busy.begin(i * MILLI, 0.5);
        }
        assertThat(busy.holds(250 * MILLI)).isFalse();
    }

    @Test
    void busyPausesVaryByAFifth() {
        BusyPause shortest = Fleet.ready("b").conduct().busy();
        BusyPause longest = Fleet.ready("c").conduct().busy();
        shortest.begin(0, 0);
        longest.begin(0, 1);

        assertThat(shortest.holds(199 * MILLI)).isTrue();
        assertThat(shortest.holds(201 * MILLI)).isFalse();
        assertThat(longest.holds(299 * MILLI)).isTrue();
        assertThat(longest.holds(301 * MILLI)).isFalse();
    }

    @Test
    void theRampDoublesWithEachFirstOutputUntilItIsPlenty() {
        Ramp ramp = conduct.ramp();
        ramp.firstOutput();
        assertThat(ramp.within(0)).isZero();

        ramp.begin();
        for (int expected = 4; expected <= 1024; expected *= 2) {
            assertThat(ramp.within(0)).isEqualTo(expected);
            assertThat(ramp.within(6)).isEqualTo(Math.min(6, expected));
            ramp.firstOutput();
        }
        assertThat(ramp.active()).isFalse();
        assertThat(ramp.within(6)).isEqualTo(6);
    }

    @Test
    void aReplicaOnItsRampHoldsFour() {
        conduct.ramp().begin();
        for (int i = 0; i < 4; i++) {
            Fleet.lease(state);
        }
        assertThat(state.lease(0, () -> {})).isNull();

        conduct.ramp().lift();
        assertThat(state.lease(0, () -> {})).isNotNull();
    }
}
