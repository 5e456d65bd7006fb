package io.penstock.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.penstock.proxy.Decision;
import io.penstock.proxy.ExchangeReport;
import io.penstock.upstream.Choice;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * How good predictions are: by how much the first output missed them, what the prefix index found, how long requests were in
 * lanes and how often they moved. Nothing here exists until something was predicted. Any event loop may report.
 */
final class PredictionSeries {

    private static final Duration[] BUCKETS =
            PrometheusMetrics.seconds(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60);

    private final MeterRegistry registry;
    private final Family<String, Timer> errors;
    private final Family<Metric, Timer> lanes;
    private final Family<String, Counter> hits;
    private final Family<String, Counter> lookups;
    private final Family<String, Counter> moves;

    PredictionSeries(MeterRegistry registry) {
        this.registry = registry;
        this.errors = new Family<>(
                registry,
                direction -> Metric.PREDICTION_ERROR
                        .timer(BUCKETS)
                        .tag("direction", direction)
                        .register(registry));
        this.lanes = new Family<>(registry, lane -> lane.timer(BUCKETS).register(registry));
        this.hits = byReplica(Metric.PREFIX_HITS);
        this.lookups = byReplica(Metric.PREFIX_LOOKUPS);
        this.moves = byReplica(Metric.LANE_MOVES);
    }

    private Family<String, Counter> byReplica(Metric metric) {
        return new Family<>(
                registry, replica -> metric.counter().tag("replica", replica).register(registry));
    }

    void ended(ExchangeReport report) {
        for (Decision decision : report.decisions()) {
            Choice choice = decision.choice();
            if (choice.laneNanos() < 0) {
                continue; // Nothing was predicted.
            }
            lanes.of(Metric.LANE).record(choice.laneNanos(), TimeUnit.NANOSECONDS);
            moves.of(decision.replica()).increment(choice.reason() == Choice.Reason.MOVED ? 1 : 0);
            index(decision);
            // The first byte of a whole answer comes with its last, and an error says nothing of the engine's speed.
            if (decision.isJudged() && report.stream() && report.status() == 200) {
                error(decision.lateNanos());
            }
        }
    }

    private void index(Decision decision) {
        Choice.Option chosen = decision.choice().option(decision.replica());
        Choice.@Nullable Terms terms = chosen == null ? null : chosen.terms();
        if (terms != null) {
            double asked = decision.choice().promptTokens();
            lookups.of(decision.replica()).increment(asked);
            hits.of(decision.replica())
                    .increment(terms.matchedPieces() == 0 ? 0 : Math.max(0, asked - terms.uncachedTokens()));
        }
    }

    private void error(long lateNanos) {
        errors.of(lateNanos < 0 ? "early" : "late").record(Math.abs(lateNanos), TimeUnit.NANOSECONDS);
    }

    /** The replicas that have series. */
    Set<String> replicas() {
        return moves.keys();
    }

    /** Removes the series of replicas that have long been gone. */
    void forget(Set<String> replicas) {
        hits.removeIf(replicas::contains);
        lookups.removeIf(replicas::contains);
        moves.removeIf(replicas::contains);
    }
}
