package io.penstock.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.upstream.EngineActivity.Suspicion;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class EngineActivityTest {

    private final UpstreamState state = Fleet.ready("a");
    private final EngineActivity engine = state.engine();

    @Test
    void onlyRequestsWithABodyAreWork() {
        Lease list = lease(5, 0);
        assertThat(engine.working()).isZero();
        assertThat(engine.oldestWorkNanos(42)).isEqualTo(42);

        Lease first = lease(7, 100);
        Lease second = lease(9, 100);
        assertThat(engine.working()).isEqualTo(2);
        assertThat(engine.oldestWorkNanos(42)).isEqualTo(7);

        first.end(Outcome.COMPLETED);
        list.end(Outcome.COMPLETED);
        assertThat(engine.working()).isEqualTo(1);
        assertThat(engine.oldestWorkNanos(42)).isEqualTo(9);
        second.end(Outcome.IGNORED);
        assertThat(engine.working()).isZero();
    }

    @Test
    void whoGivesUpDoesNotInterruptTheWorkAsLongAsAnotherIsThere() {
        assertThat(engine.workingSinceNanos(42)).isEqualTo(42);
        Lease first = lease(7, 10);
        Lease second = lease(9, 10);
        first.end(Outcome.IGNORED);
        Lease third = lease(11, 10);
        second.end(Outcome.IGNORED);
        assertThat(engine.workingSinceNanos(42)).isEqualTo(7);
        third.end(Outcome.IGNORED);
        assertThat(engine.workingSinceNanos(42)).isEqualTo(42);
        lease(13, 10);
        assertThat(engine.workingSinceNanos(42)).isEqualTo(13);
    }

    @Test
    void promptsCountUntilTheirOutputAndOnlyIfTheyWereSentBefore() {
        Lease early = lease(10, 1_000);
        lease(20, 500);
        lease(30, 7);
        assertThat(engine.unansweredBytes(9)).isZero();
        assertThat(engine.unansweredBytes(20)).isEqualTo(1_500);

        early.output(25);
        assertThat(engine.unansweredBytes(20)).isEqualTo(500);
    }

    @Test
    void aHugeBodyIsNoHugePrompt() {
        lease(1, 50_000_000);
        assertThat(engine.unansweredBytes(1)).isEqualTo(512 << 10);
    }

    @Test
    void everyByteCountsUntilOutputIsToldApart() {
        assertThat(engine.lastOutputNanos()).isZero();
        state.progressed(11);
        assertThat(engine.lastOutputNanos()).isEqualTo(11);

        lease(12, 1).output(13);
        state.progressed(99);
        assertThat(engine.lastOutputNanos()).isEqualTo(13);
    }

    @Test
    void suspicionShowsOnlyWhileProbesPassAndEndsWithTheProcess() {
        engine.suspect(new Suspicion(Standing.STALLED, "no token for 9 s"));
        assertThat(state.standing()).isEqualTo(Standing.STALLED);
        assertThat(state.reason()).isEqualTo("no token for 9 s");
        assertThat(state.usable()).isFalse();
        assertThat(state.lastResort()).isFalse();
        assertThat(state.toString()).isEqualTo("a STALLED");

        assertThat(state.refuse("connection refused")).isTrue();
        assertThat(state.standing()).isEqualTo(Standing.REFUSED);
        assertThat(state.reason()).isEqualTo("connection refused");

        engine.learnGauges(new EngineGauges(List.of(), Double.NaN, Double.NaN, 1, 1));
        state.restarted();
        state.judge(Standing.READY, "passed its probe");
        assertThat(state.standing()).isEqualTo(Standing.READY);
        assertThat(engine.gauges()).isNull();
    }

    @Test
    void aSuspectIsTheLastResortUnlessItDrains() {
        engine.suspect(new Suspicion(Standing.SUSPECT, "no token"));
        UpstreamSet set = Fleet.set(state);
        assertThat(state.usable()).isFalse();
        assertThat(state.lastResort()).isTrue();
        assertThat(set.anyAccepting()).isTrue();

        state.drain(true);
        assertThat(state.lastResort()).isFalse();
        assertThat(set.anyAccepting()).isFalse();
    }

    private Lease lease(long nanos, int bytes) {
        return Objects.requireNonNull(state.lease(nanos, bytes, () -> {}, /* panic= */ false));
    }
}
