package io.penstock.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class UpstreamStateTest {

    @Test
    void aReplicaThatNobodyHasAskedYetGetsNoWork() {
        UpstreamState fresh = new UpstreamState(Fleet.upstream("a"));

        assertThat(fresh.standing()).isEqualTo(Standing.STARTING);
        assertThat(fresh.usable()).isFalse();
        assertThat(fresh.knownModels()).isNull();
        assertThat(fresh.serves("m")).isNull();
        assertThat(fresh.lastProgressNanos()).isZero();
        assertThat(fresh.progressedSince(-5)).isFalse();
        assertThat(fresh).hasToString("a STARTING");
    }

    static Stream<Arguments> everyCombination() {
        List<Arguments> rows = new ArrayList<>();
        for (Standing standing : Standing.values()) {
            for (int bits = 0; bits < 8; bits++) {
                boolean draining = (bits & 1) != 0;
                boolean removed = (bits & 2) != 0;
                boolean resolved = (bits & 4) != 0;
                rows.add(Arguments.of(standing, draining, removed, resolved));
            }
        }
        return rows.stream();
    }

    @ParameterizedTest(name = "{0}, draining {1}, removed {2}, resolved {3}")
    @MethodSource("everyCombination")
    void onlyOneCombinationIsUsable(Standing standing, boolean draining, boolean removed, boolean resolved) {
        UpstreamState state = new UpstreamState(Fleet.upstream("a"));
        state.judge(standing, "test");
        state.drain(draining);
        state.remove(removed);
        if (!resolved) {
            state.become(new Upstream("a", "a", state.identity().replica(), List.of()));
        }

        assertThat(state.usable()).isEqualTo(standing == Standing.READY && !draining && !removed && resolved);
        assertThat(state.draining()).isEqualTo(draining);
        assertThat(state.removed()).isEqualTo(removed);
    }

    @ParameterizedTest
    @EnumSource
    void onlyAReadyReplicaIsTakenOutByARefusedConnection(Standing before) {
        UpstreamState state = new UpstreamState(Fleet.upstream("a"));
        state.judge(before, "as before");

        boolean took = state.refuse("refused a connection");

        assertThat(took).isEqualTo(before == Standing.READY);
        assertThat(state.standing()).isEqualTo(took ? Standing.REFUSED : before);
        assertThat(state.reason()).isEqualTo(took ? "refused a connection" : "as before");
    }

    @RepeatedTest(20)
    void ofEightThreadsThatWereRefusedOneTakesItOut() throws Exception {
        UpstreamState state = Fleet.ready("a");

        List<Boolean> took = Threads.race(8, i -> () -> state.refuse("by " + i));

        assertThat(took).containsOnlyOnce(true);
        assertThat(state.reason()).isEqualTo("by " + took.indexOf(true));
    }

    @Test
    void aFullReplicaGivesNoLeaseUntilOneEnds() {
        UpstreamState state = Fleet.ready("a", 1, 2);
        Lease first = Fleet.lease(state);
        Fleet.lease(state);

        assertThat(state.lease(0, () -> {})).isNull();
        assertThat(state.started()).isEqualTo(2);

        first.end(Outcome.COMPLETED);
        assertThat(state.lease(0, () -> {})).isNotNull();
        assertThat(state.inFlight()).isEqualTo(2);
    }

    @Test
    void withoutALimitThereIsNone() {
        UpstreamState state = Fleet.ready("a");
        for (int i = 0; i < 5000; i++) {
            Fleet.lease(state);
        }
        assertThat(state.inFlight()).isEqualTo(5000);
    }

    @Test
    void eightThreadsNeverExceedTheLimit() throws Exception {
        UpstreamState state = Fleet.ready("a", 1, 3);

        List<Integer> most = Threads.race(8, i -> () -> {
            int peak = 0;
            for (int n = 0; n < 20_000; n++) {
                Lease lease = state.lease(0, () -> {});
                if (lease != null) {
                    peak = Math.max(peak, state.inFlight());
                    lease.end(Fleet.outcome(n));
                }
            }
            return peak;
        });

        assertThat(most).allMatch(peak -> peak <= 3).anyMatch(peak -> peak > 0);
        assertThat(state.inFlight()).isZero();
        assertThat(Stream.of(Outcome.values()).mapToLong(state::count).sum()).isEqualTo(state.started());
    }

    @Test
    void theConfiguredModelsBeatTheReplicasOwnList() {
        UpstreamState state = Fleet.ready("a", 1, 0, "configured");
        state.learnModels(Set.of("own"));

        assertThat(state.serves("configured")).isTrue();
        assertThat(state.serves("own")).isFalse();
    }

    @Test
    void aListThatCannotBeReadMakesTheModelsUnknownAgain() {
        UpstreamState state = Fleet.ready("a");
        state.learnModels(Set.of("own"));
        assertThat(state.serves("own")).isTrue();

        state.learnModels(null);
        assertThat(state.serves("own")).isNull();
    }

    @Test
    void probesAndRestartsOnlyCountUp() {
        UpstreamState state = Fleet.ready("a");
        state.probePassed();
        state.probePassed();
        state.restarted();

        assertThat(state.passedProbes()).isEqualTo(2);
        assertThat(state.epoch()).isEqualTo(1);
    }

    /** The clock's zero is anywhere, so its values may be negative, and wrap. */
    @Test
    void progressIsComparedOnAClockThatMayBeNegativeAndWrap() {
        UpstreamState state = Fleet.ready("a");
        state.progressed(-100);
        assertThat(state.progressedSince(-101)).isTrue();
        assertThat(state.progressedSince(-100)).isFalse();

        state.progressed(Long.MIN_VALUE + 5);
        assertThat(state.progressedSince(Long.MAX_VALUE - 5)).isTrue();
        assertThat(state.lastProgressNanos()).isEqualTo(Long.MIN_VALUE + 5);
    }

    @Test
    void theIdStaysWhenTheIdentityMoves() {
        UpstreamState state = Fleet.ready("a");
        Upstream moved = new Upstream("a", "b", state.identity().replica(), List.of("192.0.2.9"));
        state.become(moved);

        assertThat(state.id()).isEqualTo("a");
        assertThat(state.name()).isEqualTo("b");
        assertThat(Objects.requireNonNull(state.identity()).addresses()).containsExactly("192.0.2.9");
    }
}
