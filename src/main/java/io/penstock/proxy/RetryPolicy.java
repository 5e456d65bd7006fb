package io.penstock.proxy;

import io.penstock.config.PenstockConfig;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;

/**
 * How many errors may be hidden by asking another replica. Retries are a share of the requests of the last ten seconds,
 * so that a fleet in trouble gets a little more work from them and never a multiple; a floor keeps them possible when
 * there is little traffic. One policy for all event loops; any thread may ask.
 */
public final class RetryPolicy {

    private static final int WINDOW_SECONDS = 10;
    private static final long NANOS_PER_SECOND = 1_000_000_000;
    /** The longest pause before the first retry; each further one may be four times as long. */
    private static final long FIRST_PAUSE_NANOS = 25_000_000;

    private static final long LONGEST_PAUSE_NANOS = NANOS_PER_SECOND;

    private final LongSupplier nanoClock;
    private final DoubleSupplier random;
    private final long startNanos;
    private final Tally requests = new Tally();
    private final Tally retries = new Tally();
    // Written by the config verticle's news, read by every event loop.
    private volatile PenstockConfig.Retry settings;

    /**
     * Makes one with nothing in its window.
     *
     * @param settings the operator's limits
     * @param nanoClock the time, in nanoseconds
     * @param random chance, from 0 to below 1
     */
    public RetryPolicy(PenstockConfig.Retry settings, LongSupplier nanoClock, DoubleSupplier random) {
        this.settings = settings;
        this.nanoClock = nanoClock;
        this.random = random;
        this.startNanos = nanoClock.getAsLong();
    }

    /**
     * Takes over other limits. What was counted stays.
     *
     * @param next the operator's limits
     */
    public void reconfigure(PenstockConfig.Retry next) {
        settings = next;
    }

    /** Counts a request that came in; retries are a share of these. */
    void requestBegan() {
        requests.add(second());
    }

    /**
     * Whether one request may be retried at all. Takes nothing from the budget.
     *
     * @param retriesSoFar how often it was
     * @return true if {@code retry.max} is not reached
     */
    boolean permits(int retriesSoFar) {
        return retriesSoFar < settings.max();
    }

    /**
     * Takes one retry from the budget. Event loops that ask at the same moment may take one more than there is.
     *
     * @return true if there was one left
     */
    boolean take() {
        PenstockConfig.Retry now = settings;
        long second = second();
        long share = requests.recent(second) * now.budgetPercent() / 100;
        if (retries.recent(second) >= Math.max(share, now.floor())) {
            return false;
        }
        retries.add(second);
        return true;
    }

    /**
     * How long to wait before a retry: any time up to a limit that grows, so that requests that failed together do not
     * come again together.
     *
     * @param retry which one it is for the request, from 0
     * @return zero up to one second
     */
    Duration backOff(int retry) {
        long most = Math.min(LONGEST_PAUSE_NANOS, FIRST_PAUSE_NANOS << Math.min(2 * retry, 16));
        return Duration.ofNanos((long) (most * random.getAsDouble()));
    }

    /** Chance, from 0 to below 1, for other pauses. */
    double chance() {
        return random.getAsDouble();
    }

    private long second() {
        return (nanoClock.getAsLong() - startNanos) / NANOS_PER_SECOND;
    }

    /** Events of the last ten seconds, counted by the second. A cell holds the second it is of and the count. */
    private static final class Tally {

        private static final int COUNT_BITS = 32;
        private static final long COUNT = (1L << COUNT_BITS) - 1;

        private final AtomicLong[] cells = new AtomicLong[WINDOW_SECONDS];

        private Tally() {
            for (int i = 0; i < WINDOW_SECONDS; i++) {
                cells[i] = new AtomicLong();
            }
        }

        private void add(long second) {
            cells[(int) (second % WINDOW_SECONDS)].updateAndGet(
                    cell -> cell >>> COUNT_BITS == second ? cell + 1 : second << COUNT_BITS | 1);
        }

        private long recent(long second) {
            long sum = 0;
            for (AtomicLong each : cells) {
                long cell = each.get();
                if (second - (cell >>> COUNT_BITS) < WINDOW_SECONDS) {
                    sum += cell & COUNT;
                }
            }
            return sum;
        }
    }
}
