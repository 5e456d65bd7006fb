package io.penstock.admission;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.config.PenstockConfig.Policy;
import io.penstock.selection.RequestTraits;
import io.penstock.upstream.Fleet;
import io.penstock.upstream.Lease;
import io.penstock.upstream.LiveUpstreams;
import io.penstock.upstream.Outcome;
import io.penstock.upstream.Standing;
import io.penstock.upstream.Threads;
import io.penstock.upstream.UpstreamState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Eight event loops do to one room whatever can be done to it, again and again, and the books must be zero after. */
class WaitingRoomStormTest {

    private static final int THREADS = 8;
    private static final int ROUNDS = 60;
    private static final int STEPS = 150;
    private static final long SEED = 20_261_124;

    private final LiveUpstreams live = Fleet.live(
            Fleet.upstream("a", 1, 1, "llama", "both"),
            Fleet.upstream("b", 3, 2, "qwen", "both"),
            Fleet.upstream("c", 1, 3));

    @ParameterizedTest(name = "{0}, seed " + SEED)
    @EnumSource
    void nobodyIsForgottenAndNothingIsLeftOver(Policy policy) throws Exception {
        WaitingRoom room = new WaitingRoom(live, WaitingRoomTest.config(policy, 40), System::nanoTime);

        for (int round = 0; round < ROUNDS; round++) {
            long seed = SEED + round * 1000L;
            live.current().members().forEach(each -> each.judge(Standing.READY, "calm"));

            List<Loop> loops = Threads.race(THREADS, i -> () -> {
                Loop loop = new Loop(room, new Random(seed + i));
                loop.storm();
                loop.calm();
                return loop;
            });
            loops.forEach(Loop::calm); // What was granted while its loop looked the other way for the last time.

            assertThat(loops).as("round %d", round).allMatch(loop -> loop.waiting.isEmpty());
            assertThat(room.waiting()).as("waiting after round %d", round).isZero();
            for (UpstreamState each : live.current().members()) {
                assertThat(each.inFlight())
                        .as("in flight after round %d", round)
                        .isZero();
                assertThat(Stream.of(Outcome.values()).mapToLong(each::count).sum())
                        .isEqualTo(each.started());
            }
        }
        assertThat(live.current().members()).allMatch(each -> each.started() > 500);
    }

    /** One place; its holder leaves at the moment at which another joins the queue. Whoever is first, it is served. */
    @Test
    void aPlaceThatIsFreedWhileTheQueueIsJoinedIsNotMissed() throws Exception {
        LiveUpstreams one = Fleet.live(Fleet.upstream("a", 1, 1));
        WaitingRoom room = new WaitingRoom(one, WaitingRoomTest.config(Policy.LEAST_IN_FLIGHT, 1), System::nanoTime);
        AtomicReference<@Nullable Lease> place = new AtomicReference<>();
        AtomicInteger arrivals = new AtomicInteger();
        int meetings = 30_000;

        List<Integer> served = Threads.race(2, i -> () -> {
            int count = 0;
            for (int meeting = 1; meeting <= meetings; meeting++) {
                if (i == 0) {
                    place.set(Objects.requireNonNull(room.lease(RequestTraits.NONE, Tried.NOBODY)));
                }
                meet(arrivals);
                if (i == 0) {
                    Objects.requireNonNull(place.get()).end(Outcome.COMPLETED);
                } else {
                    room.await(RequestTraits.NONE, Tried.NOBODY, false, Runnable::run, place::set);
                }
                meet(arrivals);
                if (i == 1) {
                    count += room.waiting() == 0 ? 1 : 0;
                    Objects.requireNonNull(place.get()).end(Outcome.COMPLETED);
                }
                meet(arrivals);
            }
            return count;
        });

        assertThat(served.get(1)).isEqualTo(meetings);
        assertThat(one.current().members().get(0).inFlight()).isZero();
    }

    /** Two threads leave this method at the same moment. */
    private static void meet(AtomicInteger arrivals) {
        int mine = arrivals.getAndIncrement() / 2;
        while (arrivals.get() < 2 * (mine + 1)) {
            Thread.onSpinWait();
            if (Thread.interrupted()) {
                throw new IllegalStateException("the other one is gone");
            }
        }
    }

    /** A request that waits: its handler runs on its own loop only. */
    private static final class Waiter {
        private @Nullable Ticket ticket;
        private boolean left;
    }

    /** One event loop: what is granted to it comes through its mailbox. */
    private final class Loop {

        private final WaitingRoom room;
        private final Random random;
        private final Queue<Runnable> mailbox = new ConcurrentLinkedQueue<>();
        private final List<Waiter> waiting = new ArrayList<>();
        private final List<Lease> running = new ArrayList<>();

        private Loop(WaitingRoom room, Random random) {
            this.room = room;
            this.random = random;
        }

        private void storm() {
            for (int step = 0; step < STEPS; step++) {
                switch (random.nextInt(10)) {
                    case 0, 1, 2, 3 -> enter();
                    case 4, 5, 6 -> endOne();
                    case 7 -> leave();
                    case 8 -> flip();
                    default -> readMail();
                }
            }
            // Every flip is followed by news; the last one brings everyone back.
            live.current().members().forEach(each -> each.judge(Standing.READY, "calm"));
            room.wake();
        }

        /** No wake-up from outside any more: only ended leases may serve those who still wait. */
        private void calm() {
            long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
            while ((!waiting.isEmpty() || room.waiting() > 0) && System.nanoTime() < deadline) {
                readMail();
                while (!running.isEmpty()) {
                    endOne();
                }
                Thread.onSpinWait();
            }
            readMail();
            while (!running.isEmpty()) {
                endOne();
            }
        }

        private void enter() {
            RequestTraits traits = switch (random.nextInt(4)) {
                case 0 -> new RequestTraits("llama", true, 0);
                case 1 -> new RequestTraits("qwen", true, 0);
                case 2 -> new RequestTraits("both", true, 0);
                default -> RequestTraits.NONE;
            };
            boolean front = random.nextInt(4) == 0;
            Tried tried = front && traits.model() == null ? Tried.NOBODY.untilProbed(anyone()) : Tried.NOBODY;
            Lease lease = front ? null : room.lease(traits, tried);
            if (lease != null) {
                running.add(lease);
                return;
            }
            Waiter waiter = new Waiter();
            Ticket ticket = room.await(traits, tried, front, mailbox::add, granted -> {
                waiting.remove(waiter);
                if (waiter.left) {
                    granted.end(Outcome.IGNORED);
                } else {
                    running.add(granted);
                }
            });
            waiter.ticket = ticket;
            if (ticket != null) {
                waiting.add(waiter);
            }
        }

        private void endOne() {
            if (!running.isEmpty()) {
                running.remove(random.nextInt(running.size())).end(Fleet.outcome(random.nextInt(3)));
            }
        }

        private void leave() {
            if (!waiting.isEmpty()) {
                Waiter waiter = waiting.remove(random.nextInt(waiting.size()));
                waiter.left = true;
                Ticket ticket = waiter.ticket;
                if (ticket != null) {
                    ticket.cancel();
                }
            }
        }

        private void flip() {
            anyone().judge(random.nextBoolean() ? Standing.READY : Standing.REFUSED, "storm");
            room.wake();
        }

        private void readMail() {
            for (Runnable task = mailbox.poll(); task != null; task = mailbox.poll()) {
                task.run();
            }
        }

        private UpstreamState anyone() {
            List<UpstreamState> members = live.current().members();
            return members.get(random.nextInt(members.size()));
        }
    }
}
