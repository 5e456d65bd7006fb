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

    // As the observed server had.
    private static final int CACHE_BLOCKS = 1_024;
    private static final int BLOCK_TOKENS = 128;

    private final Timers timers;
    private final LongSupplier nanoClock;
    private final Duration firstToken;
    private final Duration step;
    private final Set<Request> requests = new HashSet<>();
    private final List<Request> due = new ArrayList<>();
    private boolean frozen;
    private long promptTokens;
    private long generatedTokens;

    FixedPace(Timers timers, LongSupplier nanoClock, Duration firstToken, Duration step) {
        this.timers = timers;
        this.nanoClock = nanoClock;
        this.firstToken = firstToken;
        this.step = step;
    }

    @Override
    public Slot admit(Prompt prompt, int outputTokens, long slowdown, IntConsumer onToken) {
        Request request = new Request(prompt.tokens(), outputTokens, slowdown, onToken);
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
    public EngineReading reading() {
        int tokens = 0;
        for (Request request : requests) {
            tokens += request.promptTokens + request.made;
        }
        double usage = Math.min(1, tokens / (double) (CACHE_BLOCKS * BLOCK_TOKENS));
        return new EngineReading(requests.size(), 0, usage, promptTokens, 0, promptTokens, 0, generatedTokens, 0);
    }

    @Override
    public int cacheBlocks() {
        return CACHE_BLOCKS;
    }

    @Override
    public int blockTokens() {
        return BLOCK_TOKENS;
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
            generatedTokens++;
            if (index == 0) {
                FixedPace.this.promptTokens += promptTokens;
            }
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

        @Override
        public int cachedTokens() {
            return 0;
        }
    }
}
