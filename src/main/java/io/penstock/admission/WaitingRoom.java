package io.penstock.admission;

import io.penstock.config.PenstockConfig;
import io.penstock.selection.LearnedSpeed;
import io.penstock.selection.PredictionTerms;
import io.penstock.selection.RequestTraits;
import io.penstock.upstream.Lease;
import io.penstock.upstream.LiveUpstreams;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where a request gets its replica, at once if one is free, else after waiting. One room serves all event loops, so that
 * there is one order and one view of the load.
 *
 * <p>Fast path: nobody waits, so the choice is a read and a compare-and-set. Slow path: the one lock of the request
 * path, with no I/O and no foreign call inside. A waiter is put in the queue first and tried second, so a place that
 * becomes free in between is not missed.
 *
 * <p>While replicas are chosen by predicted delay, every choice is made under the lock, and whoever was assigned to a
 * replica waits in its lane ({@link Lanes}); the queues are for those that nobody can take.
 */
public final class WaitingRoom {

    private static final Logger LOG = LoggerFactory.getLogger(WaitingRoom.class);

    private final LiveUpstreams live;
    private final LongSupplier nanoClock;
    private final PlaceFinder finder;
    private final PredictionTerms terms;
    private final Object door = new Object();

    // Guarded by door.
    private final Queues queues = new Queues();
    // Guarded by door: they were in lanes that are no more, and have yet to be queued.
    private final List<Ticket> displaced = new ArrayList<>();
    private long lastRank;
    private long lastFrontRank = Long.MIN_VALUE;

    // Written under door; how many wait is read without.
    private final Backlog backlog;

    // Written by the config verticle's news, read by every event loop.
    private volatile PenstockConfig.Selection policy;
    private volatile PenstockConfig.Admission limits;
    // Written under door; null unless predictions are made.
    private volatile @Nullable Lanes lanes;

    /**
     * Opens the room.
     *
     * @param live the replicas
     * @param config policy and limits
     * @param nanoClock the time, in nanoseconds
     */
    public WaitingRoom(LiveUpstreams live, PenstockConfig config, LongSupplier nanoClock) {
        this(live, config, nanoClock, PredictionTerms.ALL);
    }

    /**
     * Opens the room for an experiment.
     *
     * @param live the replicas
     * @param config policy and limits
     * @param nanoClock the time, in nanoseconds
     * @param terms what predictions take into account, if any are made
     */
    public WaitingRoom(LiveUpstreams live, PenstockConfig config, LongSupplier nanoClock, PredictionTerms terms) {
        this.live = live;
        this.nanoClock = nanoClock;
        this.terms = terms;
        this.backlog = new Backlog(nanoClock);
        this.policy = config.selection();
        this.finder = new PlaceFinder(live, nanoClock, policy.policy(), this::wake);
        this.limits = config.admission();
        this.lanes = lanes(policy);
    }

    private @Nullable Lanes lanes(PenstockConfig.Selection of) {
        return of.policy() == PenstockConfig.Policy.PREDICTED_DELAY
                ? new Lanes(live, nanoClock, terms, this::targetSeconds, door, this::wake)
                : null;
    }

    private double targetSeconds() {
        return limits.targetInterToken().toNanos() / 1e9;
    }

    /**
     * Takes over a new configuration. Those who wait stay.
     *
     * @param config policy and limits
     */
    public void reconfigure(PenstockConfig config) {
        limits = config.admission();
        if (!config.selection().equals(policy)) {
            policy = config.selection();
            finder.become(policy.policy());
            synchronized (door) {
                displace();
                lanes = lanes(policy);
            }
        }
        wake();
    }

    /**
     * Takes a replica for a request if one is free. A new request stands back if anybody waits; if the room is full, if
     * anybody waits who asks for the same model. One that was tried has waited its turn, and whoever waits now may wait
     * for a replica that is not this one's.
     *
     * @param traits what is known of the request
     * @param tried who has failed it
     * @return the lease, or null: then {@link #await} is next
     */
    public @Nullable Lease lease(RequestTraits traits, Tried tried) {
        Lanes inUse = lanes;
        boolean itsTurn = tried != Tried.NOBODY;
        if (inUse == null) {
            return itsTurn || backlog.count() == 0 || overtakesNobody(traits)
                    ? finder.find(null, traits, tried, null)
                    : null;
        }
        Lease lease;
        synchronized (door) {
            boolean may = itsTurn || queues.isEmpty() || overtakesNobody(traits);
            lease = may ? predicted(inUse, traits, tried, null) : null;
        }
        if (lanes == null) {
            wake(); // The predictions failed just now: whoever waited for them waits in the queue.
        }
        return lease;
    }

    /**
     * When the room is full of those who wait for other models, {@link #await} would refuse what could go at once. One
     * that shares a replica with them may take a place there that is just becoming free, before they are woken.
     */
    private boolean overtakesNobody(RequestTraits traits) {
        synchronized (door) {
            return backlog.count() >= limits.maxWaiting() && !queues.hold(Ticket.model(traits));
        }
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
     * @return the place in the queue; null if the room is full, or the request is one too many for the operator's target
     *     ({@link #aboveTarget}); never null for {@code front}
     */
    public @Nullable Ticket await(
            RequestTraits traits, Tried tried, boolean front, Executor executor, Consumer<Lease> granted) {
        Ticket ticket;
        synchronized (door) {
            if (!front && (backlog.count() >= limits.maxWaiting() || (tried == Tried.NOBODY && aboveTarget(traits)))) {
                return null;
            }
            ticket = new Ticket(this, traits, tried, front ? ++lastFrontRank : ++lastRank, executor, granted);
            queues.add(ticket);
            backlog.joined();
        }
        wake();
        return ticket;
    }

    /** Looks whether anyone who waits can go: a place became free, a replica came back, the set changed. Any thread. */
    public void wake() {
        if (backlog.count() == 0) {
            return;
        }
        List<Ticket> served = new ArrayList<>();
        synchronized (door) {
            Lanes inUse = lanes;
            if (inUse != null) {
                serveLanes(inUse, served);
            }
            if (lanes == null) {
                queueDisplaced();
                queues.serve(ticket -> serve(ticket, served));
            }
        }
        for (Ticket ticket : served) {
            ticket.deliver();
        }
    }

    private void serveLanes(Lanes inUse, List<Ticket> served) {
        int before = served.size();
        try {
            long now = nanoClock.getAsLong();
            displaced.addAll(inUse.vacate(now));
            queueDisplaced();
            queues.serve(ticket -> serve(ticket, served));
            before = served.size();
            if (lanes == inUse) {
                inUse.serve(now, served);
            }
        } catch (RuntimeException e) {
            distrust(e);
        } finally {
            backlog.served(served.size() - before);
        }
        RuntimeException broken = inUse.broken();
        if (broken != null) {
            distrust(broken);
        }
    }

    private void queueDisplaced() {
        for (Ticket ticket : displaced) {
            if (ticket.lease() == null) {
                ticket.assign(null);
                queues.add(ticket);
            }
        }
        displaced.clear();
    }

    private void displace() {
        Lanes gone = lanes;
        if (gone != null) {
            displaced.addAll(gone.tickets());
            lanes = null;
        }
    }

    /** An inner check of the predictions failed: from now on the fewest in flight decide. Whoever waits is kept. */
    private void distrust(RuntimeException e) {
        if (lanes != null) {
            LOG.error("predicted_delay has failed; replicas are chosen by least_in_flight until the next start", e);
            displace();
        }
    }

    private boolean serve(Ticket ticket, List<Ticket> served) {
        Lanes inUse = lanes;
        Lease lease = inUse == null
                ? finder.find(null, ticket.traits(), ticket.tried(), null)
                : predicted(inUse, ticket.traits(), ticket.tried(), ticket);
        if (lease == null) {
            return ticket.assignment() != null; // It waits on, in a lane.
        }
        backlog.served(1);
        ticket.lease(lease);
        served.add(ticket);
        return true;
    }

    /** Under the door. If anything is wrong with the predictions, the choice is made without them. */
    private @Nullable Lease predicted(Lanes inUse, RequestTraits traits, Tried tried, @Nullable Ticket ticket) {
        try {
            RuntimeException broken = inUse.broken();
            if (broken == null) {
                return finder.find(inUse, traits, tried, ticket);
            }
            distrust(broken);
        } catch (RuntimeException e) {
            distrust(e);
        }
        if (ticket != null) {
            displaced.remove(ticket);
            ticket.assign(null);
        }
        return finder.find(null, traits, tried, null);
    }

    /**
     * How long a request that was refused should stay away: about as long as its turn would have taken, as measured by
     * the turns of those who waited and, while predictions are made, as predicted, whichever is longer. Any thread.
     *
     * @param traits what is known of the request
     * @param chance from 0 to below 1: not everyone is told the same
     * @return seconds, 1 to 60
     */
    public int retryAfterSeconds(RequestTraits traits, double chance) {
        synchronized (door) {
            double predicted = predictedSeconds(traits);
            double measured = backlog.waitSeconds(predicted > 0 ? predicted : RetryAfter.USUAL_SECONDS);
            return RetryAfter.seconds(Math.max(measured, predicted), chance);
        }
    }

    /**
     * Whether a new request is refused because everybody's tokens would come too slowly with one more. Any thread.
     *
     * @param traits what is known of the request
     * @return false if there is no {@code admission.targetInterToken}, or nobody predicts anything
     */
    public boolean aboveTarget(RequestTraits traits) {
        synchronized (door) {
            Lanes inUse = lanes;
            try {
                return inUse != null && inUse.aboveTarget(traits, nanoClock.getAsLong());
            } catch (RuntimeException e) {
                distrust(e);
                return false;
            }
        }
    }

    private double predictedSeconds(RequestTraits traits) {
        Lanes inUse = lanes;
        try {
            return inUse == null ? 0 : inUse.waitSeconds(traits, nanoClock.getAsLong());
        } catch (RuntimeException e) {
            distrust(e);
            return 0;
        }
    }

    /**
     * Whether choices are predicted. Then prompts are looked at, if they were read, and time alone lets requests go, so
     * somebody has to {@link #wake} those that wait, every 10 ms or so.
     *
     * @return true if so
     */
    public boolean predicts() {
        return lanes != null;
    }

    /** What was learned of the replicas, by their ids; empty unless predictions are made. Any thread may ask. */
    public Map<String, LearnedSpeed> learned() {
        Lanes inUse = lanes;
        return inUse == null ? Map.of() : inUse.learned();
    }

    /** For tests: null unless predictions are made. */
    @Nullable
    Lanes lanes() {
        return lanes;
    }

    /**
     * Requests that wait now.
     *
     * @return zero or more
     */
    public int waiting() {
        return backlog.count();
    }

    /** It leaves without a lease, if it is still here. */
    void forget(Ticket ticket) {
        synchronized (door) {
            Lanes inUse = lanes;
            if (displaced.remove(ticket) || (inUse != null && inUse.remove(ticket)) || queues.remove(ticket)) {
                backlog.left();
            }
        }
    }
}
