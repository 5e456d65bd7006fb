package io.penstock.bench;

import io.penstock.bench.LiveReplicas.Lookups;
import java.util.ArrayList;
import java.util.List;

/**
 * How one contender did in all its blocks of a cell.
 *
 * @param name who
 * @param requests how many were measured
 * @param errors how many of those were not answered whole; they have no part in the times
 * @param hits share of the prompt tokens that were found in a cache, by the replicas' own metrics
 * @param meanSeconds to the first event
 * @param medianSeconds half of the requests had theirs sooner
 * @param p99Seconds all but one in a hundred had
 */
public record MatchScore(
        String name,
        int requests,
        int errors,
        double hits,
        double meanSeconds,
        double medianSeconds,
        double p99Seconds) {

    /** Puts a contender's blocks together. */
    static MatchScore of(String name, List<Block.Result> blocks) {
        int requests = 0;
        int errors = 0;
        Lookups lookups = new Lookups(0, 0);
        List<Double> waits = new ArrayList<>();
        for (Block.Result each : blocks) {
            requests += each.requests();
            errors += each.errors();
            lookups = lookups.plus(each.lookups());
            waits.addAll(each.waits());
        }
        double mean = waits.stream().mapToDouble(each -> each).average().orElse(0);
        return new MatchScore(
                name,
                requests,
                errors,
                lookups.ratio(),
                mean,
                CellRun.quantile(waits, 0.5),
                CellRun.quantile(waits, 0.99));
    }
}
