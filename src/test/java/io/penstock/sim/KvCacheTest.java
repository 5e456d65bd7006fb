package io.penstock.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class KvCacheTest {

    @Test
    void findsAndForgetsLikeAPlainMapWithAQueue() {
        Random random = new Random(11);
        KvCache cache = new KvCache(64);
        Map<Long, Integer> expected = new LinkedHashMap<>();
        Deque<Integer> queue = new ArrayDeque<>();
        List<Integer> taken = new ArrayList<>();
        for (int i = 0; i < 64; i++) {
            queue.add(i);
        }
        for (int i = 0; i < 20_000; i++) {
            if (cache.free() > 0 && random.nextBoolean()) {
                int block = cache.take();
                assertThat(block).isEqualTo(queue.remove());
                expected.values().remove(block);
                taken.add(block);
                // Few hashes, close together, so that they collide and probe.
                long hash = random.nextInt(100);
                cache.label(block, hash);
                expected.put(hash, block);
            } else if (!taken.isEmpty()) {
                int block = taken.remove(random.nextInt(taken.size()));
                cache.release(new int[] {block}, 1);
                queue.add(block);
            }
            assertThat(cache.free()).isEqualTo(queue.size());
            long asked = random.nextInt(100);
            assertThat(cache.match(new long[] {asked}, 1)).isEqualTo(expected.containsKey(asked) ? 1 : 0);
        }
    }

    @Test
    void aBlockOfTwoIsFreeOnlyAfterBoth() {
        KvCache cache = new KvCache(2);
        int block = cache.take();
        cache.label(block, 5);
        cache.label(block, 5);
        int[] second = new int[1];
        cache.hold(new long[] {5}, 1, second);
        cache.release(second, 1);
        assertThat(cache.free()).isOne();
        assertThat(cache.unheld(new long[] {5}, 1)).isZero();
        cache.release(new int[] {block}, 1);
        assertThat(cache.free()).isEqualTo(2);
        assertThat(cache.unheld(new long[] {5}, 1)).isOne();
    }

    @Test
    void anEmptyOneGivesNothing() {
        KvCache cache = new KvCache(1);
        cache.take();
        assertThatThrownBy(cache::take).isInstanceOf(IllegalStateException.class);
    }
}
