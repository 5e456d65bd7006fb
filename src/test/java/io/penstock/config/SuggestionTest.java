package io.penstock.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SuggestionTest {

    private static final List<String> KNOWN = List.of("listen", "upstreams", "maxWaiting", "maxWait", "fall");

    @ParameterizedTest
    @CsvSource({
        "lisetn, listen",
        "upstream, upstreams",
        "max_waiting, maxWaiting",
        "MAX-WAIT, maxWait",
        "fail, fall",
        "f, ",
        "progress, ",
        "'', "
    })
    void theNearestWordWins(String word, String meant) {
        assertThat(Suggestion.nearest(word, KNOWN)).isEqualTo(meant);
    }

    @ParameterizedTest
    @CsvSource({"abc, abc, 0", "abc, acb, 1", "abc, ab, 1", "abc, xbc, 1", "'', abc, 3", "kitten, sitting, 3"})
    void distanceCountsWhatFingersDo(String left, String right, int distance) {
        assertThat(Suggestion.distance(left, right)).isEqualTo(distance);
        assertThat(Suggestion.distance(right, left)).isEqualTo(distance);
    }

    @Test
    void aWordOfAMegabyteIsNoWork() {
        assertThat(Suggestion.nearest("x".repeat(1 << 20), KNOWN)).isNull();
    }
}
