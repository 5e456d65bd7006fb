package io.penstock.proxy.front;

import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.assertj.core.api.Assertions;

/** Waits for a condition instead of for luck. */
public final class Eventually {

    private static final long DEADLINE_NANOS = TimeUnit.SECONDS.toNanos(10);

    private Eventually() {}

    /** Waits until something is so; fails after ten seconds. */
    public static void that(String what, BooleanSupplier condition) {
        that(() -> what, condition);
    }

    /** Waits until something is so; the words are made when it fails. */
    public static void that(Supplier<String> what, BooleanSupplier condition) {
        long start = System.nanoTime();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - start > DEADLINE_NANOS) {
                Assertions.fail("never so: " + what.get());
            }
            try {
                Thread.sleep(2);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
