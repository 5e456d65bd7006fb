package io.penstock.upstream;

import java.util.concurrent.atomic.AtomicBoolean;

/**
 * One request's claim on a replica, from the choice until the last byte. Whoever comes first ends it; everyone else is
 * ignored.
 */
public final class Lease {

    private final UpstreamState upstream;
    private final int epoch;
    private final long startNanos;
    private final Runnable freed;
    private final AtomicBoolean ended = new AtomicBoolean();

    Lease(UpstreamState upstream, long startNanos, Runnable freed) {
        this.upstream = upstream;
        this.epoch = upstream.epoch();
        this.startNanos = startNanos;
        this.freed = freed;
    }

    /**
     * The replica.
     *
     * @return its state
     */
    public UpstreamState upstream() {
        return upstream;
    }

    /**
     * The replica's epoch when the lease was taken.
     *
     * @return the epoch
     */
    public int epoch() {
        return epoch;
    }

    /**
     * When the lease was taken.
     *
     * @return nanoseconds of the injected clock
     */
    public long startNanos() {
        return startNanos;
    }

    /**
     * Gives the place back. The first call counts, later ones do nothing. A failure after the replica's process was
     * restarted is ignored. Callable from any thread.
     *
     * @param outcome what the request says about the replica
     */
    public void end(Outcome outcome) {
        if (ended.compareAndSet(false, true)) {
            upstream.ended(outcome, epoch);
            freed.run();
        }
    }
}
