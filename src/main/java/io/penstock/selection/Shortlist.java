package io.penstock.selection;

import io.penstock.upstream.Choice;
import java.util.Arrays;
import java.util.function.IntToDoubleFunction;

/** The few of many candidates that are worth telling about. */
final class Shortlist {

    private Shortlist() {}

    /**
     * Which candidates a choice tells of: all if there are few, else those with the lowest score and the chosen one.
     *
     * @param candidates how many there are
     * @param score of one of them, from 0; the lower, the sooner it is told of
     * @param chosen always told of
     * @return indices in ascending order
     */
    static int[] of(int candidates, IntToDoubleFunction score, int chosen) {
        int[] kept = new int[Math.min(candidates, Choice.MOST_OPTIONS)];
        if (kept.length == candidates) {
            Arrays.setAll(kept, i -> i);
            return kept;
        }
        // A handful is kept in order, so most candidates of a large fleet cost one comparison.
        double[] scores = new double[kept.length];
        int size = 0;
        for (int i = 0; i < candidates; i++) {
            double mine = i == chosen ? Double.NEGATIVE_INFINITY : score.applyAsDouble(i);
            if (size == kept.length && !(mine < scores[size - 1])) {
                continue;
            }
            int at = size < kept.length ? size++ : size - 1;
            for (; at > 0 && mine < scores[at - 1]; at--) {
                scores[at] = scores[at - 1];
                kept[at] = kept[at - 1];
            }
            scores[at] = mine;
            kept[at] = i;
        }
        Arrays.sort(kept);
        return kept;
    }
}
