package io.penstock.selection;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.penstock.upstream.Choice;
import io.penstock.upstream.Choice.Option;
import io.penstock.upstream.Choice.Reason;
import io.penstock.upstream.Choice.Terms;
import io.penstock.upstream.Fleet;
import io.penstock.upstream.UpstreamState;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** What is put down of a choice: the reason must be the rule that decided, and the numbers those that it was decided by. */
class ChoiceTest {

    private static final long MS = 1_000_000;

    private final UpstreamState a = Fleet.ready("a");
    private final UpstreamState b = Fleet.ready("b");
    private final List<UpstreamState> both = List.of(a, b);
    private final PredictedDelay predictor = new PredictedDelay(PredictionTerms.ALL);
    private long now = 1_000 * MS;

    @Test
    void theCheapestIsChosenForItsPredictedDelay() {
        answered(send(asking(6_400, 1, 100), List.of(a)), a);

        Choice choice = choose(asking(6_400, 1, 100), both).choice();

        assertThat(choice.reason()).isEqualTo(Reason.LEAST_PREDICTED_DELAY);
        assertThat(choice.options()).extracting(Option::replica).containsExactly("a", "b");
        assertThat(terms(choice, "a").matchedPieces()).isEqualTo(100);
        assertThat(terms(choice, "a").uncachedTokens()).isEqualTo(1);
        assertThat(terms(choice, "b").matchedPieces()).isZero();
        assertThat(terms(choice, "b").uncachedTokens()).isEqualTo(6_400);
        assertThat(terms(choice, "a").cost()).isLessThan(terms(choice, "b").cost());
        assertThat(choice.promptTokens()).isEqualTo(6_400);
        assertThat(choice.laneNanos()).isZero();
        assertThat(choice.madeNanos()).isEqualTo(now);
    }

    @Test
    void theTermsAddUpToTheCost() {
        send(asking(3_000, 1, 40), both);
        Assignment talks = send(asking(2_000, 2, 30), both);
        now += 50 * MS;
        talks.noted(now);
        send(asking(2_000, 3, 30), both);
        now += 700 * MS;

        Choice choice = choose(asking(5_000, 1, 70), both).choice();

        assertThat(choice.options()).hasSize(2).allSatisfy(option -> {
            Terms terms = Objects.requireNonNull(option.terms());
            double sum = terms.queue()
                    + terms.read()
                    + terms.step()
                    + terms.silence()
                    + terms.answer()
                    + terms.disturbance();
            assertThat(sum).isCloseTo(terms.cost(), within(1e-6));
        });
        assertThat(choice.options())
                .anySatisfy(option -> assertThat(
                                Objects.requireNonNull(option.terms()).disturbance())
                        .isPositive());
        assertThat(choice.options())
                .anySatisfy(option -> assertThat(
                                Objects.requireNonNull(option.terms()).silence())
                        .isPositive());
    }

    @Test
    void thePredictionIsTheWaitAndNotTheCost() {
        Assignment assignment = choose(asking(8_000, 1, 0), List.of(a));

        assertThat(assignment.choice().predictedNanos() / 1e9).isCloseTo(assignment.waitSeconds(), within(1e-6));
        assertThat(assignment.choice().predictedNanos() / 1e6)
                .isLessThan(terms(assignment.choice(), "a").cost());
    }

    @Test
    void theFewestInFlightDecidesAmongThoseThatAreAboutAsFast() {
        Assignment one = send(asking(100, 1, 0), List.of(a));
        now += 10 * MS;
        one.noted(now);

        Choice choice = choose(asking(10_000, 2, 0), both).choice();

        // It makes tokens for somebody, which costs next to nothing.
        assertThat(choice.reason()).isIn(Reason.FEWEST_OF_EQUALS, Reason.LEAST_PREDICTED_DELAY);
        assertThat(Objects.requireNonNull(choice.option("a")).held()).isEqualTo(1);
        assertThat(Objects.requireNonNull(choice.option("b")).held()).isZero();
    }

    @Test
    void whoeverIsAloneIsTheOnlyOne() {
        assertThat(choose(asking(100, 1, 0), List.of(b)).choice().reason()).isEqualTo(Reason.ONLY_ONE_USABLE);
    }

    @Test
    void whoHoldsFarMoreThanTheOthersIsToldOfWithoutAPrediction() {
        for (int i = 0; i < 40; i++) {
            answered(send(asking(1_000, 1, 10), List.of(a)), a);
        }

        Choice choice = choose(asking(1_000, 1, 10), both).choice();

        assertThat(Objects.requireNonNull(choice.option("a")).held()).isEqualTo(40);
        assertThat(Objects.requireNonNull(choice.option("a")).terms()).isNull();
        assertThat(Objects.requireNonNull(choice.option("b")).terms()).isNotNull();
        assertThat(choice.others()).isZero();
    }

    @Test
    void theColdIsFilledAndSaysSo() {
        List<UpstreamState> fleet = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
            fleet.add(Fleet.ready("r" + i));
        }
        List<Reason> reasons = new ArrayList<>();
        for (int i = 0; i < 400; i++) {
            predictor.refresh(fleet, now);
            Assignment chosen = predictor.choose(asking(6_400, 1, 99), fleet, now);
            reasons.add(chosen.choice().reason());
            chosen.sent(now);
            now += 20 * MS;
            chosen.noted(now);
        }
        assertThat(reasons).contains(Reason.FILLED_THE_COLD);
    }

    @Test
    void ofALargeFleetOnlyTheBestAreToldOfAndTheRestIsCounted() {
        List<UpstreamState> fleet = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            fleet.add(Fleet.ready("r" + i));
        }
        UpstreamState warm = fleet.get(77);
        answered(send(asking(6_400, 1, 100), List.of(warm)), warm);
        predictor.refresh(fleet, now);

        Choice choice = predictor.choose(asking(6_400, 1, 100), fleet, now).choice();

        assertThat(choice.options()).hasSize(Choice.MOST_OPTIONS);
        assertThat(choice.option("r77")).isNotNull();
        assertThat(choice.others()).isEqualTo(100 - Choice.MOST_OPTIONS);
    }

    @Test
    void aMoveTellsWhatItLeftAndWhereItWent() {
        Assignment waiting = choose(asking(6_400, 1, 100), List.of(a));
        waiting.lined();
        now += 30 * MS;

        Choice choice = predictor.move(waiting, predictor.outlook(b, now), now).choice();

        assertThat(choice.reason()).isEqualTo(Reason.MOVED);
        assertThat(choice.options()).extracting(Option::replica).containsExactly("a", "b");
        assertThat(choice.madeNanos()).isEqualTo(now);
        assertThat(choice.afterLane(30 * MS).laneNanos()).isEqualTo(30 * MS);
    }

    @Test
    void theShortlistKeepsTheLowestAndTheChosen() {
        double[] scores = new double[40];
        for (int i = 0; i < scores.length; i++) {
            scores[i] = (i * 17) % 40;
        }
        int[] kept = Shortlist.of(40, i -> scores[i], 7);

        assertThat(scores[7]).isEqualTo(39);
        assertThat(kept).hasSize(Choice.MOST_OPTIONS).isSorted().contains(7);
        for (int i : kept) {
            assertThat(i == 7 || scores[i] < Choice.MOST_OPTIONS - 1)
                    .as("%s", i)
                    .isTrue();
        }
    }

    @Test
    void byLoadAloneTheOptionsAreWhatEachHeldBefore() {
        Fleet.lease(a);
        Fleet.lease(b);

        Choice choice = LoadChoice.of(Reason.LEAST_IN_FLIGHT, both, b, 5);

        assertThat(choice.options()).containsExactly(new Option("a", 1, null), new Option("b", 0, null));
        assertThat(choice.predictedNanos()).isEqualTo(-1);
        assertThat(choice.laneNanos()).isEqualTo(-1);
        assertThat(LoadChoice.of(Reason.IN_TURN, List.of(b), b, 5).reason()).isEqualTo(Reason.ONLY_ONE_USABLE);
        assertThat(LoadChoice.of(Reason.PANIC, List.of(b), b, 5).reason()).isEqualTo(Reason.PANIC);
    }

    @Test
    void whatWasLearnedIsToldAsItIs() {
        answered(send(asking(640, 1, 10), List.of(a)), a);

        LearnedSpeed learned = predictor.outlook(a, now).learned();
        assertThat(learned.tokensPerSecond()).isCloseTo(64_000, within(1.0));
        assertThat(learned.gapSeconds()).isZero();
        assertThat(learned.indexedPieces()).isEqualTo(10);
        assertThat(learned.indexCapacity()).isEqualTo(ReplicaOutlook.UNKNOWN_CAPACITY);
        assertThat(predictor.outlook(b, now).learned().tokensPerSecond()).isZero();
    }

    private static Terms terms(Choice choice, String replica) {
        return Objects.requireNonNull(
                Objects.requireNonNull(choice.option(replica)).terms());
    }

    private Assignment send(RequestTraits traits, List<UpstreamState> among) {
        Assignment chosen = choose(traits, among);
        chosen.sent(now);
        return chosen;
    }

    private void answered(Assignment one, UpstreamState at) {
        assertThat(one.outlook().upstream()).isSameAs(at);
        now += 10 * MS;
        one.noted(now);
    }

    private Assignment choose(RequestTraits traits, List<UpstreamState> among) {
        predictor.refresh(both, now);
        predictor.refresh(among, now);
        return predictor.choose(traits, among, now);
    }

    private static RequestTraits asking(int tokens, long group, int number) {
        long[] pieces = new long[number];
        for (int i = 0; i < number; i++) {
            pieces[i] = group * 1_000_000 + i;
        }
        return new RequestTraits(null, true, 4 * tokens, new Prompt(tokens, pieces), 0, "");
    }
}
