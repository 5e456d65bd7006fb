package io.penstock.selection;

/**
 * What a prediction takes into account. All of it, but in experiments that ask what a part is good for.
 *
 * @param prefix which prompts a replica has seen
 * @param bound no replica holds much more than the others
 * @param fillCold a replica that has next to nothing is judged as if it had seen the prompt
 * @param idle reading that could be saved elsewhere holds up those that are being answered
 * @param learnedRate how fast each replica reads
 */
public record PredictionTerms(boolean prefix, boolean bound, boolean fillCold, boolean idle, boolean learnedRate) {

    /** Everything. */
    public static final PredictionTerms ALL = new PredictionTerms(true, true, true, true, true);
}
