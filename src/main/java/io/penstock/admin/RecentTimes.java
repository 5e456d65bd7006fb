package io.penstock.admin;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/** The last times that something took, with the moments when it was. Any thread may add and ask. */
final class RecentTimes {

    private static final int KEPT = 32;
    private static final double NANOS_PER_MILLI = 1e6;

    private record Time(long atNanos, long tookNanos) {}

    private final AtomicReferenceArray<@Nullable Time> times = new AtomicReferenceArray<>(KEPT);
    private final AtomicInteger next = new AtomicInteger();

    void add(long atNanos, long tookNanos) {
        times.set(Math.floorMod(next.getAndIncrement(), KEPT), new Time(atNanos, tookNanos));
    }

    /** The median of those since a moment, in milliseconds; NaN if there are fewer than so many. */
    double medianMillis(long sinceNanos, int fewest) {
        long[] recent = new long[KEPT];
        int count = 0;
        for (int i = 0; i < KEPT; i++) {
            Time time = times.get(i);
            if (time != null && time.atNanos() - sinceNanos >= 0) {
                recent[count++] = time.tookNanos();
            }
        }
        if (count < fewest) {
            return Double.NaN;
        }
        Arrays.sort(recent, 0, count);
        return recent[count / 2] / NANOS_PER_MILLI;
    }
}
