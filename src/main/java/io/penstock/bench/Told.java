package io.penstock.bench;

import io.penstock.selection.Prompt;

/**
 * What routing is told of requests and replicas, which need not be the truth. How long an answer may become it is never
 * told.
 *
 * @param lengthTimes how long prompts are said to be, as a multiple of the usual estimate
 * @param pieces whether it is told with which others a prompt shares its beginning
 * @param cacheTimes how large replicas say that their caches are, as a multiple of the truth; 0 if they say nothing
 */
record Told(double lengthTimes, boolean pieces, double cacheTimes) {

    /** As much as there is to know. */
    static final Told TRUTH = new Told(1, true, 1);

    /** What it is told of a prompt. */
    Prompt of(BenchCall call) {
        int tokens = (int) Math.max(1, lengthTimes * call.prompt().tokens());
        return new Prompt(tokens, pieces ? call.pieces() : new long[0]);
    }
}
