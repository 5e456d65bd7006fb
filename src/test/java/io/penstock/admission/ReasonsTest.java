package io.penstock.admission;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.config.PenstockConfig.Policy;
import io.penstock.selection.LearnedSpeed;
import io.penstock.selection.Prompt;
import io.penstock.selection.RequestTraits;
import io.penstock.upstream.Choice;
import io.penstock.upstream.Choice.Option;
import io.penstock.upstream.Choice.Reason;
import io.penstock.upstream.Ejection;
import io.penstock.upstream.Fleet;
import io.penstock.upstream.Lease;
import io.penstock.upstream.LiveUpstreams;
import io.penstock.upstream.Standing;
import io.penstock.upstream.UpstreamState;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every lease that a request gets says why it is for its replica. */
class ReasonsTest {

    private static final long MS = 1_000_000;

    private final LiveUpstreams live = Fleet.live(Fleet.upstream("a"), Fleet.upstream("b"));
    private final UpstreamState a = live.current().members().get(0);
    private final UpstreamState b = live.current().members().get(1);
    private long now = MS;

    @Test
    void leastInFlightTellsWhoHeldWhat() {
        WaitingRoom room = room(Policy.LEAST_IN_FLIGHT);
        lease(room, 100);
        lease(room, 100);
        Choice choice = why(lease(room, 100));

        assertThat(choice.reason()).isEqualTo(Reason.LEAST_IN_FLIGHT);
        assertThat(choice.options()).containsExactly(new Option("a", 1, null), new Option("b", 1, null));
        assertThat(choice.others()).isZero();
    }

    @Test
    void roundRobinSaysThatItWasItsTurnAndAReloadChangesTheReason() {
        WaitingRoom room = room(Policy.ROUND_ROBIN);
        assertThat(why(lease(room, 100)).reason()).isEqualTo(Reason.IN_TURN);

        room.reconfigure(WaitingRoomTest.config(Policy.LEAST_IN_FLIGHT, 10));
        assertThat(why(lease(room, 100)).reason()).isEqualTo(Reason.LEAST_IN_FLIGHT);
    }

    @ParameterizedTest
    @EnumSource(Policy.class)
    void whoIsAloneIsChosenForThat(Policy policy) {
        b.judge(Standing.REFUSED, "refused");

        assertThat(why(lease(room(policy), 100)).reason()).isEqualTo(Reason.ONLY_ONE_USABLE);
    }

    @ParameterizedTest
    @EnumSource(Policy.class)
    void aTrialSaysSo(Policy policy) {
        Ejection out = new Ejection(Ejection.Cause.CONSECUTIVE, "why");
        a.conduct().eject(out);
        out.open();

        Lease trial = lease(room(policy), 100);

        assertThat(trial.upstream()).isSameAs(a);
        assertThat(why(trial).reason()).isEqualTo(Reason.TRIAL);
    }

    @ParameterizedTest
    @EnumSource(Policy.class)
    void aPanicSaysSo(Policy policy) {
        a.conduct().eject(new Ejection(Ejection.Cause.CONSECUTIVE, "why"));
        b.conduct().eject(new Ejection(Ejection.Cause.CONSECUTIVE, "why"));

        Choice choice = why(lease(room(policy), 100));

        assertThat(choice.reason()).isEqualTo(Reason.PANIC);
        assertThat(choice.options()).isNotEmpty();
    }

    @Test
    void aFullReplicaThatIsBackIsExplainedToo() {
        WaitingRoom room = room(Policy.LEAST_IN_FLIGHT);
        b.judge(Standing.REFUSED, "refused");
        a.conduct().ramp().begin();
        List<Lease> leases = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            leases.add(lease(room, 100));
        }
        assertThat(leases).allSatisfy(lease -> assertThat(why(lease).reason()).isEqualTo(Reason.ONLY_ONE_USABLE));
    }

    @Test
    void whatWasSentAtOnceWasInNoLane() {
        Choice choice = why(lease(room(Policy.PREDICTED_DELAY), 4_000));

        assertThat(choice.laneNanos()).isZero();
        assertThat(choice.predictedNanos()).isPositive();
        assertThat(choice.options())
                .hasSize(2)
                .allSatisfy(each -> assertThat(each.terms()).isNotNull());
    }

    @Test
    void aRequestThatWaitedInItsLaneTellsHowLong() {
        WaitingRoom room = room(Policy.PREDICTED_DELAY);
        List<Lease> sent = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            sent.add(lease(room, 4_000));
        }
        long lined = now;
        List<Lease> late = new ArrayList<>();
        room.await(traits(4_000), Tried.NOBODY, false, Runnable::run, late::add);
        assertThat(late).isEmpty();

        now += 40 * MS;
        sent.get(0).output(now);
        sent.get(2).output(now);
        room.wake();

        assertThat(late).hasSize(1);
        Choice choice = why(late.get(0));
        assertThat(choice.laneNanos()).isEqualTo(now - lined);
        if (choice.reason() != Reason.MOVED) {
            assertThat(choice.madeNanos()).isEqualTo(lined);
        }
    }

    @Test
    void aRequestThatMovedTellsWhatItLeft() {
        WaitingRoom room = room(Policy.PREDICTED_DELAY);
        Tried notB = Tried.NOBODY.forGood(b);
        Lease first = Objects.requireNonNull(room.lease(traits(12_800, 7), notB));
        now += 800 * MS;
        first.output(now);
        room.lease(traits(4_000), notB);
        room.lease(traits(4_000), notB);
        List<Lease> moved = new ArrayList<>();
        // Its beginning was read there, but nothing moves there any more.
        room.await(traits(12_800, 7), Tried.NOBODY, false, Runnable::run, moved::add);
        assertThat(moved).isEmpty();

        now += 20_000 * MS;
        room.wake();

        assertThat(moved).hasSize(1);
        assertThat(moved.get(0).upstream()).isSameAs(b);
        Choice choice = why(moved.get(0));
        assertThat(choice.reason()).isEqualTo(Reason.MOVED);
        assertThat(choice.laneNanos()).isEqualTo(20_000 * MS);
        assertThat(choice.options()).extracting(Option::replica).containsExactly("a", "b");
    }

    @Test
    void whatWasLearnedIsToldWhilePredictionsAreMade() {
        assertThat(room(Policy.LEAST_IN_FLIGHT).learned()).isEmpty();
        WaitingRoom room = room(Policy.PREDICTED_DELAY);
        Lease lease = lease(room, 4_000);
        now += 100 * MS;
        lease.output(now);

        LearnedSpeed learned =
                Objects.requireNonNull(room.learned().get(lease.upstream().id()));
        assertThat(learned.tokensPerSecond()).isBetween(39_000.0, 41_000.0);
    }

    private WaitingRoom room(Policy policy) {
        return new WaitingRoom(live, WaitingRoomTest.config(policy, 100), () -> now);
    }

    private static Lease lease(WaitingRoom room, int tokens) {
        return Objects.requireNonNull(room.lease(traits(tokens), Tried.NOBODY));
    }

    private static Choice why(Lease lease) {
        return Objects.requireNonNull(lease.choice());
    }

    private static RequestTraits traits(int tokens, long... group) {
        long[] pieces = new long[group.length == 0 ? 0 : 100];
        for (int i = 0; i < pieces.length; i++) {
            pieces[i] = group[0] * 1_000 + i;
        }
        return new RequestTraits(null, true, 4 * tokens, new Prompt(tokens, pieces), 0, "");
    }
}
