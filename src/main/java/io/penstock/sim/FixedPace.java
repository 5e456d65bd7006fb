package io.penstock.sim;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.IntConsumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * An engine without limits: every request runs at once, its first token comes after a fixed time and the others at a
 * fixed distance, however many there are.
 */
final class FixedPace implements Engine {

    /** A cache of 1024 blocks of 128 tokens, as the observed server had. */
    private static final double CACHE_TOKENS = 131_072;

    private final Timers timers;
    private final LongSupplier nanoClock;
    private final Duration firstToken;
    private final Duration step;
    private final Set<Request> requests = new HashSet<>();
    private final List<Request> due = new ArrayList<>();
    private boolean frozen;

    FixedPace(Timers timers, LongSupplier nanoClock, Duration firstToken, Duration step) {
        this.timers = timers;
        this.nanoClock = nanoClock;
        this.firstToken = firstToken;
        this.step = step;
    }

    @Override
    public Slot admit(int promptTokens, int outputTokens, long slowdown, IntConsumer onToken) {
        Request request = new Request(promptTokens, outputTokens, slowdown, onToken);
        requests.add(request);
        request.schedule();
        return request;
    }

    @Override
    public void freeze() {
        frozen = true;
    }

    @Override
    public void thaw() {
        frozen = false;
        List<Request> late = List.copyOf(due);
        due.clear();
        late.forEach(Request::token);
    }

    @Override
    public int running() {
        return requests.size();
    }

    @Override
    public int waiting() {
        return 0;
    }

    @Override
    public double cacheUsage() {
        int tokens = 0;
        for (Request request : requests) {
            tokens += request.promptTokens + request.made;
        }
        return Math.min(1, tokens / CACHE_TOKENS);
    }

    private final class Request implements Slot {

        private final int promptTokens;
        private final int outputTokens;
        private final long slowdown;
        private final IntConsumer onToken;
        private long dueNanos = nanoClock.getAsLong();
        private int made;
        private Timers.@Nullable Alarm alarm;

        Request(int promptTokens, int outputTokens, long slowdown, IntConsumer onToken) {
            this.promptTokens = promptTokens;
            this.outputTokens = outputTokens;
            this.slowdown = slowdown;
            this.onToken = onToken;
        }

        void schedule() {
            long now = nanoClock.getAsLong();
            // From the last due time and not from now, so that late timers do not add up; but a thawed request does not
            // run to catch up.
            dueNanos = Math.max(dueNanos, now - step.toNanos())
                    + (made == 0 ? firstToken : step).multipliedBy(slowdown).toNanos();
            alarm = timers.after(Duration.ofNanos(dueNanos - now), this::token);
        }

        void token() {
            if (!requests.contains(this)) {
                return;
            }
            if (frozen) {
                due.add(this);
                return;
            }
            int index = made++;
            if (made == outputTokens) {
                requests.remove(this);
                onToken.accept(index);
                return;
            }
            schedule();
            onToken.accept(index);
        }

        @Override
        public void hold() {
            Timers.Alarm waiting = alarm;
            if (waiting != null) {
                waiting.cancel();
            }
            due.remove(this);
        }

        @Override
        public void leave() {
            hold();
            requests.remove(this);
        }
    }
}
