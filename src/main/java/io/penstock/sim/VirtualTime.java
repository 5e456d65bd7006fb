package io.penstock.sim;

import java.time.Duration;
import java.util.PriorityQueue;
import java.util.function.LongSupplier;

/**
 * A clock that stands still until somebody moves it, and the tasks that wait for it. What is due at the same time runs in
 * the order in which it was asked for, so the same program always runs in the same way. Confined to one thread.
 */
public final class VirtualTime implements Timers, LongSupplier {

    private final PriorityQueue<Task> tasks = new PriorityQueue<>();
    private long now;
    private long asked;

    /** Starts at 0. */
    public VirtualTime() {}

    /**
     * The time, as a clock.
     *
     * @return nanoseconds since the start
     */
    @Override
    public long getAsLong() {
        return now;
    }

    @Override
    public Alarm after(Duration delay, Runnable task) {
        return at(now + Math.max(0, delay.toNanos()), task);
    }

    /**
     * Runs a task once.
     *
     * @param nanos when; a time that is over means now, after what is due already
     * @param task what to run
     * @return the way to call it off
     */
    public Alarm at(long nanos, Runnable task) {
        Task made = new Task(Math.max(nanos, now), asked++, task);
        tasks.add(made);
        return made;
    }

    /**
     * Runs what is due next, all by itself, and moves the clock to its time.
     *
     * @return false if nothing waits
     */
    public boolean runNext() {
        Task next = tasks.poll();
        if (next == null) {
            return false;
        }
        if (!next.canceled) {
            now = next.dueNanos;
            next.action.run();
        }
        return true;
    }

    /**
     * Runs everything that is due up to a time, this time included, and leaves the clock there.
     *
     * @param nanos until when; a time that is over does nothing
     */
    public void runUntil(long nanos) {
        runUntil(nanos, () -> {});
    }

    /**
     * As {@link #runUntil(long)}, with a look around after everything that happens.
     *
     * @param nanos until when
     * @param afterEach run after each task
     */
    public void runUntil(long nanos, Runnable afterEach) {
        for (Task next = tasks.peek(); next != null && next.dueNanos <= nanos; next = tasks.peek()) {
            runNext();
            afterEach.run();
        }
        now = Math.max(now, nanos);
    }

    /** Runs everything until nothing waits; never returns if tasks always ask for others. */
    public void runAll() {
        while (runNext()) {}
    }

    private static final class Task implements Alarm, Comparable<Task> {

        private final long dueNanos;
        private final long number;
        private final Runnable action;
        private boolean canceled;

        Task(long dueNanos, long number, Runnable action) {
            this.dueNanos = dueNanos;
            this.number = number;
            this.action = action;
        }

        @Override
        public void cancel() {
            canceled = true;
        }

        @Override
        public int compareTo(Task other) {
            int byTime = Long.compare(dueNanos, other.dueNanos);
            return byTime != 0 ? byTime : Long.compare(number, other.number);
        }
    }
}
