package io.penstock.admission;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.upstream.Threads;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BodyBudgetTest {

    private static final long KIB = 1 << 10;
    private static final long MIB = 1 << 20;

    private final BodyBudget budget = new BodyBudget(128 * MIB);

    private long fillWith(long bytes) {
        long taken = 0;
        while (budget.tryReserve(bytes)) {
            taken++;
        }
        return taken;
    }

    @Test
    void largeBodiesStopAtThreeQuarters() {
        assertThat(budget.tryReserve(60 * MIB)).isTrue();
        assertThat(budget.tryReserve(60 * MIB)).isFalse();
        assertThat(budget.tryReserve(36 * MIB)).isTrue();
        assertThat(budget.tryReserve(4 * MIB)).isFalse();
        assertThat(budget.reservedBytes()).isEqualTo(96 * MIB);

        budget.release(36 * MIB);
        assertThat(budget.tryReserve(36 * MIB + 1)).isFalse();
        assertThat(budget.tryReserve(36 * MIB)).isTrue();
    }

    /** Bodies of one size only, as many as there is room for: what is left is for smaller ones. */
    @ParameterizedTest
    @CsvSource({"60, 68", "20, 48", "4, 32", "2, 16", "1, 8"})
    void bodiesOfOneSizeLeaveEightTimesThatForSmallerOnes(long megabytes, long leftFree) {
        fillWith(megabytes * MIB);

        assertThat(128 * MIB - budget.reservedBytes()).isEqualTo(leftFree * MIB);
    }

    @Test
    void whateverSizesTheLargerOnesHaveAThousandChatsFindRoom() {
        for (long size = 60 * MIB; size > 100 * KIB; size = size * 3 / 4) {
            fillWith(size);
        }

        assertThat(fillWith(2 * KIB)).isGreaterThan(400);
        budget.release(2 * KIB);
        assertThat(budget.tryReserve(2 * KIB)).isTrue();
    }

    @ParameterizedTest
    @CsvSource({"128, 96", "2, 1.5", "0, 0"})
    void theLargestBodyThatEverFitsIsThreeQuarters(long capacity, double largest) {
        budget.resize(capacity * MIB);

        assertThat(budget.largestBodyBytes()).isEqualTo((long) (largest * MIB));
        assertThat(budget.tryReserve(budget.largestBodyBytes() + 1)).isFalse();
        assertThat(budget.tryReserve(budget.largestBodyBytes())).isTrue();
    }

    @Test
    void aBodyThatGrowsNeedsTheRoomOfOneThatCameAtOnce() {
        assertThat(budget.tryReserve(90 * MIB)).isTrue();
        assertThat(budget.tryReserve(MIB)).isTrue();
        assertThat(budget.tryGrow(MIB, MIB)).isTrue();
        assertThat(budget.tryGrow(2 * MIB, 3 * MIB)).isTrue();
        assertThat(budget.tryGrow(5 * MIB, MIB)).isTrue();
        assertThat(budget.tryGrow(6 * MIB, 1)).isFalse();
        assertThat(budget.reservedBytes()).isEqualTo(96 * MIB);
        assertThat(budget.tryReserve(MIB)).as("a small one").isTrue();
        assertThat(budget.tryReserve(MIB)).as("another").isTrue();
    }

    @Test
    void aBodyMayGrowToTheLargestSizeAndNoFurther() {
        assertThat(budget.tryGrow(0, 96 * MIB)).isTrue();
        assertThat(budget.tryGrow(96 * MIB, 1)).isFalse();
        assertThat(budget.tryGrow(96 * MIB, Long.MAX_VALUE)).isFalse();
    }

    @Test
    void anEmptyBodyAlwaysFits() {
        fillWith(1);
        assertThat(budget.tryReserve(0)).isTrue();
        budget.resize(10);
        assertThat(budget.tryReserve(0)).isTrue();
        assertThat(budget.tryGrow(100, 0)).isTrue();
    }

    @Test
    void aSizeBeyondAllNumbersIsRefused() {
        assertThat(budget.tryReserve(1)).isTrue();

        assertThat(budget.tryReserve(Long.MAX_VALUE)).isFalse();
        assertThat(budget.tryGrow(1, Long.MAX_VALUE)).isFalse();
        assertThat(budget.reservedBytes()).isEqualTo(1);
    }

    @Test
    void aSmallerCapacityLetsWhatIsThereFinish() {
        assertThat(budget.tryReserve(80 * MIB)).isTrue();

        budget.resize(50 * MIB);
        assertThat(budget.tryReserve(1)).isFalse();
        budget.release(80 * MIB);
        assertThat(budget.tryReserve(37 * MIB)).isTrue();
        assertThat(budget.tryReserve(MIB)).isTrue();
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3})
    void eightThreadsNeverGoOverAndEndAtZero(long seed) throws Exception {
        long capacity = 10_000;
        budget.resize(capacity);

        List<Long> most = Threads.race(8, i -> () -> {
            Random random = new Random(seed * 100 + i);
            Deque<Integer> held = new ArrayDeque<>();
            long peak = 0;
            for (int n = 0; n < 20_000; n++) {
                int bytes = random.nextInt(4000);
                if (budget.tryReserve(bytes)) {
                    held.add(bytes);
                    peak = Math.max(peak, budget.reservedBytes());
                }
                while (held.size() > random.nextInt(4)) {
                    budget.release(held.remove());
                }
            }
            held.forEach(budget::release);
            return peak;
        });

        assertThat(most).allMatch(peak -> peak <= capacity).anyMatch(peak -> peak > 0);
        assertThat(budget.reservedBytes()).isZero();
    }
}
