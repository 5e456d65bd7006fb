package io.penstock.proxy;

/** How far Penstock is on its way down. One writer, the shutdown; every event loop reads. */
public final class Lifecycle {

    /** The steps, in order. */
    public enum Phase {
        /** Serving. */
        SERVING,
        /** Serving still, but every answer asks the client to connect elsewhere next time. */
        LAME_DUCK,
        /** New requests are refused, running ones may finish. */
        CLOSING
    }

    private volatile Phase phase = Phase.SERVING;

    /**
     * The present phase.
     *
     * @return the phase
     */
    public Phase phase() {
        return phase;
    }

    /**
     * Goes on. For the shutdown only.
     *
     * @param next the next phase
     */
    public void enter(Phase next) {
        phase = next;
    }

    /**
     * Whether connections should end with the answer that is being given.
     *
     * @return true once it has begun to go down
     */
    public boolean leaving() {
        return phase != Phase.SERVING;
    }
}
