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
    private final int promptBytes;
    private final Runnable freed;
    // Written by the event loop that relays the answer, read by the one that judges the replica.
    private volatile boolean output;
    private final AtomicBoolean ended = new AtomicBoolean();

    Lease(UpstreamState upstream, long startNanos, int promptBytes, Runnable freed) {
        this.upstream = upstream;
        this.epoch = upstream.epoch();
        this.startNanos = startNanos;
        this.promptBytes = promptBytes;
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
     * Notes that the engine made output for this request: an event with output, or a part of an answer that is none of
     * an error. Once one lease has said so, only output counts as the replica's progress, and other bytes (comments,
     * {@code response.created}, errors of the server in front of the engine) no longer do. Cheap; for the event loop that
     * relays the answer.
     *
     * @param nanos now, in nanoseconds of the injected clock
     */
    public void output(long nanos) {
        output = true;
        upstream.engine().madeOutput(nanos);
    }

    int promptBytes() {
        return promptBytes;
    }

    boolean hasOutput() {
        return output;
    }

    /**
     * Gives the place back. The first call counts, later ones do nothing. A failure after the replica's process was
     * restarted is ignored. Callable from any thread.
     *
     * @param outcome what the request says about the replica
     */
    public void end(Outcome outcome) {
        if (ended.compareAndSet(false, true)) {
            upstream.ended(this, outcome);
            freed.run();
        }
    }
}
