package io.penstock.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EngineProfileTest {

    private static final long MILLI = 1_000_000;
    private static final Percentage FIFTH = Percentage.withPercentage(20);

    private final VirtualTime time = new VirtualTime();
    private final VirtualReplica tiny = new VirtualReplica(EngineProfile.TINY_CPU, time);

    @ParameterizedTest
    @CsvSource({
        "8b-h100, 1600, 1, 0, 100000000",
        "8b-h100, 0, 100, 50000, 21000000",
        "70b-tp8-h100, 1600, 1, 0, 200000000",
        "70b-tp8-h100, 0, 100, 50000, 31000000",
        "small-l40s, 1400, 1, 0, 100000000",
        "small-l40s, 0, 100, 50000, 30500000",
        "tiny-cpu, 470, 32, 9999, 124320000",
        "tiny-cpu, 0, 128, 0, 97280000",
    })
    void stepsHaveTheirFormula(String name, int prefill, int sequences, long context, long nanos) {
        assertThat(EngineProfile.named(name).stepNanos(prefill, sequences, context))
                .isEqualTo(nanos);
    }

    @ParameterizedTest
    @CsvSource({"97, 38", "398, 89", "745, 167", "1312, 267", "1845, 428"})
    void tinyCpuTakesAsLongForAPromptAsTheRealOne(int tokens, double millis) {
        long[] first = new long[1];
        tiny.submit(new long[0], tokens, 1, index -> first[0] = time.getAsLong());
        time.runAll();

        assertThat(first[0] / (double) MILLI).isCloseTo(millis, FIFTH);
    }

    @ParameterizedTest
    @CsvSource({"1, 16", "2, 13", "4, 13", "8, 17", "16, 19", "32, 24", "128, 97"})
    void tinyCpuDecodesAtThePaceOfTheRealOne(int streams, double millis) {
        List<Long> times = new ArrayList<>();
        for (int i = 0; i < streams; i++) {
            boolean watched = i == 0;
            tiny.submit(new long[0], 40, 101, index -> {
                if (watched) {
                    times.add(time.getAsLong());
                }
            });
        }
        time.runAll();
        List<Long> gaps = new ArrayList<>();
        for (int i = 1; i < times.size(); i++) {
            gaps.add(times.get(i) - times.get(i - 1));
        }
        gaps.sort(null);

        assertThat(gaps.get(gaps.size() / 2) / (double) MILLI).isCloseTo(millis, FIFTH);
    }

    @Test
    void threeHundredAtOnceOnTinyCpuQueueAsOnTheRealOne() {
        long[] first = new long[300];
        for (int i = 0; i < 300; i++) {
            int request = i;
            tiny.submit(new long[0], 40, 50, index -> {
                if (index == 0) {
                    first[request] = time.getAsLong();
                }
            });
        }
        // All prompts of the first 128 are in.
        time.runUntil(3_000 * MILLI);
        assertThat(tiny.reading().running()).isEqualTo(128);
        assertThat(tiny.reading().waiting()).isEqualTo(172);
        time.runAll();
        Arrays.sort(first);

        // Which lengths the real ones had is not known; with these both figures fit.
        assertThat(first[150] / 1e9).isCloseTo(6.4, FIFTH);
        assertThat(first[299] / 1e9).isCloseTo(11.9, FIFTH);
    }

    @Test
    void unknownNamesAreAnsweredWithTheKnownOnes() {
        assertThatThrownBy(() -> EngineProfile.named("abacus"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("no profile abacus; there are 8b-h100, 70b-tp8-h100, small-l40s, tiny-cpu");
    }

    @Test
    void aSmallerCacheMakesAShorterContext() {
        EngineProfile smaller = EngineProfile.H100_8B.withCacheBlocks(100);

        assertThat(smaller.cacheBlocks()).isEqualTo(100);
        assertThat(smaller.maxModelLen()).isEqualTo(1_600);
        assertThat(EngineProfile.H100_8B.maxModelLen()).isEqualTo(131_072);
        assertThatThrownBy(() -> EngineProfile.H100_8B.withCacheBlocks(0)).isInstanceOf(IllegalArgumentException.class);
    }
}
