package io.penstock.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class LeaseTest {

    private final UpstreamState upstream = Fleet.ready("a");

    @Test
    void aLeaseRemembersWhereWhenAndInWhichEpochItWasTaken() {
        upstream.restarted();
        Lease lease = Objects.requireNonNull(upstream.lease(77, () -> {}));

        upstream.restarted();

        assertThat(lease.upstream()).isSameAs(upstream);
        assertThat(lease.startNanos()).isEqualTo(77);
        assertThat(lease.epoch()).isEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource
    void theFirstOutcomeWins(Outcome first) {
        Lease lease = Fleet.lease(upstream);

        lease.end(first);
        for (Outcome later : Outcome.values()) {
            lease.end(later);
        }

        for (Outcome each : Outcome.values()) {
            assertThat(upstream.count(each)).as("%s", each).isEqualTo(each == first ? 1 : 0);
        }
        assertThat(upstream.inFlight()).isZero();
        assertThat(upstream.started()).isEqualTo(1);
    }

    @Test
    void thePlaceIsFreeBeforeAnyoneIsTold() {
        AtomicInteger heldWhenTold = new AtomicInteger(-1);
        Lease lease = Objects.requireNonNull(upstream.lease(0, () -> heldWhenTold.set(upstream.inFlight())));

        lease.end(Outcome.COMPLETED);

        assertThat(heldWhenTold).hasValue(0);
    }

    @RepeatedTest(50)
    void eightThreadsEndItOnce() throws Exception {
        AtomicInteger freed = new AtomicInteger();
        Lease lease = Objects.requireNonNull(upstream.lease(0, freed::incrementAndGet));

        Threads.race(8, i -> () -> {
            lease.end(Fleet.outcome(i));
            return i;
        });

        assertThat(freed).hasValue(1);
        assertThat(upstream.inFlight()).isZero();
        assertThat(List.of(Outcome.values()).stream().mapToLong(upstream::count).sum())
                .isEqualTo(1);
    }

    @Test
    void aFaultOfAnEarlierEpochSaysNothingAboutTheProcessThatRunsNow() {
        Lease before = Fleet.lease(upstream);
        upstream.restarted();
        Lease after = Fleet.lease(upstream);

        before.end(Outcome.FAILED);
        after.end(Outcome.FAILED);

        assertThat(upstream.count(Outcome.IGNORED)).isEqualTo(1);
        assertThat(upstream.count(Outcome.FAILED)).isEqualTo(1);
        assertThat(upstream.inFlight()).isZero();
    }

    @Test
    void anAnswerOfAnEarlierEpochIsAnAnswer() {
        Lease before = Fleet.lease(upstream);
        upstream.restarted();

        before.end(Outcome.COMPLETED);

        assertThat(upstream.count(Outcome.COMPLETED)).isEqualTo(1);
    }
}
