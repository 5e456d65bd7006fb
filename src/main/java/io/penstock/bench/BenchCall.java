package io.penstock.bench;

import io.penstock.selection.Prompt;

/**
 * One request of a workload.
 *
 * @param arrivalNanos when it comes, from the start
 * @param caller who asks
 * @param prompt as Penstock sees it: its length is an estimate
 * @param pieces one hash per 64 tokens of what may be shared
 * @param promptTokens its true length
 * @param outputTokens how long its answer is
 */
record BenchCall(
        long arrivalNanos, String caller, Prompt prompt, long[] pieces, int promptTokens, int outputTokens) {}
