package io.penstock.selection;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PrefixIndexTest {

    @Test
    void aMatchEndsAtTheFirstPieceThatIsMissing() {
        PrefixIndex index = new PrefixIndex(10);
        index.touch(prompt(1, 2, 3));

        assertThat(index.match(prompt(1, 2, 9, 10))).isEqualTo(2);
        assertThat(index.match(prompt(1, 2, 3))).isEqualTo(3);
        assertThat(index.match(prompt(9, 10))).isZero();
        assertThat(index.match(Prompt.UNKNOWN)).isZero();
    }

    @Test
    void tailsAreForgottenBeforeHeads() {
        PrefixIndex index = new PrefixIndex(4);
        index.touch(prompt(1, 2, 3));
        index.touch(prompt(7, 8));

        assertThat(index.match(prompt(1, 2, 3))).isEqualTo(2);
        assertThat(index.size()).isEqualTo(4);
    }

    @Test
    void ofAPromptThatIsTooLongTheHeadIsKept() {
        PrefixIndex index = new PrefixIndex(2);
        index.touch(prompt(1, 2, 3, 4));

        assertThat(index.match(prompt(1, 2, 3, 4))).isEqualTo(2);
    }

    @Test
    void whatIsTouchedAgainIsKept() {
        PrefixIndex index = new PrefixIndex(2);
        index.touch(prompt(1));
        index.touch(prompt(2));
        index.touch(prompt(1));
        index.touch(prompt(3));

        assertThat(index.contains(1)).isTrue();
        assertThat(index.contains(2)).isFalse();
    }

    @Test
    void aSmallerOneForgetsTheOldest() {
        PrefixIndex index = new PrefixIndex(100);
        for (long i = 0; i < 100; i++) {
            index.touch(prompt(i));
        }
        index.resize(25);

        assertThat(index.size()).isEqualTo(25);
        assertThat(index.contains(74)).isFalse();
        assertThat(index.contains(75)).isTrue();
        index.clear();
        assertThat(index.size()).isZero();
        assertThat(index.contains(99)).isFalse();
        index.touch(prompt(5));
        assertThat(index.contains(5)).isTrue();
    }

    /** Hashes that collide, zero among them, against the plainest set there is. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void itIsASetThatForgetsWhatWasTouchedLongestAgo(long seed) {
        Random random = new Random(seed);
        PrefixIndex index = new PrefixIndex(300);
        Set<Long> plain = new LinkedHashSet<>();
        for (int i = 0; i < 20_000; i++) {
            long hash = (long) random.nextInt(700) << (random.nextBoolean() ? 0 : 32);
            index.touch(prompt(hash));
            plain.remove(hash);
            plain.add(hash);
            if (plain.size() > 300) {
                plain.remove(plain.iterator().next());
            }
            long asked = random.nextInt(700);
            assertThat(index.contains(asked)).isEqualTo(plain.contains(asked));
        }
        assertThat(index.size()).isEqualTo(plain.size());
    }

    /** Prompts that share beginnings of all lengths, some longer than what is remembered, against a look at each piece. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void aMatchIsAsLongAsIfEachPieceWereLookedAt(long seed) {
        Random random = new Random(seed);
        PrefixIndex index = new PrefixIndex(150);
        List<Prompt> prompts = new ArrayList<>(List.of(prompt()));
        int partly = 0;
        for (int i = 0; i < 3_000; i++) {
            Prompt earlier = prompts.get(random.nextInt(prompts.size()));
            Prompt next = branch(earlier, random.nextInt(earlier.pieces() + 1), random.nextInt(40), random);
            prompts.add(next);
            int match = index.match(next);
            assertThat(match).isEqualTo(leading(index, next));
            partly += match > 0 && match < next.pieces() ? 1 : 0;
            if (random.nextBoolean()) {
                index.touch(next);
            }
            if (i % 500 == 499) {
                index.resize(50 + random.nextInt(150));
            }
        }
        assertThat(partly).isGreaterThan(500);
    }

    private static int leading(PrefixIndex index, Prompt prompt) {
        int there = 0;
        while (there < prompt.pieces() && index.contains(prompt.piece(there))) {
            there++;
        }
        return there;
    }

    /** So many pieces of a prompt, and then others. */
    private static Prompt branch(Prompt from, int shared, int more, Random random) {
        long[] pieces = new long[shared + more];
        for (int i = 0; i < pieces.length; i++) {
            pieces[i] = i < shared ? from.piece(i) : random.nextLong();
        }
        return prompt(pieces);
    }

    private static Prompt prompt(long... pieces) {
        return new Prompt(64 * pieces.length, pieces);
    }
}
