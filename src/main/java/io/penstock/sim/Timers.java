package io.penstock.sim;

import java.time.Duration;

/** Runs something later, on the simulator's own event loop. */
interface Timers {

    /**
     * Runs a task once.
     *
     * @param delay from now; nothing and less means "as soon as what runs now is over"
     * @param task what to run
     * @return the way to call it off
     */
    Alarm after(Duration delay, Runnable task);

    /** One task that waits for its time. */
    interface Alarm {

        /** Calls it off. Does nothing when the task has already run. */
        void cancel();
    }
}
