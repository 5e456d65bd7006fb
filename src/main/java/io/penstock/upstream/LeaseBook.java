package io.penstock.upstream;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/** Counts the leases of one replica: those that run now, and all there ever were by how they ended. Any thread may call. */
final class LeaseBook {

    private final AtomicInteger inFlight = new AtomicInteger();
    private final LongAdder started = new LongAdder();
    private final LongAdder completed = new LongAdder();
    private final LongAdder failed = new LongAdder();
    private final LongAdder ignored = new LongAdder();

    /** Takes a place, unless {@code limit} are taken; 0 means no limit. Returns whether it did. */
    boolean take(int limit) {
        while (true) {
            int held = inFlight.get();
            if (limit > 0 && held >= limit) {
                return false;
            }
            if (inFlight.compareAndSet(held, held + 1)) {
                started.increment();
                return true;
            }
        }
    }

    /** Gives a place back that was taken; once for each. */
    void giveBack(Outcome outcome) {
        inFlight.decrementAndGet();
        switch (outcome) {
            case COMPLETED -> completed.increment();
            case FAILED -> failed.increment();
            case IGNORED -> ignored.increment();
        }
    }

    int inFlight() {
        return inFlight.get();
    }

    long started() {
        return started.sum();
    }

    long count(Outcome outcome) {
        return switch (outcome) {
            case COMPLETED -> completed.sum();
            case FAILED -> failed.sum();
            case IGNORED -> ignored.sum();
        };
    }
}
