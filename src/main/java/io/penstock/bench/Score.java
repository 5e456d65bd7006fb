package io.penstock.bench;

import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * What became of a cell under one policy.
 *
 * @param good share of the requests that had both their first token and their mean inter-token time in time
 * @param refused share of the requests that were turned away
 * @param medianSeconds half of the requests had their first token sooner
 * @param p99Seconds all but one in a hundred had
 * @param quietP99Seconds the same for the caller that does not flood
 * @param hits share of the prompt tokens that were found in a cache
 * @param busiest requests that the busiest replica got, over the mean
 * @param idlest requests that the least busy replica got, over the mean
 */
public record Score(
        double good,
        double refused,
        double medianSeconds,
        double p99Seconds,
        double quietP99Seconds,
        double hits,
        double busiest,
        double idlest) {

    /** The mean of several runs, figure by figure. */
    static Score mean(List<Score> runs) {
        return new Score(
                mean(runs, Score::good),
                mean(runs, Score::refused),
                mean(runs, Score::medianSeconds),
                mean(runs, Score::p99Seconds),
                mean(runs, Score::quietP99Seconds),
                mean(runs, Score::hits),
                mean(runs, Score::busiest),
                mean(runs, Score::idlest));
    }

    /** Share of the requests that were not turned away that were good; 1 if all were turned away. */
    double goodOfServed() {
        return refused == 1 ? 1 : good / (1 - refused);
    }

    private static double mean(List<Score> runs, ToDoubleFunction<Score> figure) {
        return runs.stream().mapToDouble(figure).average().orElse(0);
    }
}
