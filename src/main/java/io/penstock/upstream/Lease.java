package io.penstock.upstream;

import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * One request's claim on a replica, from the choice until the last byte. Whoever comes first ends it; everyone else is
 * ignored.
 */
public final class Lease {

    private final UpstreamState upstream;
    private final int epoch;
    private final int chapter;
    private final @Nullable Ejection trial;
    private final long startNanos;
    private final int promptBytes;
    private final LeaseListener listener;
    // Written by the event loop that relays the answer, read by the one that judges the replica.
    private volatile boolean output;
    private final AtomicBoolean ended = new AtomicBoolean();
    // Written by the owner before the end.
    private volatile boolean provesNothing;

    Lease(UpstreamState upstream, long startNanos, int promptBytes, LeaseListener listener, @Nullable Ejection trial) {
        this.upstream = upstream;
        this.epoch = upstream.epoch();
        this.chapter = upstream.conduct().chapter();
        this.trial = trial;
        this.startNanos = startNanos;
        this.promptBytes = promptBytes;
        this.listener = listener;
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
     * Whether this request is to show that an ejected replica is well again. If it fails, that is no fault of the
     * request: it goes elsewhere at no cost.
     *
     * @return true for one request at a time
     */
    public boolean onTrial() {
        return trial != null;
    }

    /** What comes is not the engine's work (a 4xx, a list), so a completed end will not count for the replica. */
    public void provesNothing() {
        provesNothing = true;
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
        listener.output(nanos);
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
            Outcome counted = upstream.ended(this, outcome);
            Outcome proof = provesNothing && counted == Outcome.COMPLETED ? Outcome.IGNORED : counted;
            upstream.conduct().ended(proof, chapter);
            if (trial != null) {
                trial.ended(proof);
            }
            listener.ended(counted);
        }
    }
}
