package io.penstock.admin;

import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;

/** What happened in one second of the injected clock. Any thread may add to it and read it. */
final class TrafficSecond {

    /** What is counted. */
    enum Kind {
        /** Requests that came. */
        ARRIVED,
        /** Whole answers. */
        WHOLE,
        /** Requests that ended in any other way, but for clients that left. */
        LOST,
        /** Those of them for which there was no room. */
        TURNED_AWAY,
        /** Requests that were given to one more replica. */
        MOVED
    }

    /**
     * Four buckets for each doubling, from a microsecond to a quarter of an hour: a percentile is wrong by an eighth at
     * most.
     */
    static final int BUCKETS = 120;

    private static final int PER_DOUBLING = 4;
    private static final long NANOS_PER_MICRO = 1000;
    private static final double MICROS_PER_MILLI = 1e3;

    private final long number;
    // Filled once, before anyone else sees it.
    private final Map<Kind, AtomicLong> counts = new EnumMap<>(Kind.class);
    private final AtomicIntegerArray firstOutputs = new AtomicIntegerArray(BUCKETS);

    /** Counts from zero; {@code number} tells seconds apart. */
    TrafficSecond(long number) {
        this.number = number;
        for (Kind kind : Kind.values()) {
            counts.put(kind, new AtomicLong());
        }
    }

    long number() {
        return number;
    }

    void count(Kind kind) {
        counter(kind).incrementAndGet();
    }

    long counted(Kind kind) {
        return counter(kind).get();
    }

    private AtomicLong counter(Kind kind) {
        return Objects.requireNonNull(counts.get(kind));
    }

    /** A first output came so long after its request. */
    void firstOutput(long nanos) {
        firstOutputs.incrementAndGet(bucket(nanos));
    }

    /** Adds its first outputs to a histogram of {@link #BUCKETS}. */
    void addTo(long[] histogram) {
        for (int i = 0; i < BUCKETS; i++) {
            histogram[i] += firstOutputs.get(i);
        }
    }

    static int bucket(long nanos) {
        long micros = Math.max(PER_DOUBLING, nanos / NANOS_PER_MICRO);
        int doublings = Long.SIZE - 1 - Long.numberOfLeadingZeros(micros);
        int quarter = (int) (micros >>> (doublings - 2)) & (PER_DOUBLING - 1);
        return Math.min(doublings * PER_DOUBLING + quarter, BUCKETS - 1);
    }

    /** The value below which such a share of a histogram lies, in milliseconds; NaN if it is empty. */
    static double percentileMillis(long[] histogram, double share) {
        long total = 0;
        for (long count : histogram) {
            total += count;
        }
        long rank = (long) Math.ceil(total * share);
        long seen = 0;
        for (int i = 0; i < histogram.length; i++) {
            seen += histogram[i];
            if (histogram[i] > 0 && seen >= rank) {
                return middleMillis(i);
            }
        }
        return Double.NaN;
    }

    private static double middleMillis(int bucket) {
        int doublings = bucket / PER_DOUBLING;
        double width = Math.scalb(1.0, doublings - 2);
        return (PER_DOUBLING + bucket % PER_DOUBLING + 0.5) * width / MICROS_PER_MILLI;
    }
}
