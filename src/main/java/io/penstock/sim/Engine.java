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
     * @param promptTokens the prompt's length
     * @param outputTokens how many tokens to make, at least one
     * @param slowdown how many times slower than usual, 1 for as usual
     * @param onToken told of each token, from 0, when it is there; the slot is free after the last one
     * @return the way to leave early
     */
    Slot admit(int promptTokens, int outputTokens, long slowdown, IntConsumer onToken);

    /** Stops all tokens, as if the process were stopped. */
    void freeze();

    /** Goes on where {@link #freeze} stopped. */
    void thaw();

    /** How many requests are being worked on. */
    int running();

    /** How many wait to be taken up. */
    int waiting();

    /** The used share of the KV cache, 0 to 1. */
    double cacheUsage();

    /** One request's place in the engine. */
    interface Slot {

        /** Makes no more tokens, and keeps the place until {@link #leave}. */
        void hold();

        /** Gives the place back at once. Does nothing the second time. */
        void leave();
    }
}
