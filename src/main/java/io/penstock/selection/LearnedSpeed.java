package io.penstock.selection;

/**
 * How fast one replica is, as learned from its answers alone, and what is remembered of the prompts that it was sent.
 *
 * @param tokensPerSecond how fast it reads prompts; 0 while nothing is known
 * @param gapSeconds from one token to the next, with the work that it usually has; 0 while nothing is known
 * @param indexedPieces pieces of prompts that it may still have in its cache
 * @param indexCapacity pieces that are remembered at most
 */
public record LearnedSpeed(double tokensPerSecond, double gapSeconds, int indexedPieces, int indexCapacity) {}
