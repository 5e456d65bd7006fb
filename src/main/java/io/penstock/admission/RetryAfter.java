package io.penstock.admission;

/**
 * What a refused client is told: for how many seconds to stay away (RFC 9110, section 10.2.3). As long as its turn would
 * have taken, and a little longer for some than for others, so that those who are refused together do not come back
 * together. Never less than 1, nor more than {@value #LONGEST_SECONDS}: OpenAI's clients do not believe more.
 */
final class RetryAfter {

    static final int LONGEST_SECONDS = 60;

    /** While nothing is known. */
    static final double USUAL_SECONDS = 5;
    /** By how much some are told to stay away for longer than others: a share of the time, and a second. */
    private static final double SPREAD_SHARE = 0.2;

    private static final double SPREAD_SECONDS = 1;

    private RetryAfter() {}

    /**
     * The header's value.
     *
     * @param waitSeconds how long its turn would have taken; zero or more
     * @param chance from 0 to below 1
     * @return whole seconds
     */
    static int seconds(double waitSeconds, double chance) {
        double longest = (LONGEST_SECONDS - SPREAD_SECONDS) / (1 + SPREAD_SHARE);
        double spread = Math.min(waitSeconds, longest) * (1 + SPREAD_SHARE * chance) + SPREAD_SECONDS * chance;
        return (int) Math.max(1, Math.ceil(spread));
    }
}
