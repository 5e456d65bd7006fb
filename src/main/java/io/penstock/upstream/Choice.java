package io.penstock.upstream;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Why a lease is for this replica and for no other: what was known when the choice was made, in numbers that were at hand.
 * Small whatever the fleet's size, since thousands of these are kept.
 *
 * @param reason the rule that decided
 * @param options the replicas it was chosen from, the chosen one always among them; of many only the best
 * @param others how many more there were
 * @param madeNanos when, in nanoseconds of the injected clock
 * @param laneNanos how long the request had then been in a replica's lane before it was sent; -1 if there are no lanes
 * @param promptTokens how long its prompt was taken to be; 0 if nobody asked
 * @param predictedNanos from the choice to the first output, as predicted; -1 if nothing was
 */
public record Choice(
        Reason reason,
        List<Option> options,
        int others,
        long madeNanos,
        long laneNanos,
        long promptTokens,
        long predictedNanos) {

    /** More options than these are counted only. */
    public static final int MOST_OPTIONS = 16;

    /** Copies the list. */
    public Choice {
        options = List.copyOf(options);
    }

    /** The rules that decide. This list is closed: clients are told these words. */
    public enum Reason {
        /** Its first output was predicted to come soonest. */
        LEAST_PREDICTED_DELAY("least predicted delay"),
        /** Several were predicted to be about as fast. */
        FEWEST_OF_EQUALS("ties: fewest in flight"),
        /** It had next to nothing, and would have been best had it seen the prompt. */
        FILLED_THE_COLD("filled the cold"),
        /** Nobody else could take it. */
        ONLY_ONE_USABLE("only one usable"),
        /** The fewest requests in flight for its weight. */
        LEAST_IN_FLIGHT("least in flight"),
        /** It was its turn. */
        IN_TURN("its turn"),
        /** An ejected replica, which has to show that it is well again. */
        TRIAL("trial"),
        /** Nobody is usable, so ejected ones get the work. */
        PANIC("panic"),
        /** It waited in another's lane, and this one became free first. */
        MOVED("moved");

        private final String phrase;

        Reason(String phrase) {
            this.phrase = phrase;
        }

        /**
         * The reason in words.
         *
         * @return a few words of ASCII
         */
        public String phrase() {
            return phrase;
        }
    }

    /**
     * One replica that could have been chosen.
     *
     * @param replica its display name
     * @param held requests that it held, or that waited in its lane
     * @param terms what the request was predicted to cost there; null if nothing was predicted
     */
    public record Option(String replica, int held, @Nullable Terms terms) {}

    /**
     * The parts of a predicted cost, in milliseconds.
     *
     * @param matchedPieces leading pieces of the prompt that the replica has seen
     * @param uncachedTokens prompt tokens that it would have to read
     * @param queue reading what it was given before
     * @param read reading this prompt
     * @param step making one token
     * @param silence how much longer than its work explains it has shown nothing
     * @param answer what the answer costs, by how fast tokens come there
     * @param disturbance what reading costs those that are being answered there
     * @param cost all of it
     */
    public record Terms(
            int matchedPieces,
            long uncachedTokens,
            double queue,
            double read,
            double step,
            double silence,
            double answer,
            double disturbance,
            double cost) {}

    /**
     * What was said of one of the options.
     *
     * @param replica its display name
     * @return the option; null if it is not among them
     */
    public @Nullable Option option(String replica) {
        for (Option option : options) {
            if (option.replica().equals(replica)) {
                return option;
            }
        }
        return null;
    }

    /**
     * The same choice, acted upon later.
     *
     * @param nanos how long the request waited in the lane
     * @return a copy
     */
    public Choice afterLane(long nanos) {
        return new Choice(reason, options, others, madeNanos, nanos, promptTokens, predictedNanos);
    }
}
