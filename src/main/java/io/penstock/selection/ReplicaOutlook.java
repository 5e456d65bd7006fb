package io.penstock.selection;

import io.penstock.upstream.UpstreamState;
import java.util.ArrayList;
import java.util.List;

/**
 * One replica as predictions see it: what it was given and has not answered, how fast it is, and which prompts it has
 * seen. Confined to whoever holds the lock, but for the two moments that every relayed token looks at.
 */
public final class ReplicaOutlook {

    /** Without a word from the replica: two million tokens. A guess that is too small would halve the hits. */
    static final int UNKNOWN_CAPACITY = 32_768;

    /** No more than this is remembered of any replica, whatever it says of itself. */
    private static final int MOST_CAPACITY = 1 << 20;

    private static final int PIECE_TOKENS = 64;

    /** How much of a prompt may count as read while there is no output yet. */
    private static final double MOST_PROGRESS = 0.9;
    /** Silence of this length means nothing. */
    private static final double GRACE_SECONDS = 0.05;

    private static final double OPEN_SECONDS = 0.25;
    private static final int OPEN_PENDING = 2;

    private final UpstreamState upstream;
    private final PrefixIndex index = new PrefixIndex(UNKNOWN_CAPACITY);
    private final ReplicaSpeed speed = new ReplicaSpeed();
    // Sent, no first output yet, in order.
    private final List<Assignment> pending = new ArrayList<>();
    private long pendingTokens;
    private long linedTokens;
    private int lineLength;
    private int answering;
    // Of those that are being answered, the ones that show each token.
    private int talking;
    private long lastFirstNanos;
    private int epoch;
    // As of the last look at all replicas.
    private double rate = PredictedDelay.UNKNOWN_RATE;
    private double gap = PredictedDelay.UNKNOWN_GAP;
    private long turn;

    // Written by every event loop that relays for it; the latest writer wins, give or take.
    private volatile long lastProgressNanos;
    private volatile long sampledNanos;

    ReplicaOutlook(UpstreamState upstream, long nowNanos) {
        this.upstream = upstream;
        this.epoch = upstream.epoch();
        this.lastProgressNanos = nowNanos;
        this.lastFirstNanos = nowNanos;
        this.sampledNanos = nowNanos;
    }

    /**
     * The replica.
     *
     * @return its state
     */
    public UpstreamState upstream() {
        return upstream;
    }

    /**
     * Whether the next request should be sent now. If not, it waits here, where it can still go elsewhere.
     *
     * @param nowNanos now
     * @return true if there is little for the replica to read before it
     */
    public boolean open(long nowNanos) {
        return pending.size() < OPEN_PENDING || unread(pendingTokens, nowNanos) / rate < OPEN_SECONDS;
    }

    /**
     * Whether nothing waits in its lane and nothing is in flight.
     *
     * @return true if the books hold nothing of it
     */
    public boolean idle() {
        return held() == 0 && pendingTokens == 0 && linedTokens == 0 && talking == 0;
    }

    /**
     * When the last request of its lane would be read.
     *
     * @param nowNanos now
     * @return seconds
     */
    public double lineSeconds(long nowNanos) {
        return waitSeconds(0, nowNanos);
    }

    /** Requests that it has or will get. */
    int held() {
        return pending.size() + answering + lineLength;
    }

    /** Its share of the work relative to the others, as the operator wants it. */
    int weight() {
        return upstream.identity().replica().weight();
    }

    int answering() {
        return answering;
    }

    /**
     * What was learned of it, and how much is remembered of its prompts.
     *
     * @return a copy
     */
    public LearnedSpeed learned() {
        return new LearnedSpeed(speed.rate(), speed.gap(), index.size(), index.capacity());
    }

    double rate() {
        return rate;
    }

    double gap() {
        return gap;
    }

    long turn() {
        return turn;
    }

    void turn(long next) {
        turn = next;
    }

    ReplicaSpeed speed() {
        return speed;
    }

    PrefixIndex index() {
        return index;
    }

    long lastFirstNanos() {
        return lastFirstNanos;
    }

    long lastProgressNanos() {
        return lastProgressNanos;
    }

    long sampledNanos() {
        return sampledNanos;
    }

    /** Takes over what the look at all replicas found. */
    void estimate(double tokensPerSecond, double gapSeconds) {
        rate = tokensPerSecond;
        gap = gapSeconds;
    }

    /** Forgets what another process taught, learns how much the cache holds, and lets silent requests go on. */
    void refresh(long nowNanos) {
        if (epoch != upstream.epoch()) {
            epoch = upstream.epoch();
            index.clear();
            speed.clear();
        }
        long tokens = upstream.engine().cacheTokens();
        int capacity =
                tokens > 0 ? (int) Math.min(MOST_CAPACITY, Math.max(1, tokens / PIECE_TOKENS)) : UNKNOWN_CAPACITY;
        if (capacity != index.capacity()) {
            index.resize(capacity);
        }
        while (!pending.isEmpty()
                && pending.get(0).silent()
                && seconds(nowNanos - pending.get(0).sentNanos())
                        > pending.get(0).dueSeconds()) {
            answers(pending.get(0));
        }
    }

    /** Leading pieces of a prompt that it has seen. */
    int matched(Prompt prompt) {
        return prompt.pieces() == 0 ? 0 : index.match(prompt);
    }

    /** Tokens of a prompt that have to be read where so many of its pieces were seen, at least 1. */
    static long uncached(Prompt prompt, long tokens, int matched) {
        return matched == 0
                ? Math.max(1, tokens)
                : Math.max(1, Math.round(tokens * (1 - (double) matched / prompt.pieces())));
    }

    /** How long until the first output of a request with that much to read, behind all it has and will get. */
    double waitSeconds(long uncached, long nowNanos) {
        return gap + (unread(pendingTokens + linedTokens, nowNanos) + uncached) / rate + silence(nowNanos);
    }

    /** As {@link #waitSeconds}, for one that stands behind so much of the lane. */
    double waitBehindSeconds(long lineTokens, long uncached, long nowNanos) {
        return gap + (unread(pendingTokens + lineTokens, nowNanos) + uncached) / rate + silence(nowNanos);
    }

    /** How long reading what it was given and will get takes, without a request of one's own. */
    double aheadSeconds(long nowNanos) {
        return unread(pendingTokens + linedTokens, nowNanos) / rate;
    }

    private double unread(long tokens, long nowNanos) {
        if (pending.isEmpty()) {
            return tokens;
        }
        Assignment head = pending.get(0);
        double since = seconds(nowNanos - later(head.sentNanos(), lastFirstNanos));
        return Math.max(0, tokens - Math.min(MOST_PROGRESS * head.uncached(), rate * Math.max(0, since)));
    }

    /**
     * The time from token to token if it got one more, when all that it was given is being answered. One that was given
     * nothing has nobody to slow down.
     *
     * @return seconds; 0 if it was given nothing, or nothing is known
     */
    public double gapWithOneMore() {
        return held() == 0 ? 0 : speed.gap(held() + 1);
    }

    /** How long until the next of those that it answers is whole, if answers are so many tokens long. */
    double nextEndSeconds(double output) {
        return answering == 0 ? 0 : output * gap / answering;
    }

    /** How much longer than the work explains it has shown nothing: a hung replica looks worse by the second. */
    double silence(long nowNanos) {
        double expected;
        if (talking > 0) {
            expected = 3 * gap;
        } else if (answering == 0 && !pending.isEmpty() && !pending.get(0).silent()) {
            expected = pending.get(0).silenceSeconds();
        } else {
            // Nothing runs, or only what shows nothing until it is whole.
            return 0;
        }
        return Math.max(0, seconds(nowNanos - lastProgressNanos) - expected - GRACE_SECONDS);
    }

    void lined(Assignment one) {
        linedTokens += one.uncached();
        lineLength++;
    }

    void unlined(Assignment one) {
        linedTokens -= one.uncached();
        lineLength--;
        check();
    }

    void sent(Assignment one, long nowNanos) {
        if (pending.isEmpty() && answering == 0) {
            lastProgressNanos = nowNanos;
        }
        pending.add(one);
        pendingTokens += one.uncached();
    }

    void progressed(long nowNanos) {
        lastProgressNanos = nowNanos;
    }

    /** vLLM reads prompts in order, so what was sent earlier and cannot show it was read as well. */
    void firstOutput(Assignment one, long nowNanos) {
        if (!one.isPending()) {
            return;
        }
        if (one.silent()) {
            answers(one); // It is whole: that says how long it took in all, not how long it took to read.
            return;
        }
        long tokens = one.uncached();
        while (pending.get(0) != one && pending.get(0).silent()) {
            tokens += pending.get(0).uncached();
            answers(pending.get(0));
        }
        answers(one);
        if (one.current()) {
            speed.read((double) tokens, seconds(nowNanos - later(one.sentNanos(), lastFirstNanos)));
        }
        lastFirstNanos = nowNanos;
    }

    void stepped(Assignment one, long nowNanos) {
        // Again, under the lock: another request of the same step may have been first.
        if (one.lastOutputNanos() - sampledNanos >= 0) {
            sampledNanos = nowNanos;
            if (one.current()) {
                speed.stepped(seconds(nowNanos - one.lastOutputNanos()), answering);
            }
        }
    }

    void endedPending(Assignment one, long nowNanos) {
        pending.remove(one);
        pendingTokens -= one.uncached();
        lastProgressNanos = nowNanos;
        check();
    }

    void endedAnswering(Assignment one, long nowNanos) {
        answering--;
        talking -= one.silent() ? 0 : 1;
        lastProgressNanos = nowNanos;
        check();
    }

    private void answers(Assignment one) {
        pending.remove(one);
        pendingTokens -= one.uncached();
        answering++;
        talking += one.silent() ? 0 : 1;
        one.answering();
        check();
    }

    private void check() {
        if (pendingTokens < 0 || linedTokens < 0 || lineLength < 0 || answering < 0) {
            throw new IllegalStateException("the books are wrong: " + this);
        }
    }

    @Override
    public String toString() {
        return upstream.name() + ": " + pending.size() + " to read (" + pendingTokens + " tokens), " + lineLength
                + " in its lane (" + linedTokens + " tokens), " + answering + " being answered, " + talking
                + " of them aloud";
    }

    static double seconds(long nanos) {
        return nanos / 1e9;
    }

    private static long later(long some, long other) {
        return some - other > 0 ? some : other;
    }
}
