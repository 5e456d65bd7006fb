package io.penstock.admission;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.upstream.Threads;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BodyBudgetTest {

    @Test
    void itIsFullAtItsCapacityAndNotBefore() {
        BodyBudget budget = new BodyBudget(10);

        assertThat(budget.tryReserve(4)).isTrue();
        assertThat(budget.tryReserve(6)).isTrue();
        assertThat(budget.tryReserve(1)).isFalse();
        assertThat(budget.tryReserve(0)).isTrue();
        assertThat(budget.reservedBytes()).isEqualTo(10);

        budget.release(6);
        assertThat(budget.tryReserve(7)).isFalse();
        assertThat(budget.tryReserve(6)).isTrue();
    }

    @Test
    void aSizeBeyondAllNumbersIsRefused() {
        BodyBudget budget = new BodyBudget(10);
        assertThat(budget.tryReserve(1)).isTrue();

        assertThat(budget.tryReserve(Long.MAX_VALUE)).isFalse();
        assertThat(budget.reservedBytes()).isEqualTo(1);
    }

    @Test
    void aSmallerCapacityLetsWhatIsThereFinish() {
        BodyBudget budget = new BodyBudget(10);
        assertThat(budget.tryReserve(8)).isTrue();

        budget.resize(5);
        assertThat(budget.tryReserve(1)).isFalse();
        budget.release(8);
        assertThat(budget.tryReserve(5)).isTrue();
        assertThat(budget.tryReserve(1)).isFalse();

        budget.resize(6);
        assertThat(budget.tryReserve(1)).isTrue();
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3})
    void eightThreadsNeverGoOverAndEndAtZero(long seed) throws Exception {
        long capacity = 1000;
        BodyBudget budget = new BodyBudget(capacity);

        List<Long> most = Threads.race(8, i -> () -> {
            Random random = new Random(seed * 100 + i);
            Deque<Integer> held = new ArrayDeque<>();
            long peak = 0;
            for (int n = 0; n < 20_000; n++) {
                int bytes = random.nextInt(400);
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
