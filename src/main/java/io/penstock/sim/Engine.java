package io.penstock.sim;

import java.util.function.IntConsumer;

/**
 * Decides when tokens come, and nothing else: the one place of the simulator that knows how fast vLLM is. Confined to
 * one event loop.
 */
interface Engine {

    /**
     * Takes one request in.
     *
     * @param prompt the prompt
     * @param outputTokens how many tokens to make, at least one
     * @param slowdown how many times slower than usual, 1 for as usual
     * @param onToken told of each token, from 0, when it is there; the slot is free after the last one
     * @return the way to leave early
     */
    Slot admit(Prompt prompt, int outputTokens, long slowdown, IntConsumer onToken);

    /** Stops all tokens, as if the process were stopped. */
    void freeze();

    /** Goes on where {@link #freeze} stopped. */
    void thaw();

    /** Its gauges and counters. */
    EngineReading reading();

    /** How many blocks the KV cache has. */
    int cacheBlocks();

    /** How many tokens fit into one block. */
    int blockTokens();

    /** One request's place in the engine. */
    interface Slot {

        /** Makes no more tokens, and keeps the place until {@link #leave}. */
        void hold();

        /** Gives the place back. Does nothing the second time. */
        void leave();

        /** How many tokens of the prompt needed no work; known from the first token on, 0 before. */
        int cachedTokens();
    }
}
