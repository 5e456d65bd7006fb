package io.penstock.proxy;

import io.penstock.upstream.Choice;

/**
 * One choice of a replica for one request, and what came of it. Times are nanoseconds.
 *
 * @param cause why a replica had to be chosen
 * @param replica the display name of the chosen one
 * @param choice what was known, and which rule decided
 * @param chosenNanos when, since the request's head arrived
 * @param firstOutputNanos from the choice to the first output that was relayed; -1 if this one gave none, or if
 *     no stream was asked for: an answer that is none shows nothing until it is whole
 */
public record Decision(Cause cause, String replica, Choice choice, long chosenNanos, long firstOutputNanos) {

    /** Why a replica had to be chosen. */
    public enum Cause {
        /** The request came. */
        ARRIVAL(""),
        /** The replica before was lost, at no cost to the request. */
        FAILOVER("failover"),
        /** The replica before answered with an error. */
        RETRY("retry"),
        /** The replica before is suspected, and goes on beside this one. */
        HEDGE("hedge");

        private final String word;

        Cause(String word) {
            this.word = word;
        }
    }

    /**
     * Why it went there, in a few words of ASCII.
     *
     * @return for example {@code least predicted delay} or {@code failover, only one usable}
     */
    public String why() {
        String phrase = choice.reason().phrase();
        return cause == Cause.ARRIVAL ? phrase : cause.word + ", " + phrase;
    }

    /**
     * By how much the first output came later than predicted.
     *
     * @return below zero if it came earlier; 0 if nothing was predicted or no output came
     */
    public long lateNanos() {
        return isJudged() ? firstOutputNanos - choice.predictedNanos() : 0;
    }

    /**
     * Whether there is a prediction and a truth to hold against each other.
     *
     * @return true if {@link #lateNanos} means something
     */
    public boolean isJudged() {
        return firstOutputNanos >= 0 && choice.predictedNanos() >= 0;
    }

    Decision answered(long nanos) {
        return new Decision(cause, replica, choice, chosenNanos, nanos);
    }
}
