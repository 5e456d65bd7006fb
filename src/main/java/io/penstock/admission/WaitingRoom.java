package io.penstock.admission;

import io.penstock.config.PenstockConfig;
import io.penstock.selection.Candidates;
import io.penstock.selection.RequestTraits;
import io.penstock.selection.SelectionPolicy;
import io.penstock.selection.Selector;
import io.penstock.upstream.Lease;
import io.penstock.upstream.LiveUpstreams;
import io.penstock.upstream.Outcome;
import io.penstock.upstream.UpstreamState;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.TreeMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Where a request gets its replica, at once if one is free, else after waiting. One room serves all event loops, so that
 * there is one order and one view of the load.
 *
 * <p>Fast path: nobody waits, so the choice is a read and a compare-and-set. Slow path: the one lock of the request
 * path, with no I/O and no foreign call inside. A waiter is put in the queue first and tried second, so a place that
 * becomes free in between is not missed.
 */
public final class WaitingRoom {

    private static final String NO_MODEL = "";

    private final LiveUpstreams live;
    private final LongSupplier nanoClock;
    private final Selector inPanic = SelectionPolicy.selector(PenstockConfig.Policy.LEAST_IN_FLIGHT);
    private final Object door = new Object();

    // Guarded by door: one queue per model, in order of rank; ranks below zero were put in front, in order too.
    private final Map<String, TreeMap<Long, Ticket>> queues = new HashMap<>();
    private long lastRank;
    private long lastFrontRank = Long.MIN_VALUE;

    // Written under door, read without.
    private volatile int waiting;
    // Written by the config verticle's news, read by every event loop.
    private volatile Selector selector;
    private volatile PenstockConfig.Selection policy;
    private volatile int maxWaiting;

    /**
     * Opens the room.
     *
     * @param live the replicas
     * @param config policy and limits
     * @param nanoClock the time, in nanoseconds
     */
    public WaitingRoom(LiveUpstreams live, PenstockConfig config, LongSupplier nanoClock) {
        this.live = live;
        this.nanoClock = nanoClock;
        this.policy = config.selection();
        this.selector = SelectionPolicy.selector(policy.policy());
        this.maxWaiting = config.admission().maxWaiting();
    }

    /**
     * Takes over a new configuration. Those who wait stay.
     *
     * @param config policy and limits
     */
    public void reconfigure(PenstockConfig config) {
        maxWaiting = config.admission().maxWaiting();
        if (!config.selection().equals(policy)) {
            policy = config.selection();
            selector = SelectionPolicy.selector(policy.policy());
        }
        wake();
    }

    /**
     * Takes a replica for a request if one is free and nobody waits.
     *
     * @param traits what is known of the request
     * @param tried who has failed it
     * @return the lease, or null: then {@link #await} is next
     */
    public @Nullable Lease lease(RequestTraits traits, Tried tried) {
        return waiting == 0 ? tryLease(traits, tried) : null;
    }

    /**
     * Waits for a replica. The lease is delivered through the executor, at once if one has become free meanwhile, so the
     * handler may run after {@link Ticket#cancel}: whoever cancelled then ends the lease it is handed.
     *
     * @param traits what is known of the request
     * @param tried who has failed it
     * @param front whether it goes before all others: it has waited already and was sent in vain
     * @param executor where the handler runs; the waiter's own event loop
     * @param granted gets the lease
     * @return the place in the queue, or null if the room is full (never for {@code front})
     */
    @SuppressWarnings("NonAtomicVolatileUpdate") // Under the door.
    public @Nullable Ticket await(
            RequestTraits traits, Tried tried, boolean front, Executor executor, Consumer<Lease> granted) {
        Ticket ticket;
        synchronized (door) {
            if (!front && waiting >= maxWaiting) {
                return null;
            }
            ticket = new Ticket(this, traits, tried, front ? ++lastFrontRank : ++lastRank, executor, granted);
            queues.computeIfAbsent(ticket.model(), m -> new TreeMap<>()).put(ticket.rank, ticket);
            waiting++;
        }
        wake();
        return ticket;
    }

    /** Looks whether anyone who waits can go: a place became free, a replica came back, the set changed. Any thread. */
    public void wake() {
        if (waiting == 0) {
            return;
        }
        List<Ticket> served = new ArrayList<>();
        synchronized (door) {
            serve(served);
            queues.values().removeIf(TreeMap::isEmpty);
        }
        for (Ticket ticket : served) {
            ticket.deliver();
        }
    }

    /** Whoever came first is asked first, across all queues: models that share replicas must not starve each other. */
    private void serve(List<Ticket> served) {
        PriorityQueue<Line> lines = new PriorityQueue<>(Comparator.comparingLong(Line::rank));
        for (TreeMap<Long, Ticket> queue : queues.values()) {
            lines.add(new Line(queue.values().iterator()));
        }
        while (!lines.isEmpty()) {
            Line line = lines.remove();
            // Whoever stands behind one who has tried nobody asks for the same model and is no easier to please.
            boolean goesOn = serve(line, served) || line.first.tried != Tried.NOBODY;
            if (goesOn && line.next()) {
                lines.add(line);
            }
        }
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // Under the door.
    private boolean serve(Line line, List<Ticket> served) {
        Ticket ticket = line.first;
        Lease lease = tryLease(ticket.traits, ticket.tried);
        if (lease == null) {
            return false;
        }
        line.rest.remove();
        waiting--;
        ticket.lease = lease;
        served.add(ticket);
        return true;
    }

    /** A queue that is walked along. */
    private static final class Line {

        private final Iterator<Ticket> rest;
        private Ticket first;

        private Line(Iterator<Ticket> tickets) {
            rest = tickets;
            first = tickets.next();
        }

        private long rank() {
            return first.rank;
        }

        private boolean next() {
            if (!rest.hasNext()) {
                return false;
            }
            first = rest.next();
            return true;
        }
    }

    private @Nullable Lease tryLease(RequestTraits traits, Tried tried) {
        Candidates candidates = live.blind()
                ? Candidates.blindly(live.current(), traits.model(), tried::allows)
                : Candidates.among(live.current(), traits.model(), tried::allows);
        long now = nanoClock.getAsLong();
        UpstreamState onTrial = candidates.onTrial();
        // What is not understood (a path that is passed on, say) may not be sent twice, and proves little.
        if (onTrial != null
                && !traits.equals(RequestTraits.NONE)
                && !onTrial.conduct().busy().holds(now)) {
            Lease trial = onTrial.lease(now, traits.bodyBytes(), this::wake, /* panic= */ false);
            if (trial != null) {
                return trial;
            }
        }
        // Rather a busy one than to wait, since nobody would say when its pause is over.
        List<UpstreamState> busy = candidates.setBusyAside(now);
        Lease lease = tryLease(candidates.members(), traits, candidates.panic(), now);
        return lease != null || busy.isEmpty() ? lease : tryLease(busy, traits, candidates.panic(), now);
    }

    private @Nullable Lease tryLease(List<UpstreamState> members, RequestTraits traits, boolean panic, long now) {
        UpstreamState onRamp = null;
        while (!members.isEmpty()) {
            UpstreamState chosen = (panic ? inPanic : selector).choose(members, traits);
            Lease lease = chosen.lease(now, traits.bodyBytes(), this::wake, panic);
            if (lease != null) {
                return lease;
            }
            onRamp = chosen.conduct().ramp().active() ? chosen : onRamp;
            members.remove(chosen); // Full, by its maxInFlight or because it has just come back.
        }
        if (onRamp == null) {
            return null;
        }
        onRamp.conduct().ramp().lift();
        return onRamp.lease(now, traits.bodyBytes(), this::wake, panic);
    }

    /**
     * Requests that wait now.
     *
     * @return zero or more
     */
    public int waiting() {
        return waiting;
    }

    /** A place in the queue. */
    public static final class Ticket {

        private static final int OPEN = 0;
        private static final int DELIVERED = 1;
        private static final int CANCELLED = 2;

        private final WaitingRoom room;
        private final RequestTraits traits;
        private final Tried tried;
        private final long rank;
        private final Executor executor;
        private final Consumer<Lease> granted;
        private final AtomicInteger state = new AtomicInteger();
        private @Nullable Lease lease; // Set once under the door, before delivery.

        private Ticket(
                WaitingRoom room,
                RequestTraits traits,
                Tried tried,
                long rank,
                Executor executor,
                Consumer<Lease> granted) {
            this.room = room;
            this.traits = traits;
            this.tried = tried;
            this.rank = rank;
            this.executor = executor;
            this.granted = granted;
        }

        private String model() {
            String model = traits.model();
            return model == null ? NO_MODEL : model;
        }

        private void deliver() {
            Lease mine = lease;
            if (mine == null) {
                throw new IllegalStateException("delivered without a lease");
            }
            if (state.compareAndSet(OPEN, DELIVERED)) {
                executor.execute(() -> granted.accept(mine));
            } else {
                mine.end(Outcome.IGNORED); // Cancelled meanwhile; this also wakes the next.
            }
        }

        /** Leaves the queue. A lease that is on its way already is still delivered, and must be ended. Any thread. */
        public void cancel() {
            if (state.compareAndSet(OPEN, CANCELLED)) {
                room.forget(this);
            }
        }
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // Under the door.
    private void forget(Ticket ticket) {
        synchronized (door) {
            TreeMap<Long, Ticket> queue = queues.get(ticket.model());
            if (queue != null && queue.remove(ticket.rank) != null) {
                waiting--;
                if (queue.isEmpty()) {
                    queues.remove(ticket.model());
                }
            }
        }
    }
}
