package io.penstock.selection;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.config.PenstockConfig.Policy;
import io.penstock.upstream.Fleet;
import io.penstock.upstream.Lease;
import io.penstock.upstream.Outcome;
import io.penstock.upstream.UpstreamState;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class LeastInFlightTest {

    private final LeastInFlight leastInFlight = new LeastInFlight();

    @Test
    void theLeastLoadedIsChosen() {
        UpstreamState a = loaded("a", 1, 2);
        UpstreamState b = loaded("b", 1, 1);
        UpstreamState c = loaded("c", 1, 3);

        assertThat(choose(List.of(a, b, c))).isSameAs(b);
        assertThat(choose(List.of(c, a))).isSameAs(a);
        assertThat(choose(List.of(c))).isSameAs(c);
    }

    @Test
    void loadCountsPerWeight() {
        UpstreamState large = loaded("large", 4, 3);
        UpstreamState small = loaded("small", 1, 1);
        assertThat(choose(List.of(small, large))).isSameAs(large);

        Fleet.lease(large);
        Fleet.lease(large);
        assertThat(choose(List.of(large, small))).isSameAs(small);
    }

    @Test
    void equalsTakeTurns() {
        List<UpstreamState> fleet =
                List.of(loaded("a", 1, 2), loaded("b", 1, 2), loaded("busy", 1, 3), loaded("c", 1, 2));

        StringBuilder chosen = new StringBuilder();
        for (int i = 0; i < 9; i++) {
            chosen.append(choose(fleet).name());
        }
        assertThat(chosen).hasToString("abcabcabc");
    }

    @Test
    void equalsTakeTurnsByWeight() {
        List<UpstreamState> idle = List.of(Fleet.ready("a", 3, 0), Fleet.ready("b", 1, 0));

        int a = 0;
        for (int i = 0; i < 400; i++) {
            a += choose(idle).name().equals("a") ? 1 : 0;
        }
        assertThat(a).isBetween(299, 301);
    }

    @Test
    void requestsThatOverlapFillTheFleetByWeight() {
        List<UpstreamState> fleet = List.of(Fleet.ready("a", 5, 0), Fleet.ready("b", 1, 0), Fleet.ready("c", 1, 0));
        for (int i = 0; i < 700; i++) {
            Fleet.lease(choose(fleet));
        }
        assertThat(fleet).extracting(UpstreamState::inFlight).containsExactly(500, 100, 100);
    }

    /** Against every choice of a slow and obvious reference, while requests begin and end at random. */
    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void noCandidateIsEverLessLoadedThanTheChosen(long seed) {
        Random random = new Random(seed);
        List<UpstreamState> fleet = new ArrayList<>();
        for (int i = 0; i < 1 + random.nextInt(8); i++) {
            fleet.add(Fleet.ready("r" + i, 1 + random.nextInt(100), 0));
        }
        List<Lease> running = new ArrayList<>();
        for (int step = 0; step < 5_000; step++) {
            if (!running.isEmpty() && random.nextInt(5) < 2) {
                running.remove(random.nextInt(running.size())).end(Outcome.COMPLETED);
            }
            List<UpstreamState> candidates = new ArrayList<>(fleet);
            candidates.removeIf(each -> random.nextInt(4) == 0);
            if (candidates.isEmpty()) {
                continue;
            }
            UpstreamState chosen = choose(candidates);

            double least = candidates.stream()
                    .mapToDouble(LeastInFlightTest::load)
                    .min()
                    .orElseThrow();
            assertThat(candidates).contains(chosen);
            assertThat(load(chosen)).as("step %d", step).isEqualTo(least);
            running.add(Fleet.lease(chosen));
        }
    }

    @ParameterizedTest
    @EnumSource
    void everyPolicyHasASelectorWithoutMemory(Policy policy) {
        Selector selector = SelectionPolicy.selector(policy);

        assertThat(selector).isInstanceOf(policy == Policy.ROUND_ROBIN ? RoundRobin.class : LeastInFlight.class);
        assertThat(selector).isNotSameAs(SelectionPolicy.selector(policy));
    }

    private static double load(UpstreamState state) {
        return (double) state.inFlight() / state.identity().replica().weight();
    }

    private UpstreamState choose(List<UpstreamState> candidates) {
        return leastInFlight.choose(candidates, RequestTraits.NONE);
    }

    private static UpstreamState loaded(String name, int weight, int inFlight) {
        UpstreamState state = Fleet.ready(name, weight, 0);
        for (int i = 0; i < inFlight; i++) {
            Fleet.lease(state);
        }
        return state;
    }
}
