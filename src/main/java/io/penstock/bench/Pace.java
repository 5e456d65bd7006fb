package io.penstock.bench;

/**
 * How much of a cell is run in real time, and how fast. Times are the cell's own: a machine that cannot carry all the
 * tokens gets slower replicas and fewer requests by the same factor, which leaves everything else as it is.
 *
 * @param warmUpSeconds requests come, and nobody counts
 * @param seconds how long is measured
 * @param tokensPerSecond the most that this machine shall carry, from the replicas to the client
 */
public record Pace(double warmUpSeconds, double seconds, double tokensPerSecond) {

    private static final double TOKENS_PER_CORE = 500;

    /**
     * What suits a machine that runs replicas, balancer and client.
     *
     * @param warmUpSeconds requests come, and nobody counts
     * @param seconds how long is measured
     * @param cores how many it has
     * @return the pace
     */
    public static Pace on(int cores, double warmUpSeconds, double seconds) {
        return new Pace(warmUpSeconds, seconds, TOKENS_PER_CORE * cores);
    }

    /** How many times faster than real ones replicas are, and requests come; at most 1. */
    double speed(Cell cell) {
        return Math.min(1, tokensPerSecond / (cell.rate() * cell.workload().outputTokens()));
    }
}
