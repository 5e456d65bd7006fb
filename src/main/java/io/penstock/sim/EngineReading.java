package io.penstock.sim;

/**
 * What an engine says of itself. A step engine changes it at the end of a step only, as vLLM does, so it may be one step
 * old.
 *
 * @param running requests in the batch
 * @param waiting requests that are not in it yet, or not any more
 * @param cacheUsage the share of the KV cache's blocks that running requests hold, 0 to 1; what is only kept for reuse
 *     does not count
 * @param prefixQueries prompt tokens that were looked up in the prefix cache
 * @param prefixHits those of them that were found there
 * @param promptTokens tokens of the prompts whose first output is made, found ones included
 * @param promptTokensCached those of them that were found in the prefix cache
 * @param generatedTokens output tokens
 * @param preemptions how often a request lost its place in the batch because the cache was full
 */
public record EngineReading(
        int running,
        int waiting,
        double cacheUsage,
        long prefixQueries,
        long prefixHits,
        long promptTokens,
        long promptTokensCached,
        long generatedTokens,
        long preemptions) {

    /** What an engine says before its first step. */
    static final EngineReading NOTHING = new EngineReading(0, 0, 0, 0, 0, 0, 0, 0, 0);
}
