package io.penstock.proxy;

import io.vertx.core.Vertx;
import java.time.Duration;

/** One timer that is set, set again and cancelled. Confined to one event loop. */
final class Alarm {

    private static final long NOT_SET = -1;

    private final Vertx vertx;
    private long timer = NOT_SET;

    Alarm(Vertx vertx) {
        this.vertx = vertx;
    }

    /**
     * Rings once after a while, unless it is set again or cancelled before.
     *
     * @param delay how long; what has passed already rings at once, but never before this returns
     * @param action what to do then
     */
    void ring(Duration delay, Runnable action) {
        cancel();
        timer = vertx.setTimer(Math.max(1, delay.toMillis()), fired -> {
            timer = NOT_SET;
            action.run();
        });
    }

    /** Does not ring any more. */
    void cancel() {
        if (timer != NOT_SET) {
            vertx.cancelTimer(timer);
            timer = NOT_SET;
        }
    }

    /**
     * Whether it is going to ring.
     *
     * @return true from {@link #ring} until it has rung or was cancelled
     */
    boolean isSet() {
        return timer != NOT_SET;
    }
}
