package io.penstock.upstream;

import java.util.Locale;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;

/**
 * One time out of rotation for the errors a replica gave, and the trial that ends it. First it rests, then it may get one
 * request at a time; the first one that says something decides.
 *
 * <pre>
 *   RESTING ── open ──→ OPEN ── take ──→ TAKEN ── completed ──→ PASSED
 *                        ↑                 │ ──── failed ─────→ FAILED
 *                        └── says nothing ─┘
 * </pre>
 *
 * <p>The probe verticle makes it, opens it and acts on its result; any event loop may take the trial.
 */
public final class Ejection {

    /** Why a replica is ejected. */
    public enum Cause {
        /** Too many faults in a row. */
        CONSECUTIVE,
        /** Too large a share of its requests failed. */
        SHARE,
        /** The request that was to prove it well failed. */
        TRIAL;

        /**
         * The metric label.
         *
         * @return lower case
         */
        public String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** How far it is. */
    public enum Phase {
        /** No work at all, until its time is over. */
        RESTING,
        /** The next request is its trial. */
        OPEN,
        /** A request is there on trial. */
        TAKEN,
        /** The trial was completed: it comes back. */
        PASSED,
        /** The trial failed: it is ejected again. */
        FAILED
    }

    private static final AtomicReferenceFieldUpdater<Ejection, Phase> PHASE =
            AtomicReferenceFieldUpdater.newUpdater(Ejection.class, Phase.class, "phase");

    private final Cause cause;
    private final String reason;
    // Opened by the probe verticle, moved on by whoever has the trial.
    private volatile Phase phase = Phase.RESTING;

    /**
     * Begins to rest.
     *
     * @param cause why, for the metric
     * @param reason why and for how long, in one phrase for people
     */
    public Ejection(Cause cause, String reason) {
        this.cause = cause;
        this.reason = reason;
    }

    /**
     * Why.
     *
     * @return the cause
     */
    public Cause cause() {
        return cause;
    }

    /**
     * Why and for how long, or what it waits for.
     *
     * @return one phrase for people
     */
    public String reason() {
        return switch (phase) {
            case RESTING, FAILED -> reason;
            case OPEN, TAKEN, PASSED -> reason + "; on trial now";
        };
    }

    /**
     * How far it is.
     *
     * @return the phase of this moment
     */
    public Phase phase() {
        return phase;
    }

    /** Its time is over: the next request is the trial. For the probe verticle only. */
    public void open() {
        PHASE.compareAndSet(this, Phase.RESTING, Phase.OPEN);
    }

    /** Takes the trial for one request; false if there is none to take. */
    boolean take() {
        return phase == Phase.OPEN && PHASE.compareAndSet(this, Phase.OPEN, Phase.TAKEN);
    }

    /** The request on trial has ended. One that says nothing about the replica leaves the trial to the next. */
    void ended(Outcome outcome) {
        PHASE.compareAndSet(
                this,
                Phase.TAKEN,
                switch (outcome) {
                    case COMPLETED -> Phase.PASSED;
                    case FAILED -> Phase.FAILED;
                    case IGNORED -> Phase.OPEN;
                });
    }
}
