package io.penstock.admission;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.config.PenstockConfig.Policy;
import io.penstock.selection.LearnedSpeed;
import io.penstock.selection.Prompt;
import io.penstock.selection.ReplicaOutlook;
import io.penstock.selection.RequestTraits;
import io.penstock.upstream.Fleet;
import io.penstock.upstream.Lease;
import io.penstock.upstream.LiveUpstreams;
import io.penstock.upstream.Outcome;
import io.penstock.upstream.Standing;
import io.penstock.upstream.UpstreamState;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class LanesTest {

    private static final long MS = 1_000_000;

    private final AtomicLong now = new AtomicLong(MS);
    private final LiveUpstreams live = Fleet.live(Fleet.upstream("a"), Fleet.upstream("b"));
    private final UpstreamState a = live.current().members().get(0);
    private final UpstreamState b = live.current().members().get(1);
    private final WaitingRoom room =
            new WaitingRoom(live, WaitingRoomTest.config(Policy.PREDICTED_DELAY, 1_000), this::time);
    private final AtomicBoolean clockFails = new AtomicBoolean();
    private final Map<String, Lease> served = new ConcurrentHashMap<>();
    private final List<String> order = new ArrayList<>();

    @Test
    void onlySoMuchIsSentAsCanSoonBeRead() {
        for (int i = 0; i < 6; i++) {
            enter("c" + i, 4_000);
        }

        assertThat(order).hasSize(4);
        assertThat(room.waiting()).isEqualTo(2);
        assertThat(a.inFlight()).isEqualTo(2);
        assertThat(b.inFlight()).isEqualTo(2);
        assertThat(room.learned().values()).extracting(LearnedSpeed::inLane).containsExactly(1, 1);
    }

    @Test
    void aFirstOutputAndAnEndLetTheNextOneGo() {
        for (int i = 0; i < 6; i++) {
            enter("c" + i, 4_000);
        }
        output("c0");
        assertThat(order).hasSizeGreaterThan(4);

        end("c1", Outcome.IGNORED);
        assertThat(order).hasSize(6);
        endAll();
        booksAreEmpty(room);
    }

    @Test
    void timeLetsTheNextOneGo() {
        enter("long", 8_000);
        enter("elsewhere", 8_000);
        for (int i = 0; i < 4; i++) {
            enter("c" + i, 500);
        }
        assertThat(order).hasSize(4);

        now.addAndGet(5_000 * MS);
        room.wake();

        assertThat(room.predicts()).isTrue();
        assertThat(order).hasSizeGreaterThan(4);
    }

    @Test
    void aRequestWaitsForTheReplicaThatHasReadItsBeginning() {
        long[] pieces = pieces(7);
        enter("first", 12_800, "", pieces);
        UpstreamState warm = at("first");
        now.addAndGet(800 * MS);
        output("first");
        enter("elsewhere", 640);
        end("elsewhere", Outcome.COMPLETED);
        // Not open for a moment: two are to be read there.
        fill(warm, 4_000);

        enter("second", 12_800, "", pieces);
        assertThat(served).doesNotContainKey("second");
        output("fill0");
        output("fill1");

        assertThat(at("second")).isSameAs(warm);
    }

    @Test
    void aRequestLeavesItsLaneOnceWaitingTakesLonger() {
        long[] pieces = pieces(7);
        enter("first", 12_800, "", pieces);
        UpstreamState warm = at("first");
        now.addAndGet(800 * MS);
        output("first");
        fill(warm, 4_000);
        enter("second", 12_800, "", pieces);
        assertThat(served).doesNotContainKey("second");

        // Not a sign of life, while reading all of it elsewhere would take less than a second.
        now.addAndGet(3_000 * MS);
        room.wake();

        assertThat(at("second")).isNotSameAs(warm);
        endAll();
        booksAreEmpty(room);
    }

    /** The longest lane holds nobody whom the idle replica could serve; another one does. */
    @Test
    void theLaneOfAnotherModelHidesNobody() {
        LiveUpstreams four = Fleet.live(
                Fleet.upstream("x", 1, 0, "large"),
                Fleet.upstream("y", 1, 0, "small"),
                Fleet.upstream("z", 1, 0, "small"));
        UpstreamState z = four.current().members().get(2);
        z.judge(Standing.REFUSED, "down");
        WaitingRoom both = new WaitingRoom(four, WaitingRoomTest.config(Policy.PREDICTED_DELAY, 100), now::get);
        List<Lease> got = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            both.await(asking("large", 8_000), Tried.NOBODY, false, Runnable::run, got::add);
        }
        for (int i = 0; i < 3; i++) {
            both.await(asking("small", 4_000), Tried.NOBODY, false, Runnable::run, got::add);
        }
        assertThat(got).hasSize(4);

        z.judge(Standing.READY, "up");
        both.wake();

        assertThat(got).hasSize(5);
        assertThat(got.get(4).upstream()).isSameAs(z);
    }

    private static RequestTraits asking(String model, int tokens) {
        return new RequestTraits(model, true, 4 * tokens, new Prompt(tokens, new long[0]), 0, "");
    }

    @Test
    void callersTakeTurnsAndALateOneHasNoCredit() {
        for (int i = 0; i < 4; i++) {
            enter("busy" + i, 4_000, "busy");
        }
        for (int i = 0; i < 6; i++) {
            enter("loud" + i, 4_000, "loud");
        }
        // It comes late: served next to the loud one from now on, not before all of it for what it did not use.
        for (int i = 0; i < 4; i++) {
            enter("late" + i, 4_000, "late");
        }
        order.clear();
        while (room.waiting() > 0) {
            endAll();
        }

        List<String> firstSix = order.subList(0, 6);
        assertThat(firstSix.stream().filter(name -> name.startsWith("late"))).hasSizeBetween(2, 4);
        assertThat(firstSix.stream().filter(name -> name.startsWith("loud"))).hasSizeBetween(2, 4);
        endAll();
        booksAreEmpty(room);
    }

    @Test
    void whoWaitsForAReplicaThatFallsGoesElsewhere() {
        for (int i = 0; i < 6; i++) {
            enter("c" + i, 4_000);
        }
        a.judge(Standing.REFUSED, "down");
        room.wake();
        assertThat(room.waiting()).isEqualTo(2);

        end("c1", Outcome.COMPLETED);
        end("c3", Outcome.COMPLETED);
        assertThat(room.waiting()).isZero();
        assertThat(at("c4")).isSameAs(b);
        assertThat(at("c5")).isSameAs(b);
    }

    @Test
    void whoWaitsForNobodyWaitsInTheQueue() {
        a.judge(Standing.REFUSED, "down");
        b.judge(Standing.REFUSED, "down");
        Ticket gone = Objects.requireNonNull(enter("gone", 100));
        enter("stays", 100);
        gone.cancel();
        assertThat(room.waiting()).isEqualTo(1);

        a.judge(Standing.READY, "up");
        room.wake();

        assertThat(order).containsExactly("stays");
    }

    @Test
    void whoWasSentInVainGoesAtOnce() {
        for (int i = 0; i < 6; i++) {
            enter("c" + i, 4_000);
        }
        Tried notA = Tried.NOBODY.forGood(a);

        Lease again = room.lease(traits(4_000, ""), notA);

        assertThat(Objects.requireNonNull(again).upstream()).isSameAs(b);
    }

    @Test
    void cancelledOnesLeaveNothingBehind() {
        List<Ticket> tickets = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            Ticket ticket = enter("c" + i, 4_000);
            if (ticket != null) {
                tickets.add(ticket);
            }
        }
        tickets.forEach(Ticket::cancel);
        endAll();

        assertThat(room.waiting()).isZero();
        booksAreEmpty(room);
    }

    @Test
    void anotherPolicyTakesOverThoseThatWait() {
        for (int i = 0; i < 6; i++) {
            enter("c" + i, 4_000);
        }
        room.reconfigure(WaitingRoomTest.config(Policy.LEAST_IN_FLIGHT, 10));

        assertThat(order).hasSize(6);
        assertThat(room.predicts()).isFalse();
        room.reconfigure(WaitingRoomTest.config(Policy.PREDICTED_DELAY, 10));
        assertThat(room.predicts()).isTrue();
        endAll();
        booksAreEmpty(room);
    }

    /** Whatever goes wrong inside, everyone is served all the same. */
    @Test
    void ifPredictionsFailTheFewestInFlightDecide() {
        for (int i = 0; i < 6; i++) {
            enter("c" + i, 4_000);
        }
        clockFails.set(true);

        end("c0", Outcome.COMPLETED);
        enter("c6", 4_000);

        assertThat(room.lanes()).isNull();
        assertThat(room.waiting()).isZero();
        assertThat(order).hasSize(7);
    }

    @Test
    void nobodyIsForgottenWhenTheBooksAreWrong() {
        for (int i = 0; i < 5; i++) {
            enter("c" + i, 4_000);
        }
        Ticket last = Objects.requireNonNull(enter("last", 4_000));
        assertThat(room.waiting()).isEqualTo(2);
        Objects.requireNonNull(last.assignment()).unlined();

        for (int i = 0; i < 4; i++) {
            end("c" + i, Outcome.COMPLETED);
        }

        assertThat(room.lanes()).isNull();
        assertThat(room.waiting()).isZero();
        assertThat(order).hasSize(6).contains("last");
    }

    @Test
    void aReplicaThatIsFullGetsNoMore() {
        LiveUpstreams small = Fleet.live(Fleet.upstream("s", 1, 1));
        WaitingRoom little = new WaitingRoom(small, WaitingRoomTest.config(Policy.PREDICTED_DELAY, 10), now::get);
        Lease only = Objects.requireNonNull(little.lease(traits(10, ""), Tried.NOBODY));
        List<Lease> got = new ArrayList<>();

        assertThat(little.lease(traits(10, ""), Tried.NOBODY)).isNull();
        little.await(traits(10, ""), Tried.NOBODY, true, Runnable::run, got::add);
        assertThat(got).isEmpty();
        only.end(Outcome.COMPLETED);

        assertThat(got).hasSize(1);
    }

    @Test
    void nobodyHoldsMoreThanItsLimitAndEveryoneIsServed() {
        LiveUpstreams limited = Fleet.live(Fleet.upstream("two", 1, 2), Fleet.upstream("three", 1, 3));
        WaitingRoom little = new WaitingRoom(limited, WaitingRoomTest.config(Policy.PREDICTED_DELAY, 50), now::get);
        List<UpstreamState> members = limited.current().members();
        List<Lease> got = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            little.await(traits(10, "c" + i % 3), Tried.NOBODY, /* front= */ false, Runnable::run, got::add);
        }
        assertThat(got).hasSize(5);
        assertThat(little.waiting()).isEqualTo(15);

        for (int i = 0; i < got.size(); i++) {
            assertThat(members.get(0).inFlight()).isLessThanOrEqualTo(2);
            assertThat(members.get(1).inFlight()).isLessThanOrEqualTo(3);
            now.addAndGet(100 * MS);
            got.get(i).output(now.get());
            got.get(i).end(Outcome.COMPLETED);
        }

        assertThat(got).hasSize(20);
        assertThat(little.waiting()).isZero();
        booksAreEmpty(little);
    }

    /** Room becomes free as answers end, which predictions of reading do not know: then the turns of others tell. */
    @Test
    void whoeverIsRefusedWhereReplicasAreFullIsToldByTheTurnsOfOthers() {
        LiveUpstreams limited = Fleet.live(Fleet.upstream("one", 1, 1));
        WaitingRoom little = new WaitingRoom(limited, WaitingRoomTest.config(Policy.PREDICTED_DELAY, 5), now::get);
        List<Lease> got = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            while (little.waiting() < 5) {
                little.await(traits(10, ""), Tried.NOBODY, /* front= */ false, Runnable::run, got::add);
            }
            now.addAndGet(10 * MS);
            got.get(i).output(now.get());
            now.addAndGet(3_990 * MS);
            got.get(i).end(Outcome.COMPLETED);
        }

        // Four seconds each: four who wait, and one more.
        assertThat(little.retryAfterSeconds(traits(10, ""), 0)).isBetween(18, 22);
    }

    @Test
    void whoeverIsRefusedIsToldWhatIsPredicted() {
        for (int i = 0; i < 12; i++) {
            enter("c" + i, 16_000);
        }

        // Six prompts of two seconds each at either replica, and a seventh.
        assertThat(room.retryAfterSeconds(traits(16_000, ""), 0)).isBetween(13, 15);
    }

    private long time() {
        if (clockFails.getAndSet(false)) {
            throw new IllegalStateException("no time, for a test");
        }
        return now.get();
    }

    /** Two requests to read at one replica, sent past the choice: the other one is ruled out. */
    private void fill(UpstreamState replica, int tokens) {
        Tried notTheOther = Tried.NOBODY.forGood(replica == a ? b : a);
        for (int i = 0; i < 2; i++) {
            served.put("fill" + i, Objects.requireNonNull(room.lease(traits(tokens, ""), notTheOther)));
        }
    }

    private @Nullable Ticket enter(String name, int tokens) {
        return enter(name, tokens, "");
    }

    private @Nullable Ticket enter(String name, int tokens, String caller, long... pieces) {
        Consumer<Lease> granted = lease -> {
            served.put(name, lease);
            order.add(name);
        };
        Executor here = Runnable::run;
        RequestTraits traits = traits(tokens, caller, pieces);
        Lease lease = room.lease(traits, Tried.NOBODY);
        if (lease == null) {
            return room.await(traits, Tried.NOBODY, /* front= */ false, here, granted);
        }
        granted.accept(lease);
        return null;
    }

    private UpstreamState at(String name) {
        return Objects.requireNonNull(served.get(name), name).upstream();
    }

    private void output(String name) {
        now.addAndGet(5 * MS);
        Objects.requireNonNull(served.get(name), name).output(now.get());
    }

    private void end(String name, Outcome outcome) {
        now.addAndGet(5 * MS);
        Objects.requireNonNull(served.remove(name), name).end(outcome);
    }

    private void endAll() {
        for (String name : List.copyOf(served.keySet())) {
            end(name, Outcome.COMPLETED);
        }
    }

    private static void booksAreEmpty(WaitingRoom of) {
        for (ReplicaOutlook each :
                Objects.requireNonNull(of.lanes()).predictor().outlooks()) {
            assertThat(each.idle()).as(each.upstream().name()).isTrue();
        }
    }

    private static RequestTraits traits(int tokens, String caller, long... pieces) {
        return new RequestTraits(null, true, 4 * tokens, new Prompt(tokens, pieces), 0, caller);
    }

    private static long[] pieces(long group) {
        long[] pieces = new long[100];
        for (int i = 0; i < pieces.length; i++) {
            pieces[i] = group * 1_000 + i;
        }
        return pieces;
    }
}
