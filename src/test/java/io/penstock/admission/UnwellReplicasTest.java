package io.penstock.admission;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.config.PenstockConfig.Policy;
import io.penstock.selection.RequestTraits;
import io.penstock.upstream.Ejection;
import io.penstock.upstream.Fleet;
import io.penstock.upstream.Lease;
import io.penstock.upstream.LiveUpstreams;
import io.penstock.upstream.Outcome;
import io.penstock.upstream.Standing;
import io.penstock.upstream.UpstreamState;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** Who gets a request while replicas are ejected, busy, or just back. */
class UnwellReplicasTest {

    private static final RequestTraits CHAT = new RequestTraits("m", true, 100);

    private final LiveUpstreams live = Fleet.live(Fleet.upstream("a"), Fleet.upstream("b"));
    private final UpstreamState a = live.current().members().get(0);
    private final UpstreamState b = live.current().members().get(1);
    private long now;
    private final WaitingRoom room =
            new WaitingRoom(live, WaitingRoomTest.config(Policy.LEAST_IN_FLIGHT, 100), () -> now);

    private Lease lease(RequestTraits traits) {
        return Objects.requireNonNull(room.lease(traits, Tried.NOBODY));
    }

    private List<String> leases(int count) {
        List<String> names = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            names.add(lease(CHAT).upstream().name());
        }
        return names;
    }

    private Ejection eject(UpstreamState state) {
        Ejection out = new Ejection(Ejection.Cause.CONSECUTIVE, "why");
        state.conduct().eject(out);
        return out;
    }

    @Test
    void anEjectedReplicaGetsNothingThoughItIsIdle() {
        eject(a);
        assertThat(leases(20)).containsOnly("b");
    }

    @Test
    void theNextRequestIsTheTrialHoweverBusyTheReplicaIs() {
        for (int i = 0; i < 10; i++) {
            Fleet.lease(a);
        }
        eject(a).open();

        Lease trial = lease(CHAT);
        assertThat(trial.upstream()).isSameAs(a);
        assertThat(trial.onTrial()).isTrue();
        assertThat(leases(5)).containsOnly("b");

        trial.end(Outcome.IGNORED);
        assertThat(leases(2)).containsExactly("a", "b");
    }

    @Test
    void whatCannotBeSentTwiceIsNoTrial() {
        eject(a).open();
        assertThat(lease(RequestTraits.NONE).upstream()).isSameAs(b);
    }

    @Test
    void aReplicaOnTrialThatIsBusyRestsToo() {
        eject(a).open();
        a.conduct().busy().begin(now, 0.5);
        assertThat(leases(1)).containsExactly("b");
    }

    @Test
    void whoWaitsMayBeTheTrial() {
        b.judge(Standing.REFUSED, "down");
        a.drain(true);
        List<Lease> granted = new ArrayList<>();
        room.await(CHAT, Tried.NOBODY, false, Runnable::run, granted::add);
        assertThat(granted).isEmpty();

        eject(a).open();
        a.drain(false);
        room.wake();

        assertThat(granted).hasSize(1);
        assertThat(granted.get(0).onTrial()).isTrue();
    }

    @Test
    void inAPanicTheEjectedGetItByLeastInFlight() {
        eject(a);
        eject(b);
        for (int i = 0; i < 3; i++) {
            assertThat(b.lease(now, 0, () -> {}, /* panic= */ true)).isNotNull();
        }
        assertThat(leases(3)).containsOnly("a");
        assertThat(leases(2)).containsExactlyInAnyOrder("a", "b");
    }

    @Test
    void aBusyReplicaRestsWhileThereIsAPeer() {
        a.conduct().busy().begin(now, 0.5);
        assertThat(leases(6)).containsOnly("b");

        now += 250_000_000;
        assertThat(leases(6)).containsOnly("a");
    }

    @Test
    void theLastOneGetsWorkThoughItIsBusy() {
        b.judge(Standing.REFUSED, "down");
        a.conduct().busy().begin(now, 0.5);
        assertThat(leases(3)).containsOnly("a");
    }

    @Test
    void whereAllAreBusyNobodyWaits() {
        a.conduct().busy().begin(now, 0.5);
        b.conduct().busy().begin(now, 0.5);
        assertThat(leases(4)).containsOnly("a", "b").hasSize(4);
    }

    @Test
    void oneThatHasJustComeBackGetsFourAndThenTwiceAsMany() {
        for (int i = 0; i < 30; i++) {
            Fleet.lease(b);
        }
        a.conduct().ramp().begin();
        assertThat(leases(8)).containsExactly("a", "a", "a", "a", "b", "b", "b", "b");

        a.conduct().ramp().firstOutput();
        assertThat(leases(5)).containsExactly("a", "a", "a", "a", "b");
    }

    @Test
    void nobodyWaitsForARamp() {
        b.judge(Standing.REFUSED, "down");
        a.conduct().ramp().begin();
        assertThat(leases(9)).containsOnly("a");
        assertThat(a.conduct().ramp().active()).isFalse();
    }

    @Test
    void whileTheProbesAreSilentRequestsGoWhereNobodyWasLet() {
        LiveUpstreams silent = new LiveUpstreams(() -> now);
        UpstreamState failing =
                silent.apply(List.of(Fleet.upstream("a"))).members().get(0);
        failing.judge(Standing.FAILING, "its probes failed");
        WaitingRoom blind = new WaitingRoom(silent, WaitingRoomTest.config(Policy.ROUND_ROBIN, 100), () -> now);
        assertThat(blind.lease(CHAT, Tried.NOBODY)).isNull();

        now += 10_000_000_001L;
        assertThat(blind.lease(CHAT, Tried.NOBODY)).isNotNull();
    }
}
