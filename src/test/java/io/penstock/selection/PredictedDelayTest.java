package io.penstock.selection;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.penstock.upstream.EngineGauges;
import io.penstock.upstream.Fleet;
import io.penstock.upstream.UpstreamState;
import java.util.List;
import org.junit.jupiter.api.Test;

class PredictedDelayTest {

    private static final long MS = 1_000_000;

    private final UpstreamState a = Fleet.ready("a");
    private final UpstreamState b = Fleet.ready("b");
    private final List<UpstreamState> both = List.of(a, b);
    private final PredictedDelay predictor = new PredictedDelay(PredictionTerms.ALL);
    private long now = 1_000 * MS;

    @Test
    void equalsTakeTurns() {
        assertThat(send(asking(100)).outlook().upstream()).isSameAs(a);
        assertThat(send(asking(100)).outlook().upstream()).isSameAs(b);
    }

    @Test
    void aPromptGoesWhereItsBeginningWasRead() {
        answered(send(asking(6_400, pieces(1, 100))));
        answered(send(asking(640, pieces(2, 10))));

        assertThat(choose(asking(6_400, pieces(1, 100))).outlook().upstream()).isSameAs(a);
        assertThat(choose(asking(640, pieces(2, 10))).outlook().upstream()).isSameAs(b);
    }

    @Test
    void aChoiceThatComesToNothingLeavesNoTrace() {
        choose(asking(6_400, pieces(1, 100)));
        Assignment second = choose(asking(6_400, pieces(1, 100)));

        assertThat(second.uncached()).isEqualTo(6_400);
    }

    @Test
    void anotherProcessKnowsNothing() {
        answered(send(asking(6_400, pieces(1, 100))));
        assertThat(a.epoch()).isZero();
        a.restarted();

        assertThat(choose(asking(6_400, pieces(1, 100))).uncached()).isEqualTo(6_400);
        assertThat(predictor.outlook(a, now).rate()).isEqualTo(PredictedDelay.UNKNOWN_RATE);
    }

    @Test
    void whatAnEarlierProcessAnswersTeachesNothing() {
        Assignment old = send(asking(1_000));
        a.restarted();
        answered(old);

        assertThat(predictor.outlook(a, now).speed().rate()).isZero();
    }

    @Test
    void theIndexIsAsLargeAsTheCache() {
        a.engine().learnGauges(new EngineGauges(List.of(), Double.NaN, Double.NaN, 64 * 50, 0, 0));
        answered(send(asking(6_400, pieces(1, 100))));

        assertThat(predictor.outlook(a, now).index().capacity()).isEqualTo(50);
        assertThat(choose(asking(6_400, pieces(1, 100)), List.of(a)).uncached()).isEqualTo(3_200);
    }

    @Test
    void severalFirstOutputsInOneStepCountAsOneInterval() {
        Assignment first = send(asking(1_000), List.of(a));
        Assignment second = send(asking(3_000), List.of(a));
        now += 1_000 * MS;
        first.noted(now);
        second.noted(now);

        // 0.97 × 1000 + 3000 tokens in 0.97 × 1 s.
        assertThat(predictor.outlook(a, now).speed().rate()).isCloseTo(3_970 / 0.97, within(0.01));
    }

    @Test
    void aSlowOneGetsLessAndIsTriedAgainLater() {
        for (int i = 0; i < 20; i++) {
            answer(send(asking(1_000), List.of(a)), 1_000);
            answer(send(asking(1_000), List.of(b)), 100);
        }
        assertThat(choose(asking(1_000)).outlook().upstream()).isSameAs(b);
        double slow = predictor.outlook(a, now).rate();

        now += 120_000 * MS;
        choose(asking(1_000));

        assertThat(predictor.outlook(a, now).rate()).isGreaterThan(4 * slow);
    }

    @Test
    void aHungOneGetsNothingNewWithinTwoSeconds() {
        Assignment talking = send(asking(1_000), List.of(a));
        answered(talking);
        output(talking, 10);
        output(talking, 10);
        Assignment busy = send(asking(8_000), List.of(b));
        answered(busy);

        for (int i = 0; i < 200; i++) {
            output(busy, 10); // The other one goes on.
        }

        for (int i = 0; i < 6; i++) {
            assertThat(send(asking(100)).outlook().upstream()).isSameAs(b);
        }
        assertThat(predictor.outlook(a, now).waitSeconds(0, now)).isGreaterThan(1.5);
        output(talking, 0);
        assertThat(predictor.outlook(a, now).waitSeconds(0, now)).isLessThan(0.5);
    }

    @Test
    void anAnswerThatIsNoStreamIsNotTakenForAHang() {
        RequestTraits whole = new RequestTraits(null, false, 4_000, new Prompt(1_000, new long[0]), 0, "");
        send(whole, List.of(a));
        now += 5_000 * MS;
        predictor.refresh(both, now);

        assertThat(predictor.outlook(a, now).answering()).isEqualTo(1);
        assertThat(predictor.outlook(a, now).waitSeconds(0, now)).isLessThan(0.1);
    }

    @Test
    void aFirstOutputShowsThatSilentOnesBeforeItWereReadToo() {
        RequestTraits whole = new RequestTraits(null, false, 4_000, new Prompt(1_000, new long[0]), 0, "");
        Assignment silent = send(whole, List.of(a));
        Assignment stream = send(asking(1_000), List.of(a));
        now += 100 * MS;
        stream.noted(now);

        assertThat(predictor.outlook(a, now).speed().rate()).isCloseTo(20_000, within(1.0));
        silent.noted(now);
        silent.ended(now);
        stream.ended(now);
        assertThat(predictor.outlook(a, now).idle()).isTrue();
    }

    @Test
    void thePiecesOfAnAnswerThatIsNoStreamAreNoTokens() {
        for (int longest : new int[] {0, 1}) {
            Assignment whole = send(asking(false, longest), List.of(a));
            output(whole, 100);
            output(whole, 0);
            output(whole, 1);
            whole.ended(now);
        }

        assertThat(predictor.outlook(a, now).speed().gap()).isZero();
    }

    @Test
    void anAnswerOfOneTokenTeachesHowFastPromptsAreReadAsAStreamDoes() {
        Assignment whole = send(asking(false, 1), List.of(a));
        output(whole, 100);
        whole.ended(now);

        assertThat(predictor.outlook(a, now).speed().rate()).isCloseTo(10_000, within(1.0));
        assertThat(predictor.outlook(a, now).idle()).isTrue();
    }

    @Test
    void nobodyHoldsFarMoreThanTheOthers() {
        answered(send(asking(64_000, pieces(1, 1_000)), List.of(a)));
        int toA = 0;
        for (int i = 0; i < 40; i++) {
            Assignment one = send(asking(64_000, pieces(1, 1_000)));
            answer(one, 1);
            toA += one.outlook().upstream() == a ? 1 : 0;
        }

        assertThat(toA).isLessThan(32);
        assertThat(predictor.outlook(b, now).held()).isGreaterThan(8);
    }

    @Test
    void weightsSayHowMuchEachMayHold() {
        UpstreamState light = Fleet.ready("light", 1, 0);
        UpstreamState heavy = Fleet.ready("heavy", 3, 0);
        List<UpstreamState> unequal = List.of(light, heavy);
        int toLight = 0;
        for (int i = 0; i < 80; i++) {
            Assignment one = send(asking(64_000, pieces(1, 1_000)), unequal);
            answer(one, 1);
            toLight += one.outlook().upstream() == light ? 1 : 0;
        }

        assertThat(toLight).isBetween(15, 27); // A quarter of 80, give or take what the bound leaves.
    }

    @Test
    void oneOfVeryLittleWeightWaitsUntilThereIsSomethingToShare() {
        UpstreamState light = Fleet.ready("light", 1, 0);
        UpstreamState heavy = Fleet.ready("heavy", 100, 0);
        List<UpstreamState> unequal = List.of(light, heavy);
        int toLight = 0;
        for (int i = 0; i < 200; i++) {
            Assignment one = send(asking(100), unequal);
            answer(one, 1);
            assertThat(i < 70 && one.outlook().upstream() == light).isFalse();
            toLight += one.outlook().upstream() == light ? 1 : 0;
        }

        assertThat(toLight).isBetween(1, 3);
        assertThat(send(asking(100), List.of(light)).outlook().upstream()).isSameAs(light);
    }

    @Test
    void withoutATextTheBodySaysHowLongThePromptIs() {
        assertThat(choose(new RequestTraits("m", true, 4_000)).uncached()).isEqualTo(1_000);
        assertThat(choose(new RequestTraits("m", true, 50_000_000)).uncached()).isEqualTo(16_384);
        assertThat(choose(new RequestTraits("m", true, 0)).uncached()).isEqualTo(1);
    }

    @Test
    void anAnswerIsThoughtToBeAsLongAsOthersWereAndNoLongerThanItMayBe() {
        Assignment one = send(asking(100));
        answered(one);
        for (int i = 0; i < 9; i++) {
            output(one, 10);
        }
        predictor.finished(one);
        one.ended(now);

        assertThat(choose(asking(100)).output()).isCloseTo(10, within(0.001));
        assertThat(choose(new RequestTraits(null, true, 400, new Prompt(100, new long[0]), 3, ""))
                        .output())
                .isEqualTo(3);
    }

    private void answered(Assignment one) {
        answer(one, 10);
    }

    private void answer(Assignment one, long afterMillis) {
        output(one, afterMillis);
    }

    private void output(Assignment one, long afterMillis) {
        now += afterMillis * MS;
        if (one.output(now)) {
            one.noted(now);
        }
    }

    private Assignment send(RequestTraits traits) {
        return send(traits, both);
    }

    private Assignment send(RequestTraits traits, List<UpstreamState> among) {
        Assignment chosen = choose(traits, among);
        chosen.sent(now);
        return chosen;
    }

    private Assignment choose(RequestTraits traits) {
        return choose(traits, both);
    }

    private Assignment choose(RequestTraits traits, List<UpstreamState> among) {
        predictor.refresh(both, now);
        return predictor.choose(traits, among, now);
    }

    private static RequestTraits asking(boolean stream, int longestAnswer) {
        return new RequestTraits(null, stream, 4_000, new Prompt(1_000, new long[0]), longestAnswer, "");
    }

    private static RequestTraits asking(int tokens, long... pieces) {
        return new RequestTraits(null, true, 4 * tokens, new Prompt(tokens, pieces), 0, "");
    }

    private static long[] pieces(long group, int number) {
        long[] pieces = new long[number];
        for (int i = 0; i < number; i++) {
            pieces[i] = group * 1_000_000 + i;
        }
        return pieces;
    }
}
