package io.penstock.upstream;

/** Whether a replica may get new work, in the words that people see. */
public enum Standing {
    /** Not asked yet, or asked and not ready since Penstock started. Nothing is routed before the first pass. */
    STARTING(false),
    /** It passes its probes. */
    READY(true),
    /** Its port is closed: it is loading, or it is gone. Running streams go on, new work does not come. */
    REFUSED(false),
    /**
     * It says itself that it takes no more work, though it may pass its probes: a vLLM that was told to stop, or whose
     * engine is dead. Running streams go on, new work does not come until another process runs there.
     */
    LEAVING(false),
    /** Its probes fail in another way: no answer, or one that is not 200. */
    FAILING(false),
    /** It passes its probes and fails requests. It rests a while, then one request at a time shows whether it is well. */
    EJECTED(false),
    /**
     * It passes its probes, but has shown no progress with the work it has for longer than that work explains. It gets
     * new work only where nobody else can take it, until something comes out of it.
     */
    SUSPECT(false),
    /** It passes its probes, and its engine stands still. Nothing new is sent there until it makes a token. */
    STALLED(false);

    private final boolean takesWork;

    Standing(boolean takesWork) {
        this.takesWork = takesWork;
    }

    /**
     * Says whether requests may be sent there.
     *
     * @return true for {@link #READY} only
     */
    public boolean takesWork() {
        return takesWork;
    }
}
