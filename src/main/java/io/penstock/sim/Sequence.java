package io.penstock.sim;

import java.util.function.IntConsumer;

/** One request inside a step engine, and how far it is. Confined to the engine's thread. */
final class Sequence implements Engine.Slot {

    final long[] hashes;
    /** The blocks it holds, the first {@link #held} entries. */
    final int[] blocks;
    /** How many blocks it holds. */
    int held;
    /** How many of its tokens, prompt first, are in the cache. */
    int computed;
    /** How many tokens the step that is under way computes for it. */
    int chunk;

    private final int promptTokens;
    private final int outputTokens;
    private final long slowdown;
    private final IntConsumer onToken;
    private final Runnable onLeave;
    private int made;
    private int cached;
    private boolean started;
    private boolean mute;
    private boolean gone;

    Sequence(Prompt prompt, int blockTokens, int outputTokens, long slowdown, IntConsumer onToken, Runnable onLeave) {
        this.hashes = prompt.blocks(blockTokens);
        this.promptTokens = prompt.tokens();
        this.outputTokens = outputTokens;
        this.slowdown = slowdown;
        this.onToken = onToken;
        this.onLeave = onLeave;
        this.blocks = new int[(promptTokens + outputTokens + blockTokens - 1) / blockTokens];
    }

    int promptTokens() {
        return promptTokens;
    }

    /** How many tokens it has, computed or not. */
    int known() {
        return promptTokens + made;
    }

    /** Whether it waits for its next token only, and not for its prompt. */
    boolean decodes() {
        return made > 0 && known() - computed == 1;
    }

    /** Whether it ever will want work again without being told. */
    boolean isActive() {
        return !mute && !gone;
    }

    boolean isGone() {
        return gone;
    }

    /** A slow one takes part in each of so many steps only. */
    boolean takesPartIn(long step) {
        return isActive() && (slowdown == 1 || step % slowdown == 0);
    }

    boolean isFinished() {
        return made == outputTokens;
    }

    /** Notes what the cache knew when it first entered the batch; false if it has been there before. */
    boolean starts(int cachedTokens) {
        if (started) {
            return false;
        }
        started = true;
        cached = cachedTokens;
        return true;
    }

    /** Ends a step; true if that made a token. */
    boolean advance() {
        computed += chunk;
        boolean makes = chunk > 0 && computed == known() && isActive();
        chunk = 0;
        if (makes) {
            made++;
        }
        return makes;
    }

    boolean hasFirstTokenOnly() {
        return made == 1;
    }

    /** Hands the newest token over. */
    void deliver() {
        onToken.accept(made - 1);
    }

    @Override
    public void hold() {
        mute = true;
    }

    @Override
    public void leave() {
        if (!gone && !isFinished()) {
            gone = true;
            onLeave.run();
        }
    }

    @Override
    public int cachedTokens() {
        return cached;
    }
}
