package io.penstock.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.config.PenstockConfig;
import io.penstock.config.PenstockConfig.Policy;
import io.penstock.selection.PredictionTerms;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What predicted delay has to be worth against the fewest in flight, on the same calls; and which part it owes it to. */
@Tag("bench")
class RoutingBenchTest {

    private static final long SEED = 11;

    @ParameterizedTest
    @CsvSource({
        "W1, 0.98, 0.70",
        "W1-bursts, 0.98, 0.95",
        "W2, 0.98, 0.85",
        "W3, 0.95, 0.35",
        "W5, 0.98, 0.75",
        "W8a, 0.98, 0.65",
        "W8c, 0.98, 0.15"
    })
    void itIsGoodAndSooner(String name, double good, double share) {
        Cell cell = Cell.named(name);
        Score fewest = run(cell, Policy.LEAST_IN_FLIGHT, PredictionTerms.ALL);
        Score predicted = run(cell, Policy.PREDICTED_DELAY, PredictionTerms.ALL);

        assertThat(predicted.good()).isGreaterThanOrEqualTo(good).isGreaterThanOrEqualTo(fewest.good());
        assertThat(predicted.p99Seconds()).isLessThanOrEqualTo(share * fewest.p99Seconds());
    }

    @Test
    void aQuietCallerHardlyNoticesAFlood() {
        Cell cell = Cell.named("W10");
        Score fewest = run(cell, Policy.LEAST_IN_FLIGHT, PredictionTerms.ALL);
        Score predicted = run(cell, Policy.PREDICTED_DELAY, PredictionTerms.ALL);

        assertThat(predicted.quietP99Seconds()).isLessThanOrEqualTo(0.25 * fewest.quietP99Seconds());
        assertThat(predicted.good()).isGreaterThanOrEqualTo(fewest.good());
    }

    /** The trap is in the middle: a prompt that all share glues everything to whoever had it first. */
    @ParameterizedTest
    @ValueSource(doubles = {6, 12, 18, 24, 30, 36, 42, 48, 54})
    void oneSharedPromptIsNoTrapAtAnyRate(double rate) {
        Score score = run(Cell.named("W5").at(rate), Policy.PREDICTED_DELAY, PredictionTerms.ALL);

        assertThat(score.good()).isGreaterThanOrEqualTo(0.98);
        // The bound leaves everyone four more than its share, which is much where there is little.
        assertThat(score.busiest()).isLessThanOrEqualTo(1.25 + 4 / rate);
    }

    @Test
    void noReplicaOfSixteenStaysIdleUnderOneSharedPrompt() {
        assertThat(idlestOfSixteen(PredictionTerms.ALL)).isGreaterThan(0.5);
    }

    @Test
    void withoutTheBoundAndTheRulesForIdleAndColdReplicasSomeOfSixteenStayIdle() {
        assertThat(idlestOfSixteen(new PredictionTerms(true, false, false, false, true)))
                .isZero();
    }

    @Test
    void theBoundAloneLeavesSomeOfSixteenIdle() {
        assertThat(idlestOfSixteen(new PredictionTerms(true, true, false, true, true)))
                .isZero();
    }

    /** Who is warm after the first seconds is chance, so of several seeds the worst. */
    private static double idlestOfSixteen(PredictionTerms terms) {
        Cell cell = Cell.named("W5").at(20).with(16);
        double idlest = 1;
        for (int seed = 1; seed <= 4; seed++) {
            idlest = Math.min(
                    idlest,
                    new CellRun(cell, Policy.PREDICTED_DELAY, terms, seed).run().idlest());
        }
        return idlest;
    }

    @Test
    void withoutPrefixesSharedBeginningsAreReadAgainAndAgain() {
        PredictionTerms less = new PredictionTerms(false, true, true, true, true);
        Score score = run(Cell.named("W3"), Policy.PREDICTED_DELAY, less);

        assertThat(score.good()).isLessThan(0.95);
    }

    @Test
    void withTheLearnedRateASlowReplicaIsNoTroubleNearItsLimit() {
        assertThat(run(Cell.named("W8a").at(26), Policy.PREDICTED_DELAY, PredictionTerms.ALL)
                        .good())
                .isGreaterThanOrEqualTo(0.98);
    }

    @Test
    void withoutTheLearnedRateItIs() {
        PredictionTerms less = new PredictionTerms(true, true, true, true, false);
        Score score = run(Cell.named("W8a").at(26), Policy.PREDICTED_DELAY, less);

        assertThat(score.good()).isLessThan(0.98);
    }

    /** Estimates that are off by half, no metrics, no pieces of prompts, or all of it; answers' lengths are never told. */
    @ParameterizedTest
    @CsvSource({"0.5, true, 1", "1.5, true, 1", "1, true, 0", "1, false, 1", "0.5, false, 0"})
    void whatIsMissingOrWrongDoesNotTurnTheOrderOfThePoliciesRound(double length, boolean pieces, double cache) {
        Told told = new Told(length, pieces, cache);
        for (String name : new String[] {"W1", "W2", "W3", "W5", "W8a"}) {
            Cell cell = Cell.named(name);
            Score fewest = run(cell, Policy.LEAST_IN_FLIGHT, PredictionTerms.ALL);
            Score predicted = new CellRun(cell, Policy.PREDICTED_DELAY, PredictionTerms.ALL, told, SEED).run();

            assertThat(predicted.good()).as(name).isGreaterThanOrEqualTo(fewest.good());
            assertThat(predicted.p99Seconds()).as(name).isLessThan(fewest.p99Seconds());
        }
    }

    /** What a replica says of its cache is what is remembered of it. */
    @Test
    void aCacheThatIsSaidToBeAQuarterAsLargeCostsHits() {
        Cell cell = Cell.named("W3");
        Score fewest = run(cell, Policy.LEAST_IN_FLIGHT, PredictionTerms.ALL);
        Score predicted = run(cell, Policy.PREDICTED_DELAY, PredictionTerms.ALL);
        Score quarter =
                new CellRun(cell, Policy.PREDICTED_DELAY, PredictionTerms.ALL, new Told(1, true, 0.25), SEED).run();

        // Of what predictions find beyond chance, less than two thirds is left.
        double gained = predicted.hits() - fewest.hits();
        assertThat(gained).isGreaterThan(0.1);
        assertThat(quarter.hits() - fewest.hits()).isLessThan(0.66 * gained);
        assertThat(quarter.good()).isLessThan(0.8 * predicted.good());
    }

    /** Beyond the limit there is not enough for everybody: those who are served are served well, and they are many. */
    @ParameterizedTest
    @CsvSource({
        "W1, 98.4, 28, 0.10, 0.80",
        "W1, 123, 28, 0.10, 0.62",
        "W1-bursts, 84, 28, 0.20, 0.80",
        "W2, 38.9, 40, 0.80, 0.85",
        "W8a, 32.4, 40, 0.60, 0.78"
    })
    void withATargetThoseWhoAreServedAreServedWell(String name, double rate, int millis, double without, double good) {
        Cell cell = Cell.named(name).at(rate);
        Score all = overSeeds(cell, Duration.ZERO);
        Score some = overSeeds(cell, Duration.ofMillis(millis));

        assertThat(all.refused()).isZero();
        assertThat(all.good()).isLessThan(without);
        assertThat(some.good()).isGreaterThan(good);
        assertThat(some.goodOfServed()).isGreaterThan(0.95);
    }

    /** Those who are refused for nothing: prompts of thousands of tokens make single steps slow, and no answer. */
    @ParameterizedTest
    @CsvSource({
        "W1, 28, 0.015",
        "W1-bursts, 28, 0.015",
        "W2, 40, 0.005",
        "W3, 60, 0.05",
        "W5, 28, 0.02",
        "W8a, 40, 0.005"
    })
    void withinTheLimitATargetRefusesNextToNobody(String name, int millis, double most) {
        Score score = overSeeds(Cell.named(name), Duration.ofMillis(millis));

        assertThat(score.refused()).isLessThan(most);
    }

    private static Score overSeeds(Cell cell, Duration interToken) {
        PenstockConfig.Admission usual = PenstockConfig.Admission.DEFAULT;
        PenstockConfig.Admission admission =
                new PenstockConfig.Admission(usual.maxWaiting(), usual.maxWait(), interToken);
        List<Score> runs = new ArrayList<>();
        for (int seed = 1; seed <= 2; seed++) {
            runs.add(new CellRun(cell, Policy.PREDICTED_DELAY, PredictionTerms.ALL, admission, seed).run());
        }
        return Score.mean(runs);
    }

    private static Score run(Cell cell, Policy policy, PredictionTerms terms) {
        return new CellRun(cell, policy, terms, SEED).run();
    }
}
