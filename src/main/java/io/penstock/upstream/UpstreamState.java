package io.penstock.upstream;

import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * What is known about one replica at this moment. It outlives reloads: counters, drain mark and what was learned stay as
 * long as the identity does.
 *
 * <p>Any event loop may read it and take leases. Who writes is said at each field.
 */
public final class UpstreamState {

    private final String id;

    // Taken and given back by every event loop, through Lease only.
    private final LeaseBook book = new LeaseBook();
    private final Conduct conduct = new Conduct();
    private final EngineActivity engine = new EngineActivity(this);
    // Written by whoever selects, on any event loop.
    private final AtomicLong turn = new AtomicLong();
    private final Opinion opinion = new Opinion(conduct, engine);
    // Written by LiveUpstreams only.
    private volatile Upstream identity;
    private volatile boolean removed;
    // Written by the admin verticle only.
    private volatile boolean draining;
    // Written by the probe verticle only.
    private volatile @Nullable Set<String> models;
    private volatile int epoch;
    private volatile long passedProbes;
    // Written by every event loop that relays for it; 0 until the first byte. The latest writer wins, give or take.
    private volatile long lastProgressNanos;

    /**
     * Makes the state of a replica nobody has seen yet.
     *
     * @param identity who it is
     */
    public UpstreamState(Upstream identity) {
        this.id = identity.id();
        this.identity = identity;
    }

    /**
     * The identity that never changes.
     *
     * @return the id
     */
    public String id() {
        return id;
    }

    /**
     * What people call it.
     *
     * @return the display name
     */
    public String name() {
        return identity.name();
    }

    /**
     * Who and where it is, as of the last reload or resolution.
     *
     * @return an immutable value
     */
    public Upstream identity() {
        return identity;
    }

    void become(Upstream next) {
        identity = next;
    }

    /**
     * Whether new work may be sent there now: it is ready, has an address, is not draining and not removed. Says nothing
     * about {@code maxInFlight}; {@link #lease} does.
     *
     * @return true if it is in rotation
     */
    public boolean usable() {
        return standing().takesWork() && placed();
    }

    /**
     * Whether it could serve if it had to: as {@link #usable}, or it would be but for its ejection or a suspicion. One
     * that is stalled could not.
     *
     * @return true if a request sent there may well be answered
     */
    public boolean accepting() {
        return opinion.passesProbes() && standing() != Standing.STALLED && placed();
    }

    /**
     * How it has treated requests lately.
     *
     * @return the same object for ever
     */
    public Conduct conduct() {
        return conduct;
    }

    /**
     * Whether new work may be sent there if nobody {@linkplain #usable usable} can take it: it would be usable if it were
     * not suspected. Such a one goes before those that are ejected.
     *
     * @return true if it is better than nobody
     */
    public boolean lastResort() {
        return standing() == Standing.SUSPECT && placed();
    }

    private boolean placed() {
        return !draining && !removed && !identity.addresses().isEmpty();
    }

    /**
     * The present standing: what its probes say, and if they pass, what its engine's progress and its requests say.
     *
     * @return the standing
     */
    public Standing standing() {
        return opinion.standing();
    }

    /**
     * Why it stands so, in one phrase for people.
     *
     * @return the reason
     */
    public String reason() {
        return opinion.reason();
    }

    /**
     * Sets the standing. For the probe verticle only.
     *
     * @param standing the new standing
     * @param reason why, in one phrase
     */
    public void judge(Standing standing, String reason) {
        opinion.judge(standing, reason);
    }

    /**
     * Takes a ready replica out of rotation at once because it refused a connection. Callable from any thread; the
     * probe verticle is told separately and brings it back.
     *
     * @param reason what was seen, in one phrase
     * @return true if this call took it out; false if it was out already
     */
    public boolean refuse(String reason) {
        return opinion.takeOut(Standing.REFUSED, reason);
    }

    /**
     * Takes a ready replica out of rotation at once because it said that it takes no more work. Callable from any thread;
     * the probe verticle is told separately and brings it back.
     *
     * @param reason what it said, in one phrase
     * @return true if this call took it out; false if it was out already
     */
    public boolean leave(String reason) {
        return opinion.takeOut(Standing.LEAVING, reason);
    }

    /**
     * Counts the process restarts that were seen. Faults of requests leased in an earlier epoch say nothing about the
     * process that runs now.
     *
     * @return the epoch, from 0
     */
    public int epoch() {
        return epoch;
    }

    /** Begins a new epoch: the replica's process was restarted. For the probe verticle only. */
    @SuppressWarnings("NonAtomicVolatileUpdate") // One writer.
    public void restarted() {
        epoch++;
        conduct.restarted();
        engine.restarted();
    }

    /**
     * How many probes have passed. A request that was failed by this replica may come back to it once this has moved.
     *
     * @return a number that only grows
     */
    public long passedProbes() {
        return passedProbes;
    }

    /** Notes a passed probe. For the probe verticle only. */
    @SuppressWarnings("NonAtomicVolatileUpdate") // One writer.
    public void probePassed() {
        passedProbes++;
    }

    /**
     * Notes that bytes of an answer came from this replica. Cheap; callable from any thread.
     *
     * @param nanos now, in nanoseconds of the injected clock
     */
    public void progressed(long nanos) {
        lastProgressNanos = nanos;
    }

    /**
     * When the last bytes of any answer came from this replica.
     *
     * @return nanoseconds of the injected clock, 0 if there were none yet
     */
    public long lastProgressNanos() {
        return lastProgressNanos;
    }

    /**
     * Whether bytes of any answer came from this replica after a moment. If so it is alive, however long a probe waits.
     *
     * @param nanos the moment, in nanoseconds of the injected clock
     * @return true if some came later than that
     */
    public boolean progressedSince(long nanos) {
        long last = lastProgressNanos;
        return last != 0 && last - nanos > 0;
    }

    /**
     * What its engine has to do, and shows.
     *
     * @return the same object always
     */
    public EngineActivity engine() {
        return engine;
    }

    /**
     * Whether this replica serves a model, as far as is known.
     *
     * @param model the model's id
     * @return true or false if its list is known (from the configuration, else from itself), null if it is not
     */
    public @Nullable Boolean serves(String model) {
        Set<String> known = knownModels();
        return known == null ? null : known.contains(model);
    }

    /**
     * The models it serves: from the configuration, else from its own list.
     *
     * @return the ids, or null while unknown
     */
    public @Nullable Set<String> knownModels() {
        Set<String> configured = identity.replica().models();
        return configured.isEmpty() ? models : configured;
    }

    /**
     * Notes the replica's own list of models. For the probe verticle only.
     *
     * @param list the ids, or null if the list cannot be read
     */
    public void learnModels(@Nullable Set<String> list) {
        models = list == null ? null : Set.copyOf(list);
    }

    /**
     * Whether an operator drains it.
     *
     * @return true from drain to undrain
     */
    public boolean draining() {
        return draining;
    }

    /**
     * Marks or unmarks it as draining. The mark is kept through reloads. For the admin verticle only.
     *
     * @param drain whether to send no more work there
     */
    public void drain(boolean drain) {
        draining = drain;
    }

    /**
     * Whether the configuration or the name service no longer has it; what runs there may finish.
     *
     * @return true once removed
     */
    public boolean removed() {
        return removed;
    }

    void remove(boolean gone) {
        removed = gone;
    }

    /** As {@link #lease(long, int, Runnable, boolean)}, without panic, for a request that gives the engine nothing to do. */
    public @Nullable Lease lease(long startNanos, Runnable freed) {
        return lease(startNanos, 0, freed, /* panic= */ false);
    }

    /**
     * Takes a place there for one request, unless it is full. An ejected one gives the place of its trial, if that is
     * free, and in a panic any number of places.
     *
     * @param startNanos now
     * @param promptBytes length of its body, from which the engine makes something; 0 if it has none
     * @param freed run once the place is free again, on the thread that ends the lease
     * @param panic whether there is nobody but ejected ones
     * @return the lease, or null if it is full, or ejected and its trial is not to be had
     */
    public @Nullable Lease lease(long startNanos, int promptBytes, Runnable freed, boolean panic) {
        return lease(startNanos, promptBytes, LeaseListener.atEnd(freed), panic);
    }

    /** As {@link #lease(long, int, Runnable, boolean)}, for somebody who wants to know of the output, too. */
    public @Nullable Lease lease(long startNanos, int promptBytes, LeaseListener listener, boolean panic) {
        Ejection out = conduct.ejection();
        Ejection trial = out != null && out.take() ? out : null;
        if (out != null && trial == null && !panic) {
            return null;
        }
        int limit = conduct.ramp().within(identity.replica().maxInFlight());
        if (!book.take(limit)) {
            if (trial != null) {
                trial.ended(Outcome.IGNORED);
            }
            return null;
        }
        Lease lease = new Lease(this, startNanos, promptBytes, listener, trial);
        engine.taken(lease);
        return lease;
    }

    /** Whether it holds as many requests as it may now, by {@code maxInFlight} or because it has just come back. */
    public boolean full() {
        int limit = conduct.ramp().within(identity.replica().maxInFlight());
        return limit > 0 && book.inFlight() >= limit;
    }

    /** Gives the place of a lease back; returns what its outcome counts as. */
    Outcome ended(Lease lease, Outcome outcome) {
        engine.ended(lease);
        // A fault of the process that ran before says nothing about the one that runs now.
        boolean stale = outcome == Outcome.FAILED && lease.epoch() != epoch;
        Outcome counted = stale ? Outcome.IGNORED : outcome;
        book.giveBack(counted);
        return counted;
    }

    /**
     * Requests that hold a lease now.
     *
     * @return zero or more
     */
    public int inFlight() {
        return book.inFlight();
    }

    /**
     * Leases taken since Penstock knows the replica.
     *
     * @return completed + failed + ignored + in flight, give or take those that change meanwhile
     */
    public long started() {
        return book.started();
    }

    /**
     * Leases that ended with one outcome.
     *
     * @param outcome which
     * @return their number
     */
    public long count(Outcome outcome) {
        return book.count(outcome);
    }

    /**
     * Its place in the order in which equals take turns; selection reads and writes it.
     *
     * @return the cell
     */
    public AtomicLong turn() {
        return turn;
    }

    @Override
    public String toString() {
        return name() + " " + standing();
    }
}
