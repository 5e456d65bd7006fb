package io.penstock.bench;

import io.penstock.selection.Prompt;

/**
 * One request of a workload.
 *
 * @param arrivalNanos when it comes, from the start
 * @param caller who asks
 * @param prompt as Penstock sees it: its length is an estimate, its pieces are of 64 true tokens
 * @param promptTokens its true length
 * @param outputTokens how long its answer is
 */
record BenchCall(long arrivalNanos, String caller, Prompt prompt, int promptTokens, int outputTokens) {

    /** The pieces, as the engine wants them. */
    long[] pieces() {
        long[] pieces = new long[prompt.pieces()];
        for (int i = 0; i < pieces.length; i++) {
            pieces[i] = prompt.piece(i);
        }
        return pieces;
    }
}
