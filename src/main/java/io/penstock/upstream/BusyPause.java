package io.penstock.upstream;

import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * A short rest for a replica that said it has too much to do: nobody else is sent there for a moment, if there is a peer.
 * Saying so again after the rest doubles the next one; an answer forgets them. Any thread may call.
 */
public final class BusyPause {

    private static final long FIRST_NANOS = 250_000_000;
    private static final long LONGEST_NANOS = 2_000_000_000;
    /** Share of its length by which a pause varies either way, so that event loops do not come back in step. */
    private static final double JITTER = 0.2;

    private record Pause(long untilNanos, long lengthNanos) {}

    private final AtomicReference<@Nullable Pause> pause = new AtomicReference<>();

    BusyPause() {}

    /**
     * The replica said that it is busy. A burst that is refused together is one pause.
     *
     * @param nowNanos now
     * @param chance from 0 to below 1
     */
    public void begin(long nowNanos, double chance) {
        Pause last = pause.get();
        if (last != null && last.untilNanos() - nowNanos > 0) {
            return;
        }
        long length = last == null ? FIRST_NANOS : Math.min(LONGEST_NANOS, 2 * last.lengthNanos());
        double jitter = 1 - JITTER + 2 * JITTER * Math.min(1, chance);
        pause.compareAndSet(last, new Pause(nowNanos + (long) (length * jitter), length));
    }

    /**
     * Whether it rests now.
     *
     * @param nowNanos now
     * @return true until the pause is over
     */
    public boolean holds(long nowNanos) {
        Pause now = pause.get();
        return now != null && now.untilNanos() - nowNanos > 0;
    }

    /** It answered: the next pause is short again, and this one is over. */
    void forget() {
        if (pause.get() != null) {
            pause.set(null);
        }
    }
}
