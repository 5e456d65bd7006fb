package io.penstock.upstream;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * How many requests a replica that has just come back may hold: a few, and twice as many for each first output it gives.
 * A cold replica with nothing in flight looks best to everyone, and would get everything at once. Any thread may call.
 */
public final class Ramp {

    private static final int FIRST = 4;
    private static final int LAST = 1024;
    private static final int NONE = 0;

    private final AtomicInteger cap = new AtomicInteger(NONE);

    Ramp() {}

    /** It came back while others work: begins. For the probe verticle only. */
    public void begin() {
        cap.set(FIRST);
    }

    /** Work waits that nobody else has room for: ends. */
    public void lift() {
        cap.set(NONE);
    }

    /** It gave a first output: doubles the cap, or ends if that is plenty. */
    public void firstOutput() {
        int now = cap.get();
        if (now != NONE) {
            // Whoever comes second at the same moment doubles nothing, which is no loss.
            cap.compareAndSet(now, 2 * now > LAST ? NONE : 2 * now);
        }
    }

    /**
     * Whether it limits anything now.
     *
     * @return true from begin until the end
     */
    public boolean active() {
        return cap.get() != NONE;
    }

    /**
     * How many requests it lets a replica hold now.
     *
     * @return 0 if it limits nothing
     */
    public int limit() {
        return cap.get();
    }

    /** The smaller of a limit and this one; 0 means none, here and there. */
    int within(int limit) {
        int now = cap.get();
        if (now == NONE || limit == 0) {
            return Math.max(now, limit);
        }
        return Math.min(now, limit);
    }
}
