package io.penstock.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.upstream.Choice.Reason;
import io.penstock.upstream.Fleet;
import io.penstock.upstream.LiveUpstreams;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PredictionSeriesTest {

    private static final long MS = 1_000_000;

    private final AtomicLong nanos = new AtomicLong();
    private final LiveUpstreams live = new LiveUpstreams(nanos::get);
    private final PrometheusMetrics metrics = new PrometheusMetrics(Reports.sources(live, nanos::get));

    @AfterEach
    void close() {
        metrics.close();
    }

    @Test
    void whatIsNotPredictedLeavesNoSeries() {
        metrics.exchangeEnded(Reports.completed("a"));
        metrics.exchangeEnded(Reports.decided("a", Reason.LEAST_IN_FLIGHT, -1, 500 * MS, 200));

        assertThat(metrics.scrape()).doesNotContain("penstock_prediction", "penstock_lane", "penstock_prefix");
    }

    @Test
    void errorsAreCountedByTheirSign() {
        metrics.exchangeEnded(Reports.decided("a", Reason.LEAST_PREDICTED_DELAY, 0, 500 * MS, 200));
        metrics.exchangeEnded(Reports.decided("b", Reason.LEAST_PREDICTED_DELAY, 0, -20 * MS, 200));

        assertThat(metrics.scrape())
                .contains("penstock_prediction_error_seconds_sum{direction=\"late\"} 0.5\n")
                .contains("penstock_prediction_error_seconds_bucket{direction=\"late\",le=\"0.25\"} 0\n")
                .contains("penstock_prediction_error_seconds_bucket{direction=\"late\",le=\"0.5\"} 1\n")
                .contains("penstock_prediction_error_seconds_sum{direction=\"early\"} 0.02\n");
    }

    @Test
    void anErrorOfAReplicaSaysNothingOfThePrediction() {
        metrics.exchangeEnded(Reports.decided("a", Reason.LEAST_PREDICTED_DELAY, 0, 500 * MS, 400));

        assertThat(metrics.scrape()).doesNotContain("penstock_prediction_error_seconds_sum");
    }

    @Test
    void whatTheIndexFoundIsCountedAgainstWhatItWasAsked() {
        metrics.exchangeEnded(Reports.decided("a", Reason.LEAST_PREDICTED_DELAY, 0, 0, 200));
        metrics.exchangeEnded(Reports.decided("a", Reason.LEAST_PREDICTED_DELAY, 0, 0, 200));

        assertThat(metrics.scrape())
                .contains("penstock_prefix_hit_tokens_total{replica=\"a\"} 1280.0\n")
                .contains("penstock_prefix_lookup_tokens_total{replica=\"a\"} 2000.0\n");
    }

    @Test
    void lanesAndMovesAreCounted() {
        metrics.exchangeEnded(Reports.decided("a", Reason.LEAST_PREDICTED_DELAY, 0, 0, 200));
        metrics.exchangeEnded(Reports.decided("b", Reason.MOVED, 300 * MS, 0, 200));

        assertThat(metrics.scrape())
                .contains("penstock_lane_seconds_count 2\n")
                .contains("penstock_lane_seconds_sum 0.3\n")
                .contains("penstock_lane_moves_total{replica=\"b\"} 1.0\n")
                .contains("penstock_lane_moves_total{replica=\"a\"} 0.0\n");
    }

    @Test
    void theSeriesOfAReplicaGoWithIt() {
        live.apply(List.of(Fleet.upstream("stays")));
        metrics.exchangeEnded(Reports.decided("gone", Reason.MOVED, 0, 0, 200));
        metrics.exchangeEnded(Reports.decided("stays", Reason.MOVED, 0, 0, 200));
        metrics.scrape();
        nanos.addAndGet(Duration.ofMinutes(11).toNanos());

        assertThat(metrics.scrape())
                .doesNotContain("replica=\"gone\"")
                .contains("penstock_lane_moves_total{replica=\"stays\"} 1.0\n")
                .contains("penstock_prefix_hit_tokens_total{replica=\"stays\"} 640.0\n")
                .contains("penstock_prefix_lookup_tokens_total{replica=\"stays\"} 1000.0\n");
    }
}
