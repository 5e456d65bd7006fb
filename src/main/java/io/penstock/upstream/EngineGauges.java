package io.penstock.upstream;

import java.util.List;

/**
 * What a replica's engines said about themselves at one moment, out of its {@code /metrics}. A number that it does not
 * give is NaN.
 *
 * @param engines one entry per engine, in the order of their labels; more than one with data parallelism
 * @param processStartSeconds when the replica's process was started, in seconds since 1970; NaN if it does not say
 * @param prefillTokensPerSecond how fast it reads prompts, measured by itself over all requests so far, prompts that it
 *     had in its cache not counted; NaN until that means something
 * @param cacheTokens how many tokens the KV caches of its engines hold together; 0 if it does not say
 * @param takenNanos when this was read, in nanoseconds of the injected clock
 * @param validNanos how long it says something about the present
 */
public record EngineGauges(
        List<Engine> engines,
        double processStartSeconds,
        double prefillTokensPerSecond,
        long cacheTokens,
        long takenNanos,
        long validNanos) {

    /**
     * One engine. Counters grow from the start of the process and count for all its models.
     *
     * @param label the value of the label {@code engine}
     * @param running requests that it works on
     * @param waiting requests that wait there
     * @param cacheUsage the used share of the KV cache, 0 to 1
     * @param generatedTokens tokens made so far
     * @param promptTokens prompt tokens taken in so far
     * @param finished requests answered so far
     * @param prefixQueries prompt tokens that were looked up in its prefix cache so far
     * @param prefixHits those of them that were found
     * @param preemptions times so far that it put a running request back for want of memory
     */
    public record Engine(
            String label,
            double running,
            double waiting,
            double cacheUsage,
            double generatedTokens,
            double promptTokens,
            double finished,
            double prefixQueries,
            double prefixHits,
            double preemptions) {

        /** One that says nothing of its prefix cache and of preemptions. */
        public Engine(
                String label,
                double running,
                double waiting,
                double cacheUsage,
                double generatedTokens,
                double promptTokens,
                double finished) {
            this(
                    label,
                    running,
                    waiting,
                    cacheUsage,
                    generatedTokens,
                    promptTokens,
                    finished,
                    Double.NaN,
                    Double.NaN,
                    Double.NaN);
        }

        private boolean countsMoreThan(Engine before) {
            return generatedTokens > before.generatedTokens
                    || promptTokens > before.promptTokens
                    || finished > before.finished;
        }
    }

    /** One that does not say how much it can keep. */
    public EngineGauges(
            List<Engine> engines,
            double processStartSeconds,
            double prefillTokensPerSecond,
            long takenNanos,
            long validNanos) {
        this(engines, processStartSeconds, prefillTokensPerSecond, 0, takenNanos, validNanos);
    }

    /** Copies the list. */
    public EngineGauges {
        engines = List.copyOf(engines);
    }

    /**
     * Whether this still says something.
     *
     * @param nowNanos now, in nanoseconds of the injected clock
     * @return false once it is too old
     */
    public boolean fresh(long nowNanos) {
        return nowNanos - takenNanos <= validNanos;
    }

    /**
     * Whether anything at all moved.
     *
     * @param before an earlier reading
     * @return true if any number of any engine differs
     */
    public boolean movedSince(EngineGauges before) {
        return !engines.equals(before.engines);
    }

    /**
     * Whether work was done, which is more than that something moved.
     *
     * @param before an earlier reading of the same process
     * @return true if any engine has made tokens, taken in a prompt or answered a request
     */
    public boolean workedSince(EngineGauges before) {
        if (engines.size() != before.engines.size()) {
            return false;
        }
        for (int i = 0; i < engines.size(); i++) {
            if (engines.get(i).countsMoreThan(before.engines.get(i))) {
                return true;
            }
        }
        return false;
    }

    /**
     * Whether it was another process that gave an earlier reading.
     *
     * @param before an earlier reading
     * @return true if both say when they were started, and it was not the same moment
     */
    public boolean isOtherProcessThan(EngineGauges before) {
        // NaN differs from nothing here.
        return Math.abs(processStartSeconds - before.processStartSeconds) > 0;
    }

    /**
     * Whether it has answered a request since its process was started.
     *
     * @return false also if it does not say
     */
    public boolean hasFinished() {
        return engines.stream().anyMatch(engine -> engine.finished() > 0);
    }

    /**
     * Whether it answers without making tokens, as models for embeddings do.
     *
     * @return true if it has answered requests and has never made a token
     */
    public boolean answersWithoutTokens() {
        return hasFinished() && engines.stream().noneMatch(engine -> engine.generatedTokens() > 0);
    }
}
