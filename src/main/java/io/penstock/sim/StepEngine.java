package io.penstock.sim;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * An engine that works as vLLM's scheduler does: in steps, each of which computes one token for every request of the batch
 * that has its prompt behind it, and with what is left of the step's tokens a part of those prompts that are not done.
 * Requests enter the batch in the order of their arrival, when it has a place and the cache has room for the whole prompt.
 * If the cache has no block for the next token of one of them, the one that entered last goes back to the head of the
 * queue and computes everything again later. What is asked of it in a step, leaving too, happens at the step's end; so do
 * all changes of its gauges and counters.
 *
 * <p>Three simplifications: tokens that were generated are not found again as a prefix, a request with a slowdown sits out
 * steps instead of computing slowly, and a prompt takes all its blocks when it enters. Whether time is real is the
 * caller's choice. Confined to one thread.
 */
final class StepEngine implements Engine {

    private final EngineProfile profile;
    private final Timers timers;
    private final LongSupplier nanoClock;
    private final KvCache cache;
    private final Deque<Sequence> waiting = new ArrayDeque<>();
    private final List<Sequence> running = new ArrayList<>();
    private final List<Sequence> speaking = new ArrayList<>();
    private final Batch batch = new Batch();
    private final Runnable onLeave = this::left;
    private double slowness;
    /** Whether a step is under way or about to begin. */
    private boolean busy;

    private boolean frozen;
    /** What would have happened while it was frozen. */
    private @Nullable Runnable parked;

    private boolean someLeft;
    private long step;
    private long dueNanos;
    private long stepNanos;
    /** The request that found no room, and how many blocks had been given back by then: looking again makes no sense. */
    private @Nullable Sequence blocked;

    private long blockedAtReturns;
    private long prefixQueries;
    private long prefixHits;
    private long promptTokens;
    private long promptTokensCached;
    private long generatedTokens;
    private long preemptions;
    private EngineReading published = EngineReading.NOTHING;

    /**
     * Makes an idle engine with an empty cache.
     *
     * @param slowness how many times as long as the profile says each step takes
     */
    StepEngine(EngineProfile profile, Timers timers, LongSupplier nanoClock, double slowness) {
        this.profile = profile;
        this.timers = timers;
        this.nanoClock = nanoClock;
        this.slowness = slowness;
        this.cache = new KvCache(profile.cacheBlocks());
    }

    /**
     * Takes one request in.
     *
     * @throws IllegalArgumentException if the whole cache is too small for it
     */
    @Override
    public Slot admit(Prompt prompt, int outputTokens, long slowdown, IntConsumer onToken) {
        if ((long) prompt.tokens() + outputTokens > (long) cache.size() * profile.blockTokens() || outputTokens < 1) {
            throw new IllegalArgumentException("want an output and room for it in " + cache.size() + " blocks, got "
                    + prompt.tokens() + " + " + outputTokens + " tokens");
        }
        Sequence sequence =
                new Sequence(prompt, profile.blockTokens(), outputTokens, Math.max(1, slowdown), onToken, onLeave);
        waiting.add(sequence);
        wake();
        return sequence;
    }

    @Override
    public void freeze() {
        frozen = true;
    }

    @Override
    public void thaw() {
        frozen = false;
        Runnable late = parked;
        if (late != null) {
            parked = null;
            dueNanos = nanoClock.getAsLong();
            late.run();
        }
    }

    /** Changes how many times as long as the profile says each step takes, from the next step on. */
    void slow(double factor) {
        slowness = factor;
    }

    @Override
    public EngineReading reading() {
        return published;
    }

    @Override
    public int cacheBlocks() {
        return profile.cacheBlocks();
    }

    @Override
    public int blockTokens() {
        return profile.blockTokens();
    }

    private void left() {
        someLeft = true;
        wake();
    }

    private void wake() {
        if (!busy) {
            busy = true;
            dueNanos = nanoClock.getAsLong();
            // Not at once: requests that arrive together share their first step.
            timers.after(Duration.ZERO, this::begin);
        }
    }

    private void begin() {
        if (frozen) {
            parked = this::begin;
            return;
        }
        dismissThoseThatLeft();
        step++;
        batch.clear();
        scheduleRunning();
        if (batch.isEmpty() && running.stream().noneMatch(Sequence::isActive)) {
            busy = false;
            publish();
            return;
        }
        long now = nanoClock.getAsLong();
        // From when the last step should have ended, so that late timers do not add up; but never more than one step.
        long start = Math.max(dueNanos, now - stepNanos);
        stepNanos = Math.round(profile.stepNanos(batch.prefillTokens, batch.sequences, batch.contextTokens) * slowness);
        dueNanos = start + stepNanos;
        timers.after(Duration.ofNanos(dueNanos - now), this::end);
    }

    private void end() {
        if (frozen) {
            parked = this::end;
            return;
        }
        boolean someFinished = false;
        for (int i = 0; i < running.size(); i++) {
            Sequence sequence = running.get(i);
            if (sequence.advance()) {
                generatedTokens++;
                if (sequence.hasFirstTokenOnly()) {
                    promptTokens += sequence.promptTokens();
                    promptTokensCached += sequence.cachedTokens();
                }
                speaking.add(sequence);
                someFinished |= sequence.isFinished();
            }
        }
        dismissThoseThatLeft();
        if (someFinished) {
            running.removeIf(sequence -> sequence.isFinished() && release(sequence));
        }
        publish();
        for (int i = 0; i < speaking.size(); i++) {
            Sequence sequence = speaking.get(i);
            // One that speaks may make another one leave.
            if (!sequence.isGone()) {
                sequence.deliver();
            }
        }
        speaking.clear();
        begin();
    }

    private void scheduleRunning() {
        for (int i = 0; i < running.size(); i++) {
            Sequence sequence = running.get(i);
            int wanted = Math.min(sequence.known() - sequence.computed, profile.stepTokens() - batch.tokens);
            if (wanted == 0 || !sequence.takesPartIn(step)) {
                continue;
            }
            while (blocksFor(sequence.computed + wanted) > sequence.held && cache.free() == 0) {
                preemptLast();
                batch.preempted = true;
            }
            if (i == running.size()) {
                // It was the last one itself.
                break;
            }
            schedule(sequence, wanted);
        }
        if (!batch.preempted) {
            scheduleWaiting();
        }
    }

    private void scheduleWaiting() {
        while (batch.tokens < profile.stepTokens() && running.size() < profile.maxSequences()) {
            Sequence first = waiting.peek();
            if (first == null || !enters(first)) {
                return;
            }
            waiting.remove();
            running.add(first);
            schedule(first, Math.min(first.known() - first.computed, profile.stepTokens() - batch.tokens));
        }
    }

    /** Gives a request the blocks of its whole prompt, if there are enough. */
    private boolean enters(Sequence sequence) {
        if (sequence == blocked && cache.returns() == blockedAtReturns) {
            return false;
        }
        // Without its last token, which has to be computed in any case to know what comes next.
        int limit = Math.min(sequence.hashes.length, (sequence.known() - 1) / profile.blockTokens());
        int found = cache.match(sequence.hashes, limit);
        int fresh = blocksFor(sequence.known()) - found;
        if (cache.free() - cache.unheld(sequence.hashes, found) < fresh) {
            blocked = sequence;
            blockedAtReturns = cache.returns();
            return false;
        }
        cache.hold(sequence.hashes, found, sequence.blocks);
        sequence.held = found;
        while (sequence.held < found + fresh) {
            sequence.blocks[sequence.held++] = cache.take();
        }
        sequence.computed = found * profile.blockTokens();
        if (sequence.starts(sequence.computed)) {
            prefixQueries += sequence.promptTokens();
            prefixHits += sequence.computed;
        }
        return true;
    }

    private void schedule(Sequence sequence, int tokens) {
        int blocks = blocksFor(sequence.computed + tokens);
        while (sequence.held < blocks) {
            sequence.blocks[sequence.held++] = cache.take();
        }
        int whole = Math.min(sequence.hashes.length, (sequence.computed + tokens) / profile.blockTokens());
        for (int i = sequence.computed / profile.blockTokens(); i < whole; i++) {
            // Already now: a request of the same step finds them.
            cache.label(sequence.blocks[i], sequence.hashes[i]);
        }
        batch.add(tokens, sequence.decodes(), sequence.computed + tokens);
        sequence.chunk = tokens;
    }

    private void preemptLast() {
        Sequence last = running.remove(running.size() - 1);
        release(last);
        last.computed = 0;
        waiting.addFirst(last);
        preemptions++;
    }

    private void dismissThoseThatLeft() {
        if (someLeft) {
            someLeft = false;
            running.removeIf(sequence -> sequence.isGone() && release(sequence));
            waiting.removeIf(Sequence::isGone);
        }
    }

    private boolean release(Sequence sequence) {
        cache.release(sequence.blocks, sequence.held);
        sequence.held = 0;
        return true;
    }

    private int blocksFor(int tokens) {
        return (tokens + profile.blockTokens() - 1) / profile.blockTokens();
    }

    private void publish() {
        published = new EngineReading(
                running.size(),
                waiting.size(),
                (double) (cache.size() - cache.free()) / cache.size(),
                prefixQueries,
                prefixHits,
                promptTokens,
                promptTokensCached,
                generatedTokens,
                preemptions);
    }

    /** What one step computes. */
    private static final class Batch {

        private int tokens;
        private int prefillTokens;
        private int sequences;
        private long contextTokens;
        private boolean preempted;

        void clear() {
            tokens = 0;
            prefillTokens = 0;
            sequences = 0;
            contextTokens = 0;
            preempted = false;
        }

        void add(int wanted, boolean decodes, int context) {
            tokens += wanted;
            prefillTokens += decodes ? 0 : wanted;
            sequences++;
            contextTokens += context;
        }

        boolean isEmpty() {
            return sequences == 0 && !preempted;
        }
    }
}
