package io.penstock.admission;

import java.util.function.LongSupplier;

/**
 * How many requests wait, and how fast those that wait get their turn. Only time in which somebody waited counts, and the
 * last half minute of it counts most: what an empty room did says nothing of a full one. Guarded by the waiting room's
 * door, but for {@link #count}, which anybody may ask.
 */
final class Backlog {

    /** What happened so long ago, while somebody waited, counts a third of what happens now. */
    private static final double MEMORY_SECONDS = 30;
    /** A rate over less time than this would be chance. */
    private static final double LEAST_SECONDS = 1;

    private final LongSupplier nanoClock;
    private volatile int count;
    private long lookedNanos;
    private long movedNanos;
    // Both fade together, as time goes by in which somebody waits.
    private double served;
    private double seconds;

    Backlog(LongSupplier nanoClock) {
        this.nanoClock = nanoClock;
    }

    /** Requests that wait now. Any thread. */
    int count() {
        return count;
    }

    /** One more waits. */
    void joined() {
        long now = look();
        if (count == 0) {
            movedNanos = now;
        }
        change(1);
    }

    /** So many were given a replica, zero or more. */
    void served(int number) {
        if (number > 0) {
            movedNanos = look();
            served += number;
            change(-number);
        }
    }

    /** One has left without a replica. */
    void left() {
        look();
        change(-1);
    }

    /**
     * How long one that came now would wait for its turn: those who wait and itself, at the rate at which turns came
     * lately, and at least as long again as nobody has had one.
     *
     * @param unknown seconds that it would take as far as anybody else knows, for when nobody has had a turn yet
     * @return seconds
     */
    double waitSeconds(double unknown) {
        long now = look();
        double still = count == 0 ? 0 : (now - movedNanos) / 1e9;
        return Math.max(still, served == 0 ? unknown : (count + 1) * Math.max(LEAST_SECONDS, seconds) / served);
    }

    private long look() {
        long now = nanoClock.getAsLong();
        if (count > 0) {
            double passed = (now - lookedNanos) / 1e9;
            double kept = Math.exp(-passed / MEMORY_SECONDS);
            served *= kept;
            seconds = seconds * kept + MEMORY_SECONDS * (1 - kept);
        }
        lookedNanos = now;
        return now;
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // Under the door.
    private void change(int by) {
        count += by;
    }
}
