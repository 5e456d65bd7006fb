package io.penstock.admission;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.config.PenstockConfig.Policy;
import io.penstock.selection.Prompt;
import io.penstock.selection.RequestTraits;
import io.penstock.upstream.Choice;
import io.penstock.upstream.Choice.Reason;
import io.penstock.upstream.Ejection;
import io.penstock.upstream.EngineActivity.Suspicion;
import io.penstock.upstream.EngineGauges;
import io.penstock.upstream.Fleet;
import io.penstock.upstream.Lease;
import io.penstock.upstream.LiveUpstreams;
import io.penstock.upstream.Outcome;
import io.penstock.upstream.Standing;
import io.penstock.upstream.Threads;
import io.penstock.upstream.Upstream;
import io.penstock.upstream.UpstreamState;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Eight event loops do to requests that are placed by prediction whatever can happen to them, while the first of them also
 * changes the configuration, the replicas and what is thought of them. Whatever the order, the books must be zero after.
 */
class BooksStormTest {

    private static final int THREADS = 8;
    private static final long MS = 1_000_000;
    private static final List<Policy> POLICIES = List.of(Policy.values());
    private static final int PATIENCE = 10_000;

    private final List<Upstream> everyone = List.of(
            Fleet.upstream("a"),
            Fleet.upstream("b", 1, 3, "llama"),
            Fleet.upstream("c", 1, 0, "llama", "qwen"),
            Fleet.upstream("d", 1, 8),
            Fleet.upstream("e"));
    private final AtomicLong now = new AtomicLong(MS);
    private final LiveUpstreams live = Fleet.live(everyone.toArray(Upstream[]::new));
    // The first loop's; read after.
    private final Set<UpstreamState> seen = new HashSet<>();
    private final WaitingRoom room =
            new WaitingRoom(live, WaitingRoomTest.config(Policy.PREDICTED_DELAY, 200), now::get);
    private final List<Lanes> used = new ArrayList<>(List.of(Objects.requireNonNull(room.lanes())));
    private final Map<Object, LongAdder> happened = new ConcurrentHashMap<>();
    // Set by the first loop at its end.
    private volatile boolean over;
    // Leases that two loops end.
    private final Queue<Lease> contested = new ConcurrentLinkedQueue<>();

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = 20_261_128)
    void theBooksAreZeroAfterTenThousandRequests(long seed) throws Exception {
        storm(10_000, seed);
    }

    @Tag("bench")
    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3})
    void theBooksAreZeroAfterAHundredThousandRequests(long seed) throws Exception {
        storm(100_000, seed);
    }

    private void storm(int requests, long seed) throws Exception {
        seen.addAll(live.current().members());
        List<Loop> loops = Threads.race(THREADS, i -> () -> {
            Loop loop = new Loop(i == 0, new Random(seed * THREADS + i));
            loop.storm(requests / THREADS);
            return loop;
        });
        calm(loops);

        assertThat(loops).allMatch(loop -> loop.waiting.isEmpty());
        assertThat(room.waiting()).isZero();
        seen.forEach(BooksStormTest::holdsNothing);
        for (Lanes each : used.subList(0, used.size() - 1)) {
            // Those that still waited there when they were given up are not taken out.
            everyOutlookIs(each, "\\w: 0 to read \\(0 tokens\\), .* in its lane .*, 0 being answered, 0 of them aloud");
        }
        Lanes last = used.get(used.size() - 1);
        assertThat(last).isSameAs(room.lanes());
        everyOutlookIs(
                last, "\\w: 0 to read \\(0 tokens\\), 0 in its lane \\(0 tokens\\), 0 being answered, 0 of them aloud");
        assertThat(last.tickets()).isEmpty();
        assertThat(last.order().nobodyWaits()).isTrue();
        everythingHappened();
    }

    private void count(Object what) {
        happened.computeIfAbsent(what, w -> new LongAdder()).increment();
    }

    private static void everyOutlookIs(Lanes lanes, String pattern) {
        assertThat(lanes.broken()).isNull();
        lanes.predictor().outlooks().forEach(each -> assertThat(each.toString()).matches(pattern));
    }

    private static void holdsNothing(UpstreamState replica) {
        assertThat(replica.inFlight()).as(replica.name()).isZero();
        assertThat(replica.engine().working()).as(replica.name()).isZero();
        assertThat(Stream.of(Outcome.values()).mapToLong(replica::count).sum())
                .as(replica.name())
                .isEqualTo(replica.started())
                .isPositive();
    }

    /** Or else zero would mean little. */
    private void everythingHappened() {
        assertThat(happened)
                .containsKeys(
                        Reason.LEAST_PREDICTED_DELAY, Reason.MOVED, Reason.ONLY_ONE_USABLE, Reason.LEAST_IN_FLIGHT)
                .containsKeys("at once", "from a lane", "from the queue", "given up", "refused", "contested");
        assertThat(used).hasSizeGreaterThan(1);
    }

    /** Everybody is well again, nobody new comes, and those that wait are served. */
    private void calm(List<Loop> loops) {
        live.apply(everyone).members().forEach(each -> {
            each.restarted();
            each.probePassed();
            each.judge(Standing.READY, "calm");
        });
        for (int i = 0; i < PATIENCE && !loops.stream().allMatch(Loop::idle); i++) {
            now.addAndGet(50 * MS);
            room.wake();
            loops.forEach(Loop::finish);
        }
    }

    /** A request that waits. */
    private static final class Waiter {
        private @Nullable Ticket ticket;
        private boolean left;
    }

    /** A request that was sent. */
    private record Running(Lease lease, RequestTraits traits, Tried tried) {}

    /** One event loop: what is granted to it comes through its mailbox. */
    private final class Loop {

        private final boolean first;
        private final Random random;
        private final Queue<Runnable> mailbox = new ConcurrentLinkedQueue<>();
        private final List<Waiter> waiting = new ArrayList<>();
        private final List<Running> running = new ArrayList<>();
        private Policy policy = Policy.PREDICTED_DELAY;
        private boolean late;

        private Loop(boolean first, Random random) {
            this.first = first;
            this.random = random;
        }

        private void storm(int requests) {
            int begun = 0;
            while (begun < requests) {
                readMail();
                if (first && !late && begun >= requests / 2) {
                    // So that the last books have seen something.
                    late = true;
                    reload(Policy.PREDICTED_DELAY);
                }
                switch (random.nextInt(20)) {
                    case 0, 1, 2, 3, 4, 5 -> begun += seek(traits(), Tried.NOBODY, /* front= */ false) ? 1 : 0;
                    case 6, 7, 8, 9 -> output();
                    case 10, 11, 12, 13, 14, 15 -> endOne(Fleet.outcome(random.nextInt(3)));
                    case 16 -> leave();
                    case 17 -> failover();
                    case 18 -> {
                        now.addAndGet(random.nextInt(100) * MS);
                        room.wake();
                    }
                    default -> mischief();
                }
            }
            if (first) {
                // Nobody brings them back any more.
                over = true;
                live.current().members().forEach(this::heal);
                room.wake();
            }
        }

        private RequestTraits traits() {
            String model = random.nextInt(4) > 0 ? null : random.nextBoolean() ? "llama" : "qwen";
            long[] pieces = new long[random.nextInt(60)];
            long group = random.nextInt(6);
            for (int i = 0; i < pieces.length; i++) {
                pieces[i] = group * 1_000 + i;
            }
            // Some have no body, and concern no engine.
            int tokens = random.nextInt(20) == 0 ? 0 : 64 * pieces.length + 1 + random.nextInt(4_000);
            Prompt prompt = random.nextInt(5) == 0 ? Prompt.UNKNOWN : new Prompt(tokens, pieces);
            return new RequestTraits(
                    model, random.nextInt(4) > 0, 4 * tokens, prompt, random.nextInt(300), "c" + random.nextInt(4));
        }

        /** Whether it was let in. */
        private boolean seek(RequestTraits traits, Tried tried, boolean front) {
            Lease lease = front ? null : room.lease(traits, tried);
            if (lease != null) {
                count("at once");
                runs(lease, traits, tried);
                return true;
            }
            Waiter waiter = new Waiter();
            waiter.ticket = room.await(traits, tried, front, mailbox::add, granted -> {
                waiting.remove(waiter);
                if (waiter.left) {
                    granted.end(Outcome.IGNORED);
                } else {
                    Choice choice = granted.choice();
                    count(choice != null && choice.laneNanos() > 0 ? "from a lane" : "from the queue");
                    runs(granted, traits, tried);
                }
            });
            if (waiter.ticket == null) {
                count("refused");
                return false;
            }
            waiting.add(waiter);
            return true;
        }

        private void runs(Lease lease, RequestTraits traits, Tried tried) {
            count(Objects.requireNonNull(lease.choice()).reason());
            running.add(new Running(lease, traits, tried));
        }

        private void output() {
            for (int i = 0; i < Math.min(3, running.size()); i++) {
                running.get(random.nextInt(running.size())).lease().output(now.addAndGet(random.nextInt(5) * MS));
            }
        }

        /** Some are ended by whoever comes first. */
        private @Nullable Running endOne(Outcome outcome) {
            Lease other = contested.poll();
            if (other != null) {
                other.end(Outcome.IGNORED);
            }
            if (running.isEmpty()) {
                return null;
            }
            Running one = running.remove(random.nextInt(running.size()));
            if (random.nextInt(8) == 0) {
                count("contested");
                contested.add(one.lease());
            }
            one.lease().end(outcome);
            return one;
        }

        /** A replica fails a request, which is asked again: at once elsewhere, or in front of all others. */
        private void failover() {
            Running one = endOne(Outcome.FAILED);
            if (one == null) {
                return;
            }
            UpstreamState failed = one.lease().upstream();
            switch (random.nextInt(3)) {
                case 0 -> {
                    Lease again = room.lease(one.traits(), one.tried().forGood(failed));
                    if (again != null) {
                        runs(again, one.traits(), one.tried());
                    }
                }
                case 1 -> seek(one.traits(), one.tried().untilRestart(failed), /* front= */ true);
                default -> seek(one.traits(), one.tried().untilProbed(failed), /* front= */ true);
            }
        }

        private void leave() {
            if (!waiting.isEmpty()) {
                count("given up");
                Waiter waiter = waiting.remove(random.nextInt(waiting.size()));
                waiter.left = true;
                Objects.requireNonNull(waiter.ticket).cancel();
            }
        }

        private void readMail() {
            for (Runnable task = mailbox.poll(); task != null; task = mailbox.poll()) {
                task.run();
            }
        }

        /** What any loop may do to a replica. */
        private void mischief() {
            UpstreamState one = anyone();
            if (over) {
                return;
            }
            switch (random.nextInt(first ? 50 : 400)) {
                case 0 -> one.refuse("storm");
                case 1 -> one.leave("storm");
                case 2, 3 -> one.conduct().busy().begin(now.get(), random.nextDouble());
                default -> {
                    if (first) {
                        write();
                    }
                }
            }
            room.wake();
        }

        private UpstreamState anyone() {
            List<UpstreamState> members = live.current().members();
            return members.get(random.nextInt(members.size()));
        }

        /** What only the one writer may do. */
        private void write() {
            UpstreamState one = anyone();
            switch (random.nextInt(12)) {
                case 0 -> replicasComeAndGo();
                case 1 -> {
                    one.restarted();
                    one.conduct().ramp().begin();
                }
                case 2 -> {
                    if (one.conduct().ejection() == null) {
                        one.conduct().eject(new Ejection(Ejection.Cause.CONSECUTIVE, "storm"));
                    }
                }
                case 3 -> {
                    Standing belief = random.nextBoolean() ? Standing.SUSPECT : Standing.STALLED;
                    one.engine().suspect(new Suspicion(belief, "storm"));
                }
                case 4 -> {
                    long tokens = 64L * (1 + random.nextInt(300));
                    one.engine().learnGauges(new EngineGauges(List.of(), Double.NaN, Double.NaN, tokens, 0, 0));
                }
                case 5, 6 ->
                    reload(late || random.nextInt(4) > 0 ? Policy.PREDICTED_DELAY : POLICIES.get(random.nextInt(3)));
                default -> live.current().members().forEach(this::heal);
            }
        }

        private void heal(UpstreamState one) {
            one.probePassed();
            one.judge(Standing.READY, "storm");
            one.engine().suspect(null);
            Ejection out = one.conduct().ejection();
            if (out != null && out.phase() == Ejection.Phase.RESTING) {
                out.open();
            } else {
                one.conduct().eject(null);
            }
        }

        private void replicasComeAndGo() {
            List<Upstream> some = new ArrayList<>(everyone);
            Collections.shuffle(some, random);
            live.apply(some.subList(0, 2 + random.nextInt(everyone.size() - 1)))
                    .members()
                    .forEach(this::heal);
            seen.addAll(live.current().members());
        }

        private void reload(Policy next) {
            assertThat(room.predicts()).as("not given up").isEqualTo(policy == Policy.PREDICTED_DELAY);
            room.reconfigure(WaitingRoomTest.config(next, 20 + random.nextInt(200)));
            policy = next;
            Lanes lanes = room.lanes();
            if (lanes != null && !used.contains(lanes)) {
                used.add(lanes);
            }
        }

        private boolean idle() {
            return waiting.isEmpty() && running.isEmpty() && mailbox.isEmpty();
        }

        private void finish() {
            readMail();
            while (!running.isEmpty()) {
                endOne(Outcome.COMPLETED);
            }
        }
    }
}
