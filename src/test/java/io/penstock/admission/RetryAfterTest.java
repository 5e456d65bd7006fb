package io.penstock.admission;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RetryAfterTest {

    /** Wait, and the header with no chance and with nearly all of it. */
    @ParameterizedTest
    @CsvSource({
        "0, 1, 1",
        "0.001, 1, 2",
        "0.7, 1, 2",
        "1, 1, 3",
        "10, 10, 13",
        "30.2, 31, 38",
        "49, 49, 60",
        "60, 50, 60",
        "1e9, 50, 60",
        "Infinity, 50, 60"
    })
    void itIsTheWaitAndALittleMore(double wait, int least, int most) {
        assertThat(RetryAfter.seconds(wait, 0)).isEqualTo(least);
        assertThat(RetryAfter.seconds(wait, Math.nextDown(1.0))).isEqualTo(most);
    }

    @ParameterizedTest(name = "{0} s, seed 7")
    @ValueSource(doubles = {0.001, 1, 10, 1e9})
    void thoseWhoAreRefusedTogetherDoNotComeBackTogether(double wait) {
        Random random = new Random(7);
        int[] told = IntStream.range(0, 1_000)
                .map(i -> RetryAfter.seconds(wait, random.nextDouble()))
                .toArray();

        assertThat(IntStream.of(told).distinct().count()).isGreaterThan(1);
        assertThat(IntStream.of(told).allMatch(seconds -> seconds >= 1 && seconds <= RetryAfter.LONGEST_SECONDS))
                .isTrue();
    }
}
