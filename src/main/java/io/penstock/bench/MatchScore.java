package io.penstock.bench;

import java.util.ArrayList;
import java.util.List;

/**
 * How one contender did in all its blocks of a cell.
 *
 * @param name who
 * @param requests how many were measured
 * @param errors how many of those were not answered whole; they have no part in the times
 * @param hits share of the prompt tokens that were found in a cache, by the replicas' own metrics; not a number if none
 *     were looked for
 * @param predictedHits the same as the contender believed; not a number if it says nothing of that
 * @param meanSeconds to the first event
 * @param medianSeconds half of the requests had theirs sooner
 * @param p99Seconds all but one in a hundred had
 */
public record MatchScore(
        String name,
        int requests,
        int errors,
        double hits,
        double predictedHits,
        double meanSeconds,
        double medianSeconds,
        double p99Seconds) {

    /** Puts a contender's blocks together. */
    static MatchScore of(String name, List<Block.Result> blocks) {
        int requests = 0;
        int errors = 0;
        Block.Reading caches = new Block.Reading(Lookups.NONE, Lookups.NONE);
        List<Double> waits = new ArrayList<>();
        for (Block.Result each : blocks) {
            requests += each.requests();
            errors += each.errors();
            caches = caches.plus(each.caches());
            waits.addAll(each.waits());
        }
        double mean = waits.stream().mapToDouble(each -> each).average().orElse(0);
        return new MatchScore(
                name,
                requests,
                errors,
                caches.found().ratio(),
                caches.predicted().ratio(),
                mean,
                CellRun.quantile(waits, 0.5),
                CellRun.quantile(waits, 0.99));
    }
}
