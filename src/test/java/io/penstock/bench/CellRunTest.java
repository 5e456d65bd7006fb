package io.penstock.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.config.PenstockConfig.Policy;
import io.penstock.selection.PredictionTerms;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class CellRunTest {

    @ParameterizedTest
    @EnumSource(Policy.class)
    void theSameSeedIsTheSameRun(Policy policy) {
        Cell cell = Cell.named("W8c").at(4);

        Score score = new CellRun(cell, policy, PredictionTerms.ALL, 5).run();

        assertThat(new CellRun(cell, policy, PredictionTerms.ALL, 5).run()).isEqualTo(score);
        assertThat(new CellRun(cell, policy, PredictionTerms.ALL, 6).run()).isNotEqualTo(score);
    }

    @ParameterizedTest
    @ValueSource(strings = {"W1", "W1-bursts", "W3", "W5", "W8a", "W10"})
    void everyCallOfAQuietHourIsGood(String name) {
        // W10's flood is no quiet hour, whatever the rate of the others.
        Cell cell = name.equals("W10")
                ? Cell.named(name).with(16)
                : Cell.named(name).at(2);
        Score score = new CellRun(cell, Policy.PREDICTED_DELAY, PredictionTerms.ALL, 5).run();

        assertThat(score.good()).isGreaterThan(0.97);
        assertThat(score.medianSeconds()).isLessThanOrEqualTo(score.p99Seconds());
    }

    @Test
    void theMessageListsTheCellsThatExist() {
        assertThatThrownBy(() -> Cell.named("W99"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("W1, W1-bursts, W2");
    }
}
