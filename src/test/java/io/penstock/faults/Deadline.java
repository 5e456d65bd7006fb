package io.penstock.faults;

import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** A bounded wait for a condition. */
final class Deadline {

    private static final int LOOK_MILLIS = 10;

    private final long endNanos;

    private Deadline(long nanos) {
        endNanos = System.nanoTime() + nanos;
    }

    static Deadline of(int seconds) {
        return new Deadline(TimeUnit.SECONDS.toNanos(seconds));
    }

    static Deadline ofMillis(int millis) {
        return new Deadline(TimeUnit.MILLISECONDS.toNanos(millis));
    }

    /** Whether a condition became so in time. */
    boolean met(Callable<Boolean> condition) throws Exception {
        while (!condition.call()) {
            if (System.nanoTime() - endNanos > 0) {
                return false;
            }
            Thread.sleep(LOOK_MILLIS);
        }
        return true;
    }

    /** Waits, and fails with these words when it is too late. */
    void until(Supplier<String> what, Callable<Boolean> condition) throws Exception {
        if (!met(condition)) {
            throw new AssertionError("never so: " + what.get());
        }
    }
}
