package io.penstock.selection;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.upstream.Fleet;
import io.penstock.upstream.Threads;
import io.penstock.upstream.UpstreamState;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RoundRobinTest {

    private final RoundRobin roundRobin = new RoundRobin();
    private final UpstreamState a = Fleet.ready("a");
    private final UpstreamState b = Fleet.ready("b");
    private final UpstreamState c = Fleet.ready("c");

    @Test
    void equalsGoOneAfterTheOther() {
        assertThat(choices(6, List.of(a, b, c))).isEqualTo("abcabc");
    }

    @Test
    void weightsAreKeptWithinOneChoiceAtAnyMoment() {
        List<UpstreamState> fleet = List.of(Fleet.ready("a", 5, 0), Fleet.ready("b", 1, 0), Fleet.ready("c", 1, 0));
        Map<String, Integer> counts = new LinkedHashMap<>();
        for (int n = 1; n <= 700; n++) {
            counts.merge(next(fleet), 1, Integer::sum);
            assertThat(counts.getOrDefault("a", 0)).as("a after %d", n).isBetween(n * 5 / 7 - 1, n * 5 / 7 + 1);
            assertThat(counts.getOrDefault("b", 0)).as("b after %d", n).isBetween(n / 7 - 1, n / 7 + 1);
            assertThat(counts.getOrDefault("c", 0)).as("c after %d", n).isBetween(n / 7 - 1, n / 7 + 1);
        }
    }

    @Test
    void aWeightyReplicaIsSpreadEvenly() {
        List<UpstreamState> fleet = List.of(Fleet.ready("a", 3, 0), Fleet.ready("b", 1, 0));

        assertThat(choices(400, fleet)).doesNotContain("aaaa").doesNotContain("bb");
    }

    @Test
    void aLateJoinerHasNoCredit() {
        choices(1000, List.of(a, b));

        assertThat(choices(30, List.of(a, b, c))
                        .chars()
                        .filter(each -> each == 'c')
                        .count())
                .isBetween(10L, 11L);
    }

    @Test
    void aReplicaThatWasAwayDoesNotCatchUp() {
        choices(9, List.of(a, b, c));
        choices(1000, List.of(b, c));

        assertThat(choices(30, List.of(a, b, c))
                        .chars()
                        .filter(each -> each == 'a')
                        .count())
                .isBetween(10L, 12L);
    }

    @Test
    void candidatesMayChangeWithEveryChoice() {
        StringBuilder chosen = new StringBuilder();
        for (int i = 0; i < 300; i++) {
            chosen.append(next(i % 2 == 0 ? List.of(a, b) : List.of(b, c)));
        }

        assertThat(chosen.chars().filter(each -> each == 'a').count()).isBetween(95L, 105L);
        assertThat(chosen.chars().filter(each -> each == 'b').count()).isBetween(95L, 105L);
    }

    /** A change of the policy makes a new selector; the replicas keep their turns. */
    @Test
    void aNewSelectorGivesNoCreditToANewcomer() {
        choices(1000, List.of(a, b));
        RoundRobin afterTheChange = new RoundRobin();

        StringBuilder chosen = new StringBuilder();
        for (int i = 0; i < 30; i++) {
            chosen.append(afterTheChange.next(List.of(a, b, c)).name());
        }
        assertThat(chosen.chars().filter(each -> each == 'c').count()).isBetween(9L, 12L);
        assertThat(chosen.chars().filter(each -> each == 'b').count()).isBetween(9L, 11L);
    }

    @ParameterizedTest
    @ValueSource(longs = {Long.MAX_VALUE - 50_000_000L, Long.MAX_VALUE, Long.MIN_VALUE, -1})
    void theTurnsMayWrap(long turn) {
        RoundRobin old = new RoundRobin(turn);
        List<UpstreamState> fleet = List.of(a, b, c);
        fleet.forEach(each -> each.turn().set(turn));

        StringBuilder chosen = new StringBuilder();
        for (int i = 0; i < 30; i++) {
            chosen.append(old.next(fleet).name());
        }
        assertThat(chosen).hasToString("abc".repeat(10));
    }

    @Test
    void eightThreadsShareFairlyEnough() throws Exception {
        List<UpstreamState> fleet = List.of(a, b, c);

        List<List<String>> all = Threads.race(8, i -> () -> {
            List<String> mine = new ArrayList<>();
            for (int n = 0; n < 3000; n++) {
                mine.add(next(fleet));
            }
            return mine;
        });

        List<String> chosen = all.stream().flatMap(List::stream).toList();
        for (UpstreamState each : fleet) {
            assertThat(Collections.frequency(chosen, each.name())).isBetween(6000, 10_000);
        }
    }

    private String choices(int count, List<UpstreamState> candidates) {
        StringBuilder chosen = new StringBuilder();
        for (int i = 0; i < count; i++) {
            chosen.append(next(candidates));
        }
        return chosen.toString();
    }

    private String next(List<UpstreamState> candidates) {
        return roundRobin.choose(candidates, RequestTraits.NONE).name();
    }
}
