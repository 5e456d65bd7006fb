package io.penstock.sim;

import java.util.function.IntConsumer;

/**
 * One simulated vLLM without sockets, in virtual time: what a policy can be tried on many thousand times faster than on a
 * real one. Confined to the thread that moves the {@link VirtualTime}.
 */
public final class VirtualReplica {

    /** Tokens in one piece of a prompt: what each hash given to {@link #submit} stands for. */
    public static final int PIECE_TOKENS = Prompt.PIECE_TOKENS;

    private final StepEngine engine;

    /**
     * Makes an idle replica with an empty cache.
     *
     * @param profile how fast it is and how much it holds
     * @param time when it is
     */
    public VirtualReplica(EngineProfile profile, VirtualTime time) {
        this.engine = new StepEngine(profile, time, time, 1);
    }

    /**
     * Hands a request in, as if it had arrived right now.
     *
     * @param pieces one hash per 64 tokens of the prompt, first to last; equal prompts have equal hashes, and what follows
     *     the last one has no twin anywhere. The array is kept, so it must not change
     * @param promptTokens the whole prompt's true length, at least one
     * @param outputTokens how many tokens to make, at least one; the request ends with the last
     * @param onToken told of each token, from 0, at the end of the step that made it; it may submit, leave and freeze
     * @return the request
     * @throws IllegalArgumentException if the whole cache is too small for it, or a length is below one
     */
    public Call submit(long[] pieces, int promptTokens, int outputTokens, IntConsumer onToken) {
        Engine.Slot slot = engine.admit(Prompt.ofPieces(pieces, promptTokens), outputTokens, 1, onToken);
        return new Call() {
            @Override
            public void leave() {
                slot.leave();
            }

            @Override
            public int cachedTokens() {
                return slot.cachedTokens();
            }
        };
    }

    /** Hangs: makes no tokens and takes nothing up, though it lets requests queue. */
    public void freeze() {
        engine.freeze();
    }

    /** Goes on where it stopped. */
    public void thaw() {
        engine.thaw();
    }

    /**
     * Makes it slower or faster, from its next step on.
     *
     * @param factor how many times as long as usual each step takes; 3 for three times slower
     */
    public void slow(double factor) {
        engine.slow(factor);
    }

    /**
     * What its metrics say, as old as its last step.
     *
     * @return gauges and counters
     */
    public EngineReading reading() {
        return engine.reading();
    }

    /** One request. */
    public interface Call {

        /** Ends it, as a client does by closing its connection: its blocks are free at the end of the step. */
        void leave();

        /**
         * How many tokens of its prompt were found in the cache.
         *
         * @return known from the first token on, 0 before
         */
        int cachedTokens();
    }
}
