package io.penstock.sim;

import java.util.List;

/**
 * How fast one model on one kind of machine is, and how much it holds. Figures are meant to show how load behaves, not to
 * predict a machine.
 *
 * @param name the model and its machine
 * @param cacheBlocks blocks of the KV cache
 * @param blockTokens tokens in one block
 * @param stepTokens the most tokens, of prompts and outputs together, that one step computes
 * @param maxSequences the most requests in one batch
 * @param maxModelLen the longest prompt plus answer, in tokens
 * @param prefillTokensPerSecond how fast prompts are computed
 * @param stepSeconds what each step costs
 * @param sequenceSeconds what each request of the batch adds to a step
 * @param contextSeconds what each token of context of the batch adds to a step
 * @param crowd from how many requests on each costs more
 * @param crowdSeconds how much more
 * @param overlaps whether prompts and outputs are computed side by side, so that the slower part decides; otherwise one
 *     after the other
 */
public record EngineProfile(
        String name,
        int cacheBlocks,
        int blockTokens,
        int stepTokens,
        int maxSequences,
        int maxModelLen,
        double prefillTokensPerSecond,
        double stepSeconds,
        double sequenceSeconds,
        double contextSeconds,
        int crowd,
        double crowdSeconds,
        boolean overlaps) {

    private static final double NANOS = 1e9;
    private static final int LONG_CONTEXT = 131_072;

    /** An 8B model in 16 bits on one H100. */
    public static final EngineProfile H100_8B = new EngineProfile(
            "8b-h100", 28_000, 16, 2_048, 256, LONG_CONTEXT, 16_000, .007, .00012, 4e-8, 256, 0, true);

    /** A 70B model on eight H100s that share its layers. */
    public static final EngineProfile H100_70B = new EngineProfile(
            "70b-tp8-h100", 32_000, 16, 2_048, 256, LONG_CONTEXT, 8_000, .012, .00018, 2e-8, 256, 0, true);

    /**
     * A 3B model in 16 bits on one L40S, guessed and not measured: 6 GB of weights and 112 KiB of cache per token, read at
     * 864 GB/s; half of 181 TFLOPS for prompts; 35 GB for the cache.
     */
    public static final EngineProfile SMALL_L40S = new EngineProfile(
            "small-l40s", 19_000, 16, 2_048, 256, LONG_CONTEXT, 14_000, .009, .00015, 1.3e-7, 256, 0, true);

    /**
     * A model of 8 layers on one core, fitted to measurements of vLLM 0.32 with up to 32 streams and, more coarsely, 128.
     */
    public static final EngineProfile TINY_CPU =
            new EngineProfile("tiny-cpu", 1_024, 128, 2_048, 128, 2_048, 4_700, .0128, .00036, 0, 32, .0004, false);

    private static final List<EngineProfile> ALL = List.of(H100_8B, H100_70B, SMALL_L40S, TINY_CPU);

    /** Refuses what can do no work. */
    public EngineProfile {
        if (Math.min(Math.min(cacheBlocks, blockTokens), Math.min(stepTokens, maxSequences)) < 1
                || maxModelLen < 1
                || maxModelLen > (long) cacheBlocks * blockTokens
                || !(prefillTokensPerSecond > 0)) {
            throw new IllegalArgumentException("not a profile: " + name + " with " + cacheBlocks + " blocks of "
                    + blockTokens + " tokens for contexts of " + maxModelLen);
        }
    }

    /**
     * Finds a profile.
     *
     * @param name as in {@link #names}
     * @return the profile
     * @throws IllegalArgumentException if there is none of that name; the message lists those that exist
     */
    public static EngineProfile named(String name) {
        for (EngineProfile profile : ALL) {
            if (profile.name.equals(name)) {
                return profile;
            }
        }
        throw new IllegalArgumentException("no profile " + name + "; there are " + String.join(", ", names()));
    }

    /**
     * The profiles that have a name.
     *
     * @return their names
     */
    public static List<String> names() {
        return ALL.stream().map(EngineProfile::name).toList();
    }

    /**
     * The same machine with another cache. The longest context shrinks with it.
     *
     * @param blocks how many blocks
     * @return the changed copy
     */
    public EngineProfile withCacheBlocks(int blocks) {
        return new EngineProfile(
                name,
                blocks,
                blockTokens,
                stepTokens,
                maxSequences,
                (int) Math.min(maxModelLen, (long) blocks * blockTokens),
                prefillTokensPerSecond,
                stepSeconds,
                sequenceSeconds,
                contextSeconds,
                crowd,
                crowdSeconds,
                overlaps);
    }

    /**
     * How long one step takes.
     *
     * @param prefillTokens prompt tokens that it computes
     * @param sequences requests that take part
     * @param contextTokens the tokens of all of them
     * @return nanoseconds
     */
    public long stepNanos(int prefillTokens, int sequences, long contextTokens) {
        double prefill = prefillTokens / prefillTokensPerSecond;
        double decode = stepSeconds
                + sequenceSeconds * sequences
                + contextSeconds * contextTokens
                + crowdSeconds * Math.max(0, sequences - crowd);
        return Math.round((overlaps ? Math.max(prefill, decode) : prefill + decode) * NANOS);
    }
}
