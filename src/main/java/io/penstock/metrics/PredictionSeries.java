package io.penstock.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.penstock.proxy.Decision;
import io.penstock.proxy.ExchangeReport;
import io.penstock.upstream.Choice;
import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
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
    private final ConcurrentHashMap<String, Timer> errors = new ConcurrentHashMap<>();
    private final ConcurrentHashMap<String, Timer> lanes = new ConcurrentHashMap<>();
    private final ConcurrentHashMap<String, Counter> hits = new ConcurrentHashMap<>();
    private final ConcurrentHashMap<String, Counter> lookups = new ConcurrentHashMap<>();
    private final ConcurrentHashMap<String, Counter> moves = new ConcurrentHashMap<>();

    PredictionSeries(MeterRegistry registry) {
        this.registry = registry;
    }

    void ended(ExchangeReport report) {
        for (Decision decision : report.decisions()) {
            Choice choice = decision.choice();
            if (choice.laneNanos() < 0) {
                continue; // Nothing was predicted.
            }
            PrometheusMetrics.cached(lanes, "", this::laneTimer).record(choice.laneNanos(), TimeUnit.NANOSECONDS);
            if (choice.reason() == Choice.Reason.MOVED) {
                PrometheusMetrics.cached(moves, decision.replica(), this::moveCounter)
                        .increment();
            }
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
            PrometheusMetrics.cached(lookups, decision.replica(), this::lookupCounter)
                    .increment(asked);
            PrometheusMetrics.cached(hits, decision.replica(), this::hitCounter)
                    .increment(terms.matchedPieces() == 0 ? 0 : Math.max(0, asked - terms.uncachedTokens()));
        }
    }

    private void error(long lateNanos) {
        String direction = lateNanos < 0 ? "early" : "late";
        PrometheusMetrics.cached(errors, direction, this::errorTimer).record(Math.abs(lateNanos), TimeUnit.NANOSECONDS);
    }

    /** Removes the series of a replica that has long been gone. */
    void forget(String replica) {
        forget(hits, replica);
        forget(lookups, replica);
        forget(moves, replica);
    }

    private void forget(ConcurrentHashMap<String, Counter> counters, String replica) {
        Counter counter = counters.remove(replica);
        if (counter != null) {
            registry.remove(counter);
        }
    }

    private Timer errorTimer(String direction) {
        return PrometheusMetrics.timer(
                        PrometheusMetrics.PREDICTION_ERROR,
                        "By how much the first output came earlier or later than predicted",
                        BUCKETS)
                .tag("direction", direction)
                .register(registry);
    }

    private Timer laneTimer(String all) {
        return PrometheusMetrics.timer(PrometheusMetrics.LANE, "Time in a replica's lane, 0 if sent at once", BUCKETS)
                .register(registry);
    }

    private Counter hitCounter(String replica) {
        return counter(
                PrometheusMetrics.PREFIX_HITS, "Prompt tokens that the replica had seen, as far as known", replica);
    }

    private Counter lookupCounter(String replica) {
        return counter(PrometheusMetrics.PREFIX_LOOKUPS, "Prompt tokens of the requests that were sent there", replica);
    }

    private Counter moveCounter(String replica) {
        return counter(PrometheusMetrics.LANE_MOVES, "Requests that left another replica's lane for this one", replica);
    }

    private Counter counter(String name, String description, String replica) {
        return Counter.builder(name)
                .description(description)
                .tag("replica", replica)
                .register(registry);
    }
}
