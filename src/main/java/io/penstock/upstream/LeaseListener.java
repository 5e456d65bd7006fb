package io.penstock.upstream;

/** Told what becomes of a lease, by the thread that knows: whoever relays the answer, or whoever ends it. Never throws. */
public interface LeaseListener {

    /**
     * The engine made output for the request, for the first time or once more.
     *
     * @param nanos now, in nanoseconds of the injected clock
     */
    void output(long nanos);

    /**
     * The lease has ended, and its place is free again. Called once.
     *
     * @param outcome what it counts as
     */
    void ended(Outcome outcome);

    /**
     * Wants to know of the end only.
     *
     * @param freed run at the end
     * @return a listener
     */
    static LeaseListener atEnd(Runnable freed) {
        return new LeaseListener() {
            @Override
            public void output(long nanos) {}

            @Override
            public void ended(Outcome outcome) {
                freed.run();
            }
        };
    }
}
