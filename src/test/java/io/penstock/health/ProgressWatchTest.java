package io.penstock.health;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.config.Endpoint;
import io.penstock.config.PenstockConfig;
import io.penstock.config.Replica;
import io.penstock.health.ProgressWatch.Turn;
import io.penstock.upstream.EngineGauges;
import io.penstock.upstream.EngineGauges.Engine;
import io.penstock.upstream.Lease;
import io.penstock.upstream.Outcome;
import io.penstock.upstream.Standing;
import io.penstock.upstream.Upstream;
import io.penstock.upstream.UpstreamState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** On a clock that only the test moves, in seconds. */
class ProgressWatchTest {

    private static final long SECOND = Duration.ofSeconds(1).toNanos();
    private static final PenstockConfig.Progress TEN = PenstockConfig.Progress.DEFAULT;
    private static final int SHORT = 100;

    private final UpstreamState state = new UpstreamState(new Upstream(
            "a",
            "a",
            new Replica("a", new Endpoint("127.0.0.1", 1), false, false, 1, 0, Set.of(), null),
            List.of("127.0.0.1")));
    // Negative times and their overflow are as good as others.
    private long now = Long.MAX_VALUE - 30 * SECOND;
    private final ProgressWatch watch = new ProgressWatch(state, now);
    private PenstockConfig.Progress settings = TEN;
    private boolean spare = true;
    private double generated = 1;
    private double running;
    private double finished = 1;
    private double learned = Double.NaN;

    @Test
    void silenceWithWorkIsSuspiciousAndThenAStall() {
        warm();
        lease(SHORT);
        lease(SHORT);
        assertThat(silentFor(9)).isEmpty();
        assertThat(second())
                .isEqualTo(new Turn(
                        Standing.READY, Standing.SUSPECT, "no token for 10 s with 2 in flight, metrics frozen"));
        assertThat(silentFor(9)).isEmpty();
        assertThat(second())
                .isEqualTo(new Turn(
                        Standing.SUSPECT, Standing.STALLED, "no token for 20 s with 2 in flight, metrics frozen"));
        assertThat(silentFor(600)).isEmpty();
    }

    @Test
    void anIdleReplicaIsNeverJudged() {
        warm();
        assertThat(silentFor(3_600)).isEmpty();
        lease(SHORT);
        // The silence before it had work is no silence.
        assertThat(silentFor(9)).isEmpty();
        assertThat(second()).isNotNull();
    }

    @Test
    void clientsThatLoseTheirPatienceDoNotHideThatItHangs() {
        warm();
        for (int i = 0; i < 3; i++) {
            Lease impatient = lease(SHORT);
            assertThat(silentFor(3)).isEmpty();
            lease(SHORT);
            impatient.end(Outcome.IGNORED);
        }
        assertThat(second())
                .isEqualTo(new Turn(
                        Standing.READY, Standing.SUSPECT, "no token for 10 s with 3 in flight, metrics frozen"));
    }

    @Test
    void norDoThoseWhoComeOneAfterTheOther() {
        warm();
        for (int i = 0; i < 2; i++) {
            Lease impatient = lease(SHORT);
            assertThat(silentFor(4)).isEmpty();
            impatient.end(Outcome.IGNORED);
            // Without work nobody can say that it is silent.
            assertThat(silentFor(7)).isEmpty();
        }
        lease(SHORT);
        assertThat(second()).isNull();
        assertThat(second())
                .isEqualTo(new Turn(
                        Standing.READY, Standing.SUSPECT, "no token for 10 s with 1 in flight, metrics frozen"));
    }

    @Test
    void aSilenceThatWasLeftLongAgoIsForgiven() {
        warm();
        Lease impatient = lease(SHORT);
        assertThat(silentFor(8)).isEmpty();
        impatient.end(Outcome.IGNORED);
        assertThat(silentFor(70)).isEmpty();
        lease(SHORT);
        assertThat(silentFor(9)).isEmpty();
        assertThat(second()).isNotNull();
    }

    @Test
    void aSilenceThatNobodyWaitedForAnyMoreEndsWithTheNextSign() {
        warm();
        Lease impatient = lease(SHORT);
        assertThat(silentFor(8)).isEmpty();
        impatient.end(Outcome.IGNORED);
        generated++;
        assertThat(silentFor(7)).isEmpty();
        lease(SHORT);
        assertThat(silentFor(9)).isEmpty();
        assertThat(second()).isNotNull();
    }

    @Test
    void whileItsProbesFailNoTimePassesForItsEngine() {
        warm();
        lease(SHORT);
        assertThat(silentFor(9)).isEmpty();
        now += 60 * SECOND;
        watch.unwatched(now);
        assertThat(silentFor(9)).isEmpty();
        assertThat(second()).extracting(Turn::to).isEqualTo(Standing.SUSPECT);
        assertThat(silentFor(9)).isEmpty();
        now += 60 * SECOND;
        watch.unwatched(now);
        assertThat(silentFor(9)).isEmpty();
        assertThat(second()).extracting(Turn::to).isEqualTo(Standing.STALLED);
        watch.unwatched(now);
        assertThat(watch.standing()).isEqualTo(Standing.STALLED);
    }

    @Test
    void aRequestThatGivesTheEngineNothingToDoIsNoWork() {
        warm();
        lease(0);
        assertThat(silentFor(600)).isEmpty();
    }

    @Test
    void bytesOfOneAnswerSpeakForAllRequests() {
        warm();
        lease(SHORT);
        for (int i = 0; i < 10; i++) {
            assertThat(silentFor(9)).isEmpty();
            state.progressed(now);
        }
        assertThat(silentFor(9)).isEmpty();
        assertThat(second()).isNotNull();
    }

    @Test
    void anyNumberThatMovesIsProgress() {
        warm();
        lease(SHORT);
        assertThat(silentFor(9)).isEmpty();
        running++;
        assertThat(silentFor(10)).isEmpty();
        generated++;
        assertThat(silentFor(10)).isEmpty();
        assertThat(second()).isNotNull();
    }

    @Test
    void requestsThatComeDuringTheSilenceDoNotProlongIt() {
        warm();
        lease(SHORT);
        for (int i = 0; i < 9; i++) {
            assertThat(second()).isNull();
            lease(1_000_000);
        }
        assertThat(second()).isNotNull();
    }

    @Test
    void aLongPromptAloneIsNotSuspicious() {
        warm();
        // 100 000 tokens: 200 s at 500 a second, four times that.
        lease(400_000);
        assertThat(silentFor(799)).isEmpty();
        assertThat(second()).isNotNull();
    }

    @Test
    void aPromptWhoseOutputHasBegunExplainsNothing() {
        warm();
        lease(400_000).output(now);
        assertThat(silentFor(9)).isEmpty();
        assertThat(second()).isNotNull();
    }

    @Test
    void theSpeedThatTheReplicaMeasuredReplacesTheGuess() {
        learned = 16_000;
        warm();
        lease(400_000);
        assertThat(silentFor(24)).isEmpty();
        assertThat(second()).isNotNull();
    }

    @Test
    void aSpeedOfNothingDoesNotExplainEverything() {
        learned = 0.0001;
        warm();
        lease(SHORT);
        assertThat(silentFor(9)).isEmpty();
        assertThat(second()).isNotNull();
    }

    @Test
    void theFirstRequestAfterAStartMayTakeAMinute() {
        finished = 0;
        generated = 0;
        lease(SHORT);
        assertThat(silentFor(59)).isEmpty();
        assertThat(second()).isNotNull();
    }

    @Test
    void whatWasAnsweredBeforeWeCameMakesItWarm() {
        lease(SHORT);
        assertThat(silentFor(9)).isEmpty();
        assertThat(second()).isNotNull();
    }

    @Test
    void aReplicaThatAnswersWithoutTokensMayTakeAMinute() {
        warm();
        generated = 0;
        second();
        lease(SHORT);
        assertThat(silentFor(59)).isEmpty();
        assertThat(second()).isNotNull();
    }

    @Test
    void aSuspectIsCuredByOutputByNumbersAndByAToken() {
        warm();
        lease(SHORT);
        suspected();
        state.progressed(now);
        assertThat(second()).isEqualTo(new Turn(Standing.SUSPECT, Standing.READY, "makes progress again"));

        suspected();
        running++;
        assertThat(second()).isEqualTo(new Turn(Standing.SUSPECT, Standing.READY, "makes progress again"));

        suspected();
        watch.madeToken(now);
        assertThat(second()).isEqualTo(new Turn(Standing.SUSPECT, Standing.READY, "makes progress again"));
    }

    @Test
    void aStalledOneIsCuredByWorkAndNotByAnythingThatMoves() {
        warm();
        lease(SHORT);
        stalled();
        running++;
        assertThat(silentFor(5)).isEmpty();
        generated++;
        assertThat(second()).isEqualTo(new Turn(Standing.STALLED, Standing.READY, "makes tokens again"));

        stalled();
        state.progressed(now + SECOND);
        assertThat(second()).isEqualTo(new Turn(Standing.STALLED, Standing.READY, "makes tokens again"));

        stalled();
        watch.madeToken(now + SECOND);
        assertThat(second()).isEqualTo(new Turn(Standing.STALLED, Standing.READY, "makes tokens again"));
    }

    @Test
    void aCuredOneGetsAllItsTimeAgain() {
        warm();
        lease(SHORT);
        suspected();
        watch.madeToken(now);
        second();
        assertThat(silentFor(9)).isEmpty();
        assertThat(second()).isNotNull();
    }

    @Test
    void theLastOneThatCanServeIsSuspectedAtMost() {
        spare = false;
        warm();
        lease(SHORT);
        suspected();
        assertThat(silentFor(600)).isEmpty();
        spare = true;
        assertThat(second()).isNotNull();
    }

    @Test
    void metricsThatHaveBecomeMuteAreAsBadAsFrozenOnes() {
        warm();
        lease(SHORT);
        List<Turn> turns = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            Turn turn = step(false);
            if (turn != null) {
                turns.add(turn);
            }
        }
        assertThat(turns).extracting(Turn::to).containsExactly(Standing.SUSPECT, Standing.STALLED);
        assertThat(turns).extracting(Turn::reason).allMatch(reason -> reason.endsWith("metrics mute"));
    }

    @Test
    void aReplicaWithoutMetricsIsSuspectedAtMost() {
        state.progressed(now + 1);
        lease(SHORT);
        step(false);
        for (int i = 0; i < 300; i++) {
            Turn turn = step(false);
            assertThat(turn == null || turn.to() == Standing.SUSPECT).isTrue();
        }
        assertThat(watch.standing()).isEqualTo(Standing.SUSPECT);
        assertThat(watch.evidence(now)).endsWith("metrics unknown");
    }

    @Test
    void oneThatCannotBeAskedGetsAnotherChanceOnceItHasNoWork() {
        warm();
        Lease lease = lease(SHORT);
        stalled();
        watch.cannotBeAsked();
        assertThat(silentFor(60)).isEmpty();
        lease.end(Outcome.IGNORED);
        Turn turn = second();
        assertThat(turn).isNotNull();
        assertThat(Objects.requireNonNull(turn).to()).isEqualTo(Standing.READY);

        lease(SHORT).end(Outcome.IGNORED);
        Lease again = lease(SHORT);
        suspected();
        again.end(Outcome.IGNORED);
        assertThat(silentFor(28)).isEmpty();
        assertThat(second()).isNotNull();
        assertThat(watch.standing()).isEqualTo(Standing.READY);
    }

    @Test
    void aTokenIsWantedOnceHalfOfTheSilenceThatIsExplainedIsOver() {
        warm();
        assertThat(watch.wantsToken(now + 60 * SECOND, settings)).isFalse();
        lease(SHORT);
        assertThat(watch.wantsToken(now + 4 * SECOND, settings)).isFalse();
        assertThat(watch.wantsToken(now + 5 * SECOND, settings)).isTrue();
        assertThat(watch.wantsToken(now + 5 * SECOND, new PenstockConfig.Progress(Duration.ZERO, Duration.ZERO)))
                .isFalse();
        watch.madeToken(now + 5 * SECOND);
        assertThat(watch.wantsToken(now + 5 * SECOND, settings)).isFalse();

        watch.cannotBeAsked();
        assertThat(watch.wantsToken(now + 30 * SECOND, settings)).isFalse();
        silentFor(40);
        assertThat(watch.standing()).isEqualTo(Standing.STALLED);
        assertThat(watch.wantsToken(now, settings)).isTrue();
    }

    @Test
    void aNewProcessIsAnotherReplica() {
        warm();
        lease(SHORT);
        stalled();
        state.restarted();
        assertThat(second()).isNull();
        assertThat(watch.standing()).isEqualTo(Standing.READY);
    }

    @Test
    void zeroSwitchesItOff() {
        warm();
        lease(SHORT);
        settings = new PenstockConfig.Progress(Duration.ofSeconds(10), Duration.ZERO);
        suspected();
        assertThat(silentFor(600)).isEmpty();
        settings = new PenstockConfig.Progress(Duration.ZERO, Duration.ofSeconds(10));
        assertThat(second()).isEqualTo(new Turn(Standing.SUSPECT, Standing.READY, "progress is not watched"));
        assertThat(silentFor(600)).isEmpty();
    }

    private void warm() {
        second();
        assertThat(watch.standing()).isEqualTo(Standing.READY);
    }

    private void suspected() {
        assertThat(silentFor(11)).extracting(Turn::to).contains(Standing.SUSPECT);
    }

    private void stalled() {
        silentFor(22);
        assertThat(watch.standing()).isEqualTo(Standing.STALLED);
    }

    private Lease lease(int bytes) {
        return Objects.requireNonNull(state.lease(now, bytes, () -> {}, /* panic= */ false));
    }

    private List<Turn> silentFor(int seconds) {
        List<Turn> turns = new ArrayList<>();
        for (int i = 0; i < seconds; i++) {
            Turn turn = second();
            if (turn != null) {
                turns.add(turn);
            }
        }
        return turns;
    }

    private @Nullable Turn second() {
        return step(true);
    }

    private @Nullable Turn step(boolean readable) {
        now += SECOND;
        if (readable) {
            Engine engine = new Engine("0", running, 0, 0, generated, 0, finished);
            watch.read(new EngineGauges(List.of(engine), 1, learned, now, 3 * SECOND), now);
        }
        return watch.look(now, settings, spare);
    }
}
