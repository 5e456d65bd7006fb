package io.penstock.admission;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.config.PenstockConfig.Policy;
import io.penstock.selection.Prompt;
import io.penstock.selection.RequestTraits;
import io.penstock.upstream.Fleet;
import io.penstock.upstream.Lease;
import io.penstock.upstream.LiveUpstreams;
import io.penstock.upstream.Outcome;
import io.penstock.upstream.Standing;
import io.penstock.upstream.UpstreamState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Whoever would make everybody's tokens too slow is refused, and nobody else. */
class TargetTest {

    private static final long MS = 1_000_000;
    private static final Duration TARGET = Duration.ofMillis(30);

    private long now = MS;
    private final LiveUpstreams live = Fleet.live(Fleet.upstream("a"), Fleet.upstream("b"));
    private final UpstreamState a = live.current().members().get(0);
    private final UpstreamState b = live.current().members().get(1);
    private final WaitingRoom room =
            new WaitingRoom(live, WaitingRoomTest.config(Policy.PREDICTED_DELAY, 100, TARGET), () -> now);
    private final List<Lease> granted = new ArrayList<>();

    @Test
    void nobodyIsRefusedWhileTokensAreFast() {
        answersAt(a, 12);
        answersAt(b, 20);

        assertThat(room.aboveTarget(asking())).isFalse();
        assertThat(room.lease(asking(), Tried.NOBODY)).isNotNull();
    }

    @Test
    void oneMoreIsRefusedWhereEverybodyWouldBeTooSlow() {
        answersAt(a, 40);
        answersAt(b, 50);

        assertThat(room.lease(asking(), Tried.NOBODY)).isNull();
        assertThat(enter()).isNull();
        assertThat(room.aboveTarget(asking())).isTrue();
        assertThat(room.waiting()).isZero();
        // Answers are thought to have 200 tokens, 50 ms each; the other one has fallen silent meanwhile.
        assertThat(room.retryAfterSeconds(asking(), 0)).isEqualTo(10);
    }

    @Test
    void theOneThatIsFastEnoughGetsAll() {
        answersAt(a, 40);
        answersAt(b, 12);

        for (int i = 0; i < 4; i++) {
            Lease lease = Objects.requireNonNull(room.lease(asking(), Tried.NOBODY));
            assertThat(lease.upstream()).isSameAs(b);
            now += 50 * MS;
            lease.output(now);
        }
    }

    /** Each request adds to a step what the others add: 8 ms alone and 28 ms with four are 33 ms with five. */
    @Test
    void whatOneMoreWouldAddCounts() {
        List<Lease> onA = new ArrayList<>();
        answers(onA, a, 1, 8);
        answers(onA, a, 4, 28);
        answersAt(b, 90);

        assertThat(room.lease(asking(), Tried.NOBODY)).isNull();

        onA.get(1).end(Outcome.COMPLETED);
        onA.get(2).end(Outcome.COMPLETED);
        answers(onA.subList(3, 4), 16);
        assertThat(Objects.requireNonNull(room.lease(asking(), Tried.NOBODY)).upstream())
                .isSameAs(a);
    }

    @Test
    void aReplicaThatHungIsNotTakenForSlow() {
        List<Lease> onA = new ArrayList<>();
        answers(onA, a, 2, 8);
        answersAt(b, 90);
        now += 60_000 * MS;
        answers(onA, 8);

        assertThat(Objects.requireNonNull(room.lease(asking(), Tried.NOBODY)).upstream())
                .isSameAs(a);
    }

    @Test
    void aReplicaThatAnswersNobodyIsAskedHoweverSlowItWas() {
        Lease slow = answersAt(a, 90);
        answersAt(b, 90);
        assertThat(enter()).isNull();

        slow.end(Outcome.COMPLETED);

        assertThat(Objects.requireNonNull(room.lease(asking(), Tried.NOBODY)).upstream())
                .isSameAs(a);
    }

    /** 20 ms with two at each are 28 with three: nobody has to be slow first for the fifth to be one too many. */
    @Test
    void aBurstToAnIdleFleetIsCountedBeforeItIsAnswered() {
        for (UpstreamState replica : List.of(a, b)) {
            List<Lease> past = new ArrayList<>();
            answers(past, replica, 1, 18);
            answers(past, replica, 2, 28);
            past.forEach(each -> each.end(Outcome.COMPLETED));
        }

        int sent = 0;
        while (sent < 100 && room.lease(asking(), Tried.NOBODY) != null) {
            sent++;
        }

        assertThat(sent).isEqualTo(4);
        assertThat(room.aboveTarget(asking())).isTrue();
    }

    @Test
    void whoeverWasSentInVainIsNotRefused() {
        answersAt(a, 90);
        answersAt(b, 90);

        assertThat(Objects.requireNonNull(room.lease(asking(), Tried.NOBODY.forGood(a)))
                        .upstream())
                .isSameAs(b);
        room.await(asking(), Tried.NOBODY.forGood(b), /* front= */ true, Runnable::run, granted::add);
        assertThat(granted).hasSize(1);
        assertThat(granted.get(0).upstream()).isSameAs(a);
    }

    /** They wait on until tokens are fast again, for as long as they may. */
    @Test
    void whoeverCameWhileNobodyWasThereIsNotRefusedAfterwards() {
        Lease onA = answersAt(a, 90);
        answersAt(b, 90);
        a.judge(Standing.REFUSED, "down");
        b.judge(Standing.REFUSED, "down");
        assertThat(enter()).isNotNull();

        a.judge(Standing.READY, "up");
        b.judge(Standing.READY, "up");
        room.wake();
        assertThat(granted).isEmpty();
        assertThat(room.waiting()).isEqualTo(1);

        onA.end(Outcome.COMPLETED);
        assertThat(granted).hasSize(1);
        assertThat(room.waiting()).isZero();
    }

    @Test
    void aReloadTakesTheTargetAway() {
        answersAt(a, 90);
        answersAt(b, 90);
        assertThat(enter()).isNull();

        room.reconfigure(WaitingRoomTest.config(Policy.PREDICTED_DELAY, 100));

        assertThat(room.aboveTarget(asking())).isFalse();
        assertThat(enter()).isNotNull();
        assertThat(granted).hasSize(1);
    }

    @Test
    void nobodyElseKnowsHowFastTokensCome() {
        answersAt(a, 90);
        answersAt(b, 90);

        room.reconfigure(WaitingRoomTest.config(Policy.LEAST_IN_FLIGHT, 100, TARGET));

        assertThat(room.aboveTarget(asking())).isFalse();
        assertThat(room.lease(asking(), Tried.NOBODY)).isNotNull();
    }

    @Test
    void aRequestThatAsksForNoTokensIsNotRefused() {
        answersAt(a, 90);
        answersAt(b, 90);

        assertThat(room.aboveTarget(RequestTraits.NONE)).isFalse();
        assertThat(room.lease(RequestTraits.NONE, Tried.NOBODY)).isNotNull();
    }

    /** One request that runs there, and shows a token each so many milliseconds, for long. */
    private Lease answersAt(UpstreamState replica, int millis) {
        List<Lease> one = new ArrayList<>();
        answers(one, replica, 1, millis);
        return one.get(0);
    }

    private void answers(List<Lease> running, UpstreamState replica, int number, int millis) {
        Tried notTheOther = Tried.NOBODY.forGood(replica == a ? b : a);
        while (running.size() < number) {
            running.add(Objects.requireNonNull(room.lease(asking(), notTheOther)));
        }
        answers(running, millis);
    }

    private void answers(List<Lease> running, int millis) {
        for (int i = 0; i < 300; i++) {
            now += millis * MS;
            running.forEach(each -> each.output(now));
        }
    }

    private @Nullable Ticket enter() {
        return room.await(asking(), Tried.NOBODY, /* front= */ false, Runnable::run, granted::add);
    }

    private static RequestTraits asking() {
        return new RequestTraits(null, true, 400, new Prompt(100, new long[0]), 0, "");
    }
}
