package io.penstock.sim;

import io.netty.channel.EventLoop;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** Runs something later, on one event loop or in {@link VirtualTime}. */
public interface Timers {

    /**
     * Runs a task once.
     *
     * @param delay from now; nothing and less means "as soon as what runs now is over"
     * @param task what to run, on the same event loop
     * @return the way to call it off
     */
    Alarm after(Duration delay, Runnable task);

    /**
     * The timers of one event loop, to be used on it.
     *
     * @param loop the event loop
     * @return its timers
     */
    static Timers on(EventLoop loop) {
        return (delay, task) -> {
            var scheduled = loop.schedule(task, Math.max(0, delay.toNanos()), TimeUnit.NANOSECONDS);
            return () -> {
                boolean unused = scheduled.cancel(false);
            };
        };
    }

    /** One task that waits for its time. */
    interface Alarm {

        /** Calls it off. Does nothing when the task has already run. */
        void cancel();
    }
}
