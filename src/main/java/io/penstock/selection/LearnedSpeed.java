package io.penstock.selection;

/**
 * How fast one replica is, as learned from its answers alone, and what is remembered of the prompts that it was sent.
 *
 * @param tokensPerSecond how fast it reads prompts; 0 while nothing is known
 * @param gapSeconds from one token to the next, with the work that it usually has; 0 while nothing is known
 * @param indexedPieces pieces of prompts that it may still have in its cache
 * @param indexCapacity pieces that are remembered at most
 * @param inLane requests that were assigned to it and wait until it has read what is before them
 */
public record LearnedSpeed(
        double tokensPerSecond, double gapSeconds, int indexedPieces, int indexCapacity, int inLane) {

    /** Of one for which nobody waits. */
    public LearnedSpeed(double tokensPerSecond, double gapSeconds, int indexedPieces, int indexCapacity) {
        this(tokensPerSecond, gapSeconds, indexedPieces, indexCapacity, 0);
    }

    /**
     * The same with a lane.
     *
     * @param waiting how many wait in it
     * @return a copy
     */
    public LearnedSpeed withLane(int waiting) {
        return new LearnedSpeed(tokensPerSecond, gapSeconds, indexedPieces, indexCapacity, waiting);
    }
}
