package io.penstock.selection;

import io.penstock.upstream.Choice;
import org.jspecify.annotations.Nullable;

/**
 * One request that was given to a replica: first perhaps in its lane, then sent, then answered. Everything that the books
 * hold of it is taken out again by {@link #ended}, whatever happened in between. Confined to whoever holds the lock, but
 * for {@link #output}, which belongs to the one thread that relays the answer.
 */
public final class Assignment {

    private enum State {
        LINED,
        PENDING,
        ANSWERING,
        OVER
    }

    private final ReplicaOutlook outlook;
    private final RequestTraits traits;
    private final int epoch;
    private final long uncached;
    private final double output;
    private final double waitSeconds;
    private final Choice choice;
    private @Nullable State state;
    private boolean touched;
    private long sentNanos;
    private double silenceSeconds;
    private double dueSeconds;
    // By the thread that relays.
    private long lastOutputNanos;
    private volatile int outputs;

    Assignment(
            ReplicaOutlook outlook,
            RequestTraits traits,
            long uncached,
            double output,
            double waitSeconds,
            Choice choice) {
        this.outlook = outlook;
        this.traits = traits;
        this.epoch = outlook.upstream().epoch();
        this.uncached = uncached;
        this.output = output;
        this.waitSeconds = waitSeconds;
        this.choice = choice;
    }

    /**
     * Where it was assigned.
     *
     * @return the replica as selection knows it
     */
    public ReplicaOutlook outlook() {
        return outlook;
    }

    /**
     * What the request costs its replica, as callers are charged for it.
     *
     * @return prompt tokens, with a token of the answer as four
     */
    public double charge() {
        return uncached + 4 * output;
    }

    /**
     * How long it was thought to wait for its first output when it was assigned.
     *
     * @return seconds
     */
    public double waitSeconds() {
        return waitSeconds;
    }

    /**
     * Why it was assigned there.
     *
     * @return what was known then
     */
    public Choice choice() {
        return choice;
    }

    /** Prompt tokens that the replica has not seen, at least 1. */
    long uncached() {
        return uncached;
    }

    double output() {
        return output;
    }

    RequestTraits traits() {
        return traits;
    }

    /** An answer that is no stream shows nothing until it is whole, which one token is at once. */
    boolean silent() {
        return !traits.stream() && traits.longestAnswer() != 1;
    }

    long sentNanos() {
        return sentNanos;
    }

    /** For how long after it was sent the replica may well show nothing, if nothing else runs there. */
    double silenceSeconds() {
        return silenceSeconds;
    }

    /** How long after it was sent its prompt should have been read. */
    double dueSeconds() {
        return dueSeconds;
    }

    /** Whether it teaches: not if another process runs there by now. */
    boolean current() {
        return epoch == outlook.upstream().epoch();
    }

    int outputs() {
        return outputs;
    }

    long lastOutputNanos() {
        return lastOutputNanos;
    }

    /** Puts it into the replica's lane: assigned, not sent. */
    public void lined() {
        enter(null, State.LINED);
        touch();
        outlook.lined(this);
    }

    /** Takes it out of the lane, to be sent there or to go elsewhere. */
    public void unlined() {
        enter(State.LINED, null);
        outlook.unlined(this);
    }

    /**
     * It is sent.
     *
     * @param nowNanos now
     */
    public void sent(long nowNanos) {
        enter(null, State.PENDING);
        touch();
        sentNanos = nowNanos;
        double ahead = outlook.waitSeconds(0, nowNanos);
        silenceSeconds = 2 * ahead;
        dueSeconds = ahead + uncached / outlook.rate();
        outlook.sent(this, nowNanos);
    }

    /**
     * Output came. Mostly there is nothing to note: one token of each step is looked at. For the one thread that relays.
     *
     * @param nowNanos now
     * @return whether {@link #noted} has to be called, under the lock
     */
    @SuppressWarnings("NonAtomicVolatileUpdate") // One writer.
    public boolean output(long nowNanos) {
        outlook.progressed(nowNanos);
        // The pieces of an answer that is no stream are no tokens.
        boolean worth = outputs == 0 || (traits.stream() && lastOutputNanos - outlook.sampledNanos() >= 0);
        if (!worth) {
            lastOutputNanos = nowNanos;
            outputs++;
        }
        return worth;
    }

    /**
     * Notes output that {@link #output} found worth it.
     *
     * @param nowNanos now
     * @return whether it was the first
     */
    @SuppressWarnings("NonAtomicVolatileUpdate") // One writer.
    public boolean noted(long nowNanos) {
        boolean first = outputs == 0;
        if (first && state != State.OVER) {
            outlook.firstOutput(this, nowNanos);
        } else if (!first) {
            outlook.stepped(this, nowNanos);
        }
        lastOutputNanos = nowNanos;
        outputs++;
        return first;
    }

    /**
     * It is over, answered or not. Later calls do nothing.
     *
     * @param nowNanos now
     */
    public void ended(long nowNanos) {
        State was = state;
        state = State.OVER;
        if (was == State.PENDING) {
            outlook.endedPending(this, nowNanos);
        } else if (was == State.ANSWERING) {
            outlook.endedAnswering(this, nowNanos);
        } else if (was == State.LINED) {
            outlook.unlined(this);
        }
    }

    /** The replica will see the prompt, once. A choice that comes to nothing must leave no trace, or the next one finds it. */
    private void touch() {
        if (!touched) {
            touched = true;
            outlook.index().touch(traits.prompt());
        }
    }

    boolean isPending() {
        return state == State.PENDING;
    }

    /** Its prompt was read. */
    void answering() {
        enter(State.PENDING, State.ANSWERING);
    }

    private void enter(@Nullable State from, @Nullable State to) {
        if (state != from) {
            throw new IllegalStateException("an assignment that is " + state + " cannot become " + to);
        }
        state = to;
    }
}
