package io.penstock.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class StepEngineTest {

    private static final long MILLI = 1_000_000;
    private static final long[] UNIQUE = {};

    private final VirtualTime time = new VirtualTime();
    private final List<String> trace = new ArrayList<>();
    private VirtualReplica replica = new VirtualReplica(EngineProfile.H100_8B, time);

    @Test
    void stepsLastAsTheFormulaSays() {
        submit("a", pieces(1, 25), 1_600, 3);
        time.runAll();

        // 1600 tokens at 16,000 a second, then two decode steps with 1601 and 1602 tokens of context.
        assertThat(trace).containsExactly("a0@100000000", "a1@107184040", "a2@114368120");
    }

    @Test
    void prefillIsCutIntoStepsAndSharesThemWithDecode() {
        submit("a", UNIQUE, 100, 5);
        time.runUntil(8 * MILLI);
        submit("b", UNIQUE, 4_000, 1);
        time.runAll();

        // a decodes alone till 14.3 ms; then b gets 2047 tokens of a step and 1953 of the next.
        assertThat(trace)
                .containsExactly(
                        "a0@7124000", "a1@14248040", "a2@142185540", "a3@264248040", "b0@264248040", "a4@271372200");
    }

    @Test
    void requestsThatArriveTogetherShareTheirFirstStep() {
        submit("a", UNIQUE, 800, 1);
        submit("b", UNIQUE, 800, 1);
        time.runAll();

        assertThat(trace).containsExactly("a0@100000000", "b0@100000000");
    }

    @Test
    void sharedPrefixesAreHitsToTheTokenAndTheLastTokenIsAlwaysComputed() {
        submit("a", pieces(1, 25), 1_600, 1);
        time.runAll();
        VirtualReplica.Call same = submit("b", pieces(1, 25), 1_600, 1);
        time.runAll();
        VirtualReplica.Call begins = submit("c", forked(1, 10, 2, 10), 1_280, 1);
        time.runAll();

        assertThat(same.cachedTokens()).isEqualTo(1_584);
        assertThat(begins.cachedTokens()).isEqualTo(640);
        assertThat(replica.reading())
                .isEqualTo(new EngineReading(0, 0, 0, 1_600 + 1_600 + 1_280, 2_224, 4_480, 2_224, 3, 0));
        assertThat(trace.get(1)).isEqualTo("b0@" + (100 * MILLI + 7_184_000));
    }

    @Test
    void aPrefixIsFoundOneStepAfterItsTurnEvenIfItsRequestStillRuns() {
        submit("a", pieces(1, 25), 1_600, 50);
        time.runUntil(101 * MILLI);
        VirtualReplica.Call same = submit("b", pieces(1, 25), 1_600, 1);
        time.runUntil(120 * MILLI);

        assertThat(same.cachedTokens()).isEqualTo(1_584);
        // 100 + 3 blocks of a, 1 block of b.
        assertThat(replica.reading().cacheUsage()).isLessThan(104 / 28_000.0);
    }

    @Test
    void endsOfPromptsAreForgottenBeforeTheirBeginnings() {
        replica = withBlocks(40);
        submit("a", pieces(1, 5), 320, 1);
        time.runAll();
        submit("b", pieces(2, 7), 448, 1);
        time.runAll();
        VirtualReplica.Call again = submit("a", pieces(1, 5), 320, 1);
        time.runAll();

        // b took the 20 blocks that were never used and then 8 of a's 20.
        assertThat(again.cachedTokens()).isEqualTo(12 * 16);
    }

    @Test
    void requestsWaitInOrderWhenTheCacheIsFull() {
        replica = withBlocks(40);
        submit("a", UNIQUE, 480, 3);
        submit("b", UNIQUE, 320, 1);
        submit("c", UNIQUE, 16, 1);
        time.runUntil(31 * MILLI);

        assertThat(replica.reading().running()).isOne();
        assertThat(replica.reading().waiting()).isEqualTo(2);
        assertThat(replica.reading().cacheUsage()).isEqualTo(30 / 40.0);
        time.runAll();
        assertThat(trace).extracting(line -> line.substring(0, 2)).containsExactly("a0", "a1", "a2", "b0", "c0");
    }

    @Test
    void theLatestStartsAgainWhenDecodeFindsNoBlock() {
        replica = withBlocks(41);
        submit("a", UNIQUE, 320, 20);
        submit("b", UNIQUE, 320, 20);
        time.runUntil(60 * MILLI);
        assertThat(replica.reading().running()).isOne();
        assertThat(replica.reading().waiting()).isOne();
        assertThat(replica.reading().preemptions()).isOne();
        time.runAll();

        assertThat(trace).hasSize(40);
        assertThat(trace.stream().filter(line -> line.startsWith("b")))
                .extracting(line -> line.substring(1, line.indexOf('@')))
                .containsExactlyElementsOf(numbers(20));
        // All 320 tokens and the one that was made are computed again once a is done.
        assertThat(when("b1") - when("a19")).isEqualTo(20_062_500);
        assertThat(replica.reading()).isEqualTo(new EngineReading(0, 0, 0, 640, 0, 640, 0, 40, 1));
    }

    @Test
    void whoHasToStartAgainDoesSoBeforeThoseThatWait() {
        replica = withBlocks(41);
        submit("a", UNIQUE, 320, 20);
        submit("b", UNIQUE, 320, 20);
        submit("c", UNIQUE, 336, 1);
        time.runAll();

        assertThat(replica.reading().preemptions()).isOne();
        assertThat(when("b1")).isLessThan(when("c0"));
    }

    @Test
    void whoLeavesFreesItsBlocksAtTheEndOfTheStep() {
        replica = withBlocks(40);
        VirtualReplica.Call first = submit("a", UNIQUE, 480, 100);
        submit("b", UNIQUE, 320, 1);
        VirtualReplica.Call third = submit("c", UNIQUE, 320, 1);
        time.runUntil(60 * MILLI);
        int before = trace.size();
        first.leave();
        first.leave();
        third.leave();
        assertThat(replica.reading().cacheUsage()).isEqualTo(31 / 40.0);
        time.runUntil(67 * MILLI);

        assertThat(replica.reading().cacheUsage()).isZero();
        assertThat(replica.reading().waiting()).isOne();
        time.runAll();
        assertThat(trace.subList(before, trace.size()))
                .singleElement()
                .asString()
                .startsWith("b0@");
    }

    @Test
    void oneThatSpeaksCanMakeAnotherOneOfItsStepLeave() {
        List<VirtualReplica.Call> calls = new ArrayList<>();
        replica.submit(UNIQUE, 16, 1, index -> calls.get(0).leave());
        calls.add(submit("b", UNIQUE, 16, 5));
        time.runAll();

        assertThat(trace).isEmpty();
        assertThat(replica.reading().cacheUsage()).isZero();
        assertThat(replica.reading().running()).isZero();
    }

    @Test
    void oneThatLeavesBeforeItsFirstStepLeavesNothingBehind() {
        submit("a", UNIQUE, 16, 5).leave();
        time.runAll();

        assertThat(trace).isEmpty();
        assertThat(replica.reading()).isEqualTo(EngineReading.NOTHING);
    }

    @Test
    void gaugesMoveAtTheEndOfAStepOnly() {
        submit("a", UNIQUE, 1_600, 2);
        time.runUntil(99 * MILLI);
        assertThat(replica.reading()).isEqualTo(EngineReading.NOTHING);
        time.runUntil(100 * MILLI);
        assertThat(replica.reading()).isEqualTo(new EngineReading(1, 0, 100 / 28_000.0, 1_600, 0, 1_600, 0, 1, 0));
    }

    @Test
    void aFrozenOneIsSilentAndGoesOnAtItsUsualPace() {
        submit("a", UNIQUE, 1_600, 3);
        time.runUntil(50 * MILLI);
        replica.freeze();
        submit("b", UNIQUE, 16, 1);
        time.runUntil(10_000 * MILLI);
        assertThat(trace).isEmpty();
        assertThat(replica.reading().running()).isZero();

        replica.thaw();
        time.runAll();
        assertThat(trace.get(0)).isEqualTo("a0@10000000000");
        assertThat(when("a1")).isEqualTo(when("b0")).isBetween(10_007 * MILLI, 10_008 * MILLI);
        assertThat(when("a2")).isBetween(10_014 * MILLI, 10_016 * MILLI);
    }

    @Test
    void aFreezeBetweenStepsHoldsTheNextOne() {
        replica.freeze();
        submit("a", UNIQUE, 1_600, 1);
        time.runUntil(1_000 * MILLI);
        replica.thaw();
        replica.thaw();
        time.runAll();

        assertThat(trace).containsExactly("a0@1100000000");
    }

    @Test
    void aSlowReplicaTakesAMultipleOfTheTime() {
        replica.slow(3);
        submit("a", UNIQUE, 1_600, 2);
        time.runAll();

        assertThat(trace).containsExactly("a0@300000000", "a1@321552120");
    }

    @Test
    void aSlowRequestSitsOutSteps() {
        StepEngine engine = new StepEngine(EngineProfile.H100_8B, time, time, 1);
        engine.admit(Prompt.ofText("x"), 30, 1, index -> trace.add("a" + index));
        engine.admit(Prompt.ofText("y"), 10, 3, index -> trace.add("b" + index));
        time.runAll();

        assertThat(trace.indexOf("b9")).isGreaterThan(trace.indexOf("a26"));
        assertThat(trace).hasSize(40);
    }

    @Test
    void whoIsHeldKeepsItsPlaceAndMakesNothing() {
        StepEngine engine = new StepEngine(EngineProfile.H100_8B, time, time, 1);
        Engine.Slot held = engine.admit(Prompt.ofText("x"), 30, 1, index -> trace.add("a" + index));
        time.runUntil(8 * MILLI);
        held.hold();
        time.runAll();
        assertThat(trace).containsExactly("a0");
        assertThat(engine.reading().running()).isOne();

        held.leave();
        time.runAll();
        assertThat(engine.reading().running()).isZero();
        assertThat(engine.reading().cacheUsage()).isZero();
    }

    @Test
    void refusesWhatNeverFits() {
        replica = withBlocks(40);
        assertThatThrownBy(() -> submit("a", UNIQUE, 640, 1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> submit("a", UNIQUE, 1, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> submit("a", UNIQUE, 0, 1)).isInstanceOf(IllegalArgumentException.class);
        submit("a", UNIQUE, 639, 1);
        time.runAll();
        assertThat(trace).hasSize(1);
    }

    @Test
    void theSameSeedGivesTheSameTraceAndTheBooksEndAtZero() {
        List<String> first = crowd(42);
        assertThat(crowd(42)).isEqualTo(first);
        assertThat(crowd(43)).isNotEqualTo(first);
    }

    @Test
    void aMinuteOfFourBusyReplicasTakesSeconds() {
        Random random = new Random(7);
        List<VirtualReplica> replicas = new ArrayList<>();
        int[] tokens = new int[1];
        for (int i = 0; i < 4; i++) {
            replicas.add(new VirtualReplica(EngineProfile.H100_8B, time));
        }
        long at = 0;
        for (int i = 0; i < 82 * 60; i++) {
            at += (long) (-Math.log(1 - random.nextDouble()) / 82 * 1e9);
            VirtualReplica to = replicas.get(i % 4);
            int group = random.nextInt(150);
            int prompt = 200 + random.nextInt(600);
            int output = 50 + random.nextInt(350);
            time.at(at, () -> to.submit(pieces(group, prompt / 64), prompt, output, index -> tokens[0]++));
        }
        long start = System.nanoTime();
        time.runAll();

        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(20));
        assertThat(tokens[0]).isGreaterThan(82 * 60 * 200);
        assertThat(replicas).allMatch(each -> each.reading().cacheUsage() == 0);
    }

    /** Requests of every kind on a replica with too little cache; some leave, and it hangs once. */
    private static List<String> crowd(int seed) {
        Random random = new Random(seed);
        VirtualTime clock = new VirtualTime();
        VirtualReplica small = new VirtualReplica(EngineProfile.H100_8B.withCacheBlocks(300), clock);
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < 400; i++) {
            String name = i + ":";
            int tokens = 20 + random.nextInt(1_200);
            long[] prompt = pieces(random.nextInt(8), tokens / 64);
            int output = 1 + random.nextInt(200);
            long leaves = random.nextInt(4) == 0 ? random.nextInt(1_000) * MILLI : -1;
            clock.at(random.nextInt(20_000) * MILLI, () -> {
                var call = small.submit(
                        prompt, tokens, output, index -> lines.add(name + index + "@" + clock.getAsLong()));
                if (leaves >= 0) {
                    clock.after(Duration.ofNanos(leaves), call::leave);
                }
                assertThat(small.reading().cacheUsage()).isBetween(0.0, 1.0);
            });
        }
        clock.at(5_000 * MILLI, small::freeze);
        clock.at(8_000 * MILLI, small::thaw);
        clock.runAll();
        EngineReading end = small.reading();
        assertThat(end.running() + end.waiting()).isZero();
        assertThat(end.cacheUsage()).isZero();
        assertThat(end.preemptions()).isPositive();
        assertThat(end.prefixHits()).isPositive();
        assertThat(end.generatedTokens()).isGreaterThanOrEqualTo(lines.size());
        return lines;
    }

    private VirtualReplica withBlocks(int blocks) {
        return new VirtualReplica(EngineProfile.H100_8B.withCacheBlocks(blocks), time);
    }

    private VirtualReplica.Call submit(String name, long[] pieces, int tokens, int output) {
        return replica.submit(pieces, tokens, output, index -> trace.add(name + index + "@" + time.getAsLong()));
    }

    private long when(String token) {
        return trace.stream()
                .filter(line -> line.startsWith(token + "@"))
                .mapToLong(line -> Long.parseLong(line.substring(token.length() + 1)))
                .findFirst()
                .orElseThrow();
    }

    private static List<String> numbers(int count) {
        List<String> numbers = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            numbers.add(String.valueOf(i));
        }
        return numbers;
    }

    static long[] pieces(int group, int count) {
        return forked(group, count, 0, 0);
    }

    private static long[] forked(int group, int shared, int other, int own) {
        long[] pieces = new long[shared + own];
        for (int i = 0; i < pieces.length; i++) {
            pieces[i] = (i < shared ? group : other) * 1_000_003L + i;
        }
        return pieces;
    }
}
