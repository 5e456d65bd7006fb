package io.penstock.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.config.ConfigState;
import io.penstock.health.ReplicaChange;
import io.penstock.proxy.Decision;
import io.penstock.upstream.Ejection;
import io.penstock.upstream.EngineGauges;
import io.penstock.upstream.Fleet;
import io.penstock.upstream.LiveUpstreams;
import io.penstock.upstream.Standing;
import io.penstock.upstream.UpstreamState;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PrometheusMetricsTest {

    private final AtomicLong nanos = new AtomicLong();
    private final AtomicLong waiting = new AtomicLong();
    private final AtomicLong bodyBytes = new AtomicLong();
    private final AtomicLong dropped = new AtomicLong();
    private final AtomicLong lost = new AtomicLong();
    private final LiveUpstreams live = new LiveUpstreams(nanos::get);
    private final AtomicReference<ConfigState> config = new AtomicReference<>(Reports.config(List.of(), 1, 0));
    private final PrometheusMetrics metrics = new PrometheusMetrics(new PrometheusMetrics.Sources(
            live,
            config::get,
            waiting::get,
            bodyBytes::get,
            () -> 1 << 21,
            dropped::get,
            lost::get,
            nanos::get,
            "1.2.3"));

    @AfterEach
    void close() {
        metrics.close();
    }

    @Test
    void completedStreamIsCountedOnceEverywhere() {
        metrics.exchangeStarted();
        metrics.exchangeStarted();
        metrics.exchangeEnded(Reports.completed("vllm0"));

        assertThat(metrics.scrape())
                .contains("penstock_requests_total{code=\"200\",model=\"other\",result=\"completed\","
                        + "route=\"chat_completions\"} 1.0\n")
                .contains("penstock_request_seconds_bucket{route=\"chat_completions\",le=\"1.0\"} 0\n")
                .contains("penstock_request_seconds_bucket{route=\"chat_completions\",le=\"2.5\"} 1\n")
                .contains("penstock_request_seconds_bucket{route=\"chat_completions\",le=\"600.0\"} 1\n")
                .contains("penstock_request_seconds_sum{route=\"chat_completions\"} 2.0\n")
                .contains("penstock_time_to_first_output_seconds_bucket{model=\"other\",replica=\"vllm0\",le=\"0.1\"}"
                        + " 0\n")
                .contains("penstock_time_to_first_output_seconds_bucket{model=\"other\",replica=\"vllm0\",le=\"0.25\"}"
                        + " 1\n")
                .contains("penstock_queue_seconds_bucket{le=\"0.01\"} 0\n")
                .contains("penstock_queue_seconds_bucket{le=\"0.05\"} 1\n")
                .contains("penstock_attempts_total{reason=\"ok\",replica=\"vllm0\"} 1.0\n")
                .contains("penstock_events_total 42.0\n")
                .contains("penstock_bytes_in_total 1000.0\n")
                .contains("penstock_bytes_out_total 5000.0\n")
                .contains("penstock_exchanges_open 1.0\n");
    }

    @Test
    void failuresAreCountedByTheirCode() {
        metrics.exchangeStarted();
        metrics.exchangeEnded(Reports.refused());

        assertThat(metrics.scrape())
                .contains(
                        "penstock_requests_total{code=\"502\",model=\"none\",result=\"refused\",route=\"completions\"}"
                                + " 1.0\n")
                .contains("penstock_attempts_total{reason=\"upstream_unreachable\",replica=\"vllm0\"} 1.0\n")
                .contains("penstock_attempts_total{reason=\"upstream_died\",replica=\"vllm1\"} 1.0\n")
                .contains("penstock_exchanges_open 0.0\n")
                .doesNotContain("penstock_time_to_first_output_seconds_bucket");
    }

    @Test
    void requestThatNeverWaitedForAReplicaIsNotInTheQueueTimes() {
        metrics.exchangeEnded(Reports.named("models", 404, "m"));

        assertThat(metrics.scrape()).contains("penstock_queue_seconds_count 0\n");
    }

    @Test
    void ejectionsAreCountedByTheirReasonAndAPanicShows() {
        UpstreamState only =
                live.apply(List.of(Fleet.upstream("vllm0"))).members().get(0);
        only.judge(Standing.READY, "ready");
        // From the start: Prometheus does not see the first event of a series that begins with it.
        assertThat(metrics.scrape())
                .contains("penstock_panic 0.0\n")
                .contains("penstock_ejections_total{reason=\"share\",replica=\"vllm0\"} 0.0\n")
                .contains("penstock_standing_changes_total{replica=\"vllm0\",standing=\"stalled\"} 0.0\n");

        only.conduct().eject(new Ejection(Ejection.Cause.SHARE, "why"));
        only.conduct().eject(new Ejection(Ejection.Cause.TRIAL, "why"));
        metrics.scrape();
        only.conduct().eject(new Ejection(Ejection.Cause.TRIAL, "why"));

        assertThat(metrics.scrape())
                .contains("penstock_panic 1.0\n")
                .contains("penstock_ejections_total{reason=\"share\",replica=\"vllm0\"} 1.0\n")
                .contains("penstock_ejections_total{reason=\"trial\",replica=\"vllm0\"} 2.0\n")
                .contains("penstock_replica_standing{replica=\"vllm0\",standing=\"ejected\"} 1.0\n")
                .contains("penstock_replica_up{replica=\"vllm0\"} 0.0\n");
    }

    @Test
    void ejectionsOfAReplicaThatIsLongGoneAreForgotten() {
        UpstreamState only =
                live.apply(List.of(Fleet.upstream("vllm0"))).members().get(0);
        metrics.exchangeEnded(Reports.completed("vllm0"));
        only.conduct().eject(new Ejection(Ejection.Cause.SHARE, "why"));
        assertThat(metrics.scrape()).contains("penstock_ejections_total{");

        live.apply(List.of());
        metrics.scrape();
        nanos.addAndGet(Duration.ofMinutes(11).toNanos());
        assertThat(metrics.scrape()).doesNotContain("penstock_ejections_total{");
    }

    @Test
    void gaugesReadWhatIsTrueAtTheScrape() {
        waiting.set(3);
        bodyBytes.set(1 << 20);
        dropped.set(7);
        lost.set(8);
        metrics.connectionOpened();
        metrics.connectionOpened();
        metrics.connectionClosed();

        assertThat(metrics.scrape())
                .contains("penstock_waiting 3.0\n")
                .contains("penstock_body_memory_bytes 1048576.0\n")
                .contains("penstock_log_lines_dropped_total 7.0\n")
                .contains("penstock_spans_lost_total 8.0\n")
                .contains("penstock_connections_open 1.0\n")
                .contains("penstock_waiting_limit 4096.0\n")
                .contains("penstock_connections_limit 16384.0\n")
                .contains("penstock_body_memory_limit_bytes 2097152.0\n")
                .contains("penstock_probes_silent 0.0\n")
                .contains("penstock_build{version=\"1.2.3\"} 1.0\n")
                .contains("jvm_memory_used_bytes{")
                .contains("process_files_open_files ");
    }

    @Test
    void enginesSpeakForThemselvesWhileTheirNumbersAreFresh() {
        live.apply(List.of(Fleet.upstream("vllm0"), Fleet.upstream("vllm1")));
        EngineGauges.Engine first = new EngineGauges.Engine("0", 3, 7, 0.25, 1, 1, 1);
        EngineGauges.Engine second = new EngineGauges.Engine("1", 4, 0, Double.NaN, 1, 1, 1);
        live.current()
                .members()
                .get(0)
                .engine()
                .learnGauges(new EngineGauges(List.of(first, second), 1, Double.NaN, 0, 100));
        nanos.set(100);
        assertThat(metrics.scrape())
                .contains("penstock_replica_running{engine=\"0\",replica=\"vllm0\"} 3.0\n")
                .contains("penstock_replica_running{engine=\"1\",replica=\"vllm0\"} 4.0\n")
                .contains("penstock_replica_waiting{engine=\"0\",replica=\"vllm0\"} 7.0\n")
                .contains("penstock_replica_kv_usage{engine=\"0\",replica=\"vllm0\"} 0.25\n")
                .doesNotContain("penstock_replica_kv_usage{engine=\"1\"")
                .doesNotContain("penstock_replica_running{engine=\"0\",replica=\"vllm1\"}");

        nanos.set(101);
        assertThat(metrics.scrape()).doesNotContain("penstock_replica_running{");

        nanos.set(50);
        assertThat(metrics.scrape()).contains("penstock_replica_running{");
        live.apply(List.of(Fleet.upstream("vllm1")));
        assertThat(metrics.scrape()).doesNotContain("penstock_replica_running{");
    }

    @Test
    void theConfigurationShowsAsItStands() {
        assertThat(metrics.scrape())
                .contains("penstock_config_last_reload_ok 1.0\n")
                .contains("penstock_config_pending_restart 0.0\n")
                .contains("penstock_config_reloads_total{result=\"applied\"} 0.0\n")
                .contains("penstock_config_reloads_total{result=\"refused\"} 0.0\n");

        config.set(Reports.config(List.of("listen: want an address"), 3, 2));
        assertThat(metrics.scrape())
                .contains("penstock_config_last_reload_ok 0.0\n")
                .contains("penstock_config_pending_restart 1.0\n")
                .contains("penstock_config_reloads_total{result=\"applied\"} 2.0\n")
                .contains("penstock_config_reloads_total{result=\"refused\"} 2.0\n");
    }

    @Test
    void furtherReplicasAreCountedByTheirCause() {
        metrics.exchangeEnded(Reports.refused()); // Two attempts.
        metrics.exchangeEnded(Reports.routed("a", Decision.Cause.ARRIVAL, Decision.Cause.HEDGE, Decision.Cause.RETRY));

        assertThat(metrics.scrape())
                .contains("penstock_reroutes_total{cause=\"failover\"} 1.0\n")
                .contains("penstock_reroutes_total{cause=\"hedge\"} 1.0\n")
                .contains("penstock_reroutes_total{cause=\"retry\"} 1.0\n")
                .doesNotContain("cause=\"arrival\"");
    }

    @Test
    void theGapBetweenEventsIsTheMeanOfAWholeStream() {
        metrics.exchangeEnded(Reports.completed("vllm0")); // 1.75 s for the 41 events after the first.

        assertThat(metrics.scrape())
                .contains("penstock_time_per_output_event_seconds_sum{replica=\"vllm0\"} 0.042682926\n")
                .contains("penstock_time_per_output_event_seconds_count{replica=\"vllm0\"} 1\n");
    }

    @Test
    void howAReplicaCameToStandIsCountedOncePerChange() {
        UpstreamState only =
                live.apply(List.of(Fleet.upstream("vllm0"))).members().get(0);
        metrics.replicaChanged(new ReplicaChange(only, Standing.READY, Standing.STALLED, "why", true));
        metrics.replicaChanged(new ReplicaChange(only, Standing.STALLED, Standing.STALLED, "still", true));
        metrics.replicaChanged(new ReplicaChange(only, Standing.STALLED, Standing.READY, "better", true));

        assertThat(metrics.scrape())
                .contains("penstock_standing_changes_total{replica=\"vllm0\",standing=\"stalled\"} 1.0\n")
                .contains("penstock_standing_changes_total{replica=\"vllm0\",standing=\"ready\"} 1.0\n")
                .contains("penstock_standing_changes_total{replica=\"vllm0\",standing=\"failing\"} 0.0\n");
    }

    @Test
    void limitsOfAReplicaShowBesideWhatItHolds() {
        UpstreamState only =
                live.apply(List.of(Fleet.upstream("vllm0", 1, 32))).members().get(0);
        assertThat(metrics.scrape())
                .contains("penstock_max_in_flight{replica=\"vllm0\"} 32.0\n")
                .contains("penstock_slow_start_limit{replica=\"vllm0\"} 0.0\n");

        only.conduct().ramp().begin();
        assertThat(metrics.scrape()).contains("penstock_slow_start_limit{replica=\"vllm0\"} 4.0\n");
    }

    @Test
    void lateLoopsAndHeldAnswersAreTold() {
        metrics.loopTurned("loop-1", 30_000_000);
        metrics.loopTurned("loop-1", -1);
        metrics.answerHeld(500);
        metrics.answerHeld(-200);

        assertThat(metrics.scrape())
                .contains("penstock_event_loop_lag_seconds_bucket{loop=\"loop-1\",le=\"0.025\"} 1\n")
                .contains("penstock_event_loop_lag_seconds_bucket{loop=\"loop-1\",le=\"0.05\"} 2\n")
                .contains("penstock_answer_memory_bytes 300.0\n");
    }

    @Test
    void onlyModelsThatAReplicaServesAreLabelsAndOnlyAsLongAsOneDoes() {
        UpstreamState only =
                live.apply(List.of(Fleet.upstream("vllm0"))).members().get(0);
        metrics.exchangeEnded(Reports.completed("vllm0"));
        assertThat(metrics.scrape()).contains("model=\"other\"").doesNotContain("qwen/7b");

        only.learnModels(Set.of("qwen/7b"));
        metrics.exchangeEnded(Reports.completed("vllm0"));
        assertThat(metrics.scrape())
                .contains("penstock_time_to_first_output_seconds_count{model=\"qwen/7b\",replica=\"vllm0\"} 1\n")
                .contains("penstock_requests_total{code=\"200\",model=\"qwen/7b\",result=\"completed\"");

        only.learnModels(Set.of("another"));
        assertThat(metrics.scrape()).contains("qwen/7b");
        nanos.addAndGet(Duration.ofMinutes(10).toNanos());
        assertThat(metrics.scrape()).doesNotContain("qwen/7b").contains("model=\"other\"");
    }

    @Test
    void aFleetOfAdaptersDoesNotMakeSeriesWithoutEnd() {
        Set<String> adapters =
                IntStream.range(0, 200).mapToObj(i -> "adapter" + i).collect(Collectors.toSet());
        live.apply(List.of(Fleet.upstream("vllm0"))).members().get(0).learnModels(adapters);
        adapters.forEach(each -> metrics.exchangeEnded(Reports.named("chat", 200, each)));

        assertThat(metrics.scrape()
                        .lines()
                        .filter(line -> line.startsWith("penstock_requests_total{"))
                        .toList())
                .hasSize(ModelLabels.MOST + 1)
                .contains("penstock_requests_total{code=\"200\",model=\"other\",result=\"upstream_error\","
                        + "route=\"chat\"} 136.0");
    }

    @Test
    void countersOfAnEngineStayAsReadUntilItsReplicaOrItsProcessIsGone() {
        UpstreamState first =
                live.apply(List.of(Fleet.upstream("vllm0"))).members().get(0);
        EngineGauges.Engine engine = new EngineGauges.Engine("7", 0, 0, 0, 900, 4000, 12, 4000, 1000, 2);
        first.engine().learnGauges(new EngineGauges(List.of(engine), 1, Double.NaN, 0, 100));
        nanos.set(1000);
        assertThat(metrics.scrape())
                .contains("# TYPE penstock_replica_generation_tokens_total counter\n")
                .contains("penstock_replica_generation_tokens_total{engine=\"7\",replica=\"vllm0\"} 900.0\n")
                .contains("penstock_replica_prompt_tokens_total{engine=\"7\",replica=\"vllm0\"} 4000.0\n")
                .contains("penstock_replica_finished_total{engine=\"7\",replica=\"vllm0\"} 12.0\n")
                .contains("penstock_replica_prefix_query_tokens_total{engine=\"7\",replica=\"vllm0\"} 4000.0\n")
                .contains("penstock_replica_prefix_hit_tokens_total{engine=\"7\",replica=\"vllm0\"} 1000.0\n")
                .contains("penstock_replica_preemptions_total{engine=\"7\",replica=\"vllm0\"} 2.0\n");

        first.restarted();
        assertThat(metrics.scrape()).doesNotContain("engine=\"7\"");

        EngineGauges.Engine mute = new EngineGauges.Engine("7", 0, 0, 0, 5, 4, 1);
        first.engine().learnGauges(new EngineGauges(List.of(mute), 2, Double.NaN, 0, 100));
        assertThat(metrics.scrape())
                .contains("penstock_replica_generation_tokens_total{engine=\"7\",replica=\"vllm0\"} 5.0\n")
                .doesNotContain("penstock_replica_preemptions_total{");

        live.apply(List.of());
        assertThat(metrics.scrape()).doesNotContain("engine=\"7\"");
    }

    @Test
    void replicaGaugesFollowStandingDrainAndLeases() {
        live.apply(List.of(Reports.upstream("vllm0"), Reports.upstream("vllm1")));
        UpstreamState first = live.current().members().get(0);
        first.judge(Standing.READY, "passes its probes");
        assertThat(first.lease(0, () -> {})).isNotNull();

        assertThat(metrics.scrape())
                .contains("penstock_replica_up{replica=\"vllm0\"} 1.0\n")
                .contains("penstock_replica_up{replica=\"vllm1\"} 0.0\n")
                .contains("penstock_replica_standing{replica=\"vllm0\",standing=\"ready\"} 1.0\n")
                .contains("penstock_replica_standing{replica=\"vllm1\",standing=\"starting\"} 1.0\n")
                .contains("penstock_in_flight{replica=\"vllm0\"} 1.0\n");

        first.drain(true);
        assertThat(metrics.scrape())
                .contains("penstock_replica_up{replica=\"vllm0\"} 0.0\n")
                .contains("penstock_replica_standing{replica=\"vllm0\",standing=\"draining\"} 1.0\n")
                .doesNotContain("penstock_replica_standing{replica=\"vllm0\",standing=\"ready\"");
    }

    @Test
    void gaugesOfARemovedReplicaVanishAtOnceAndItsCountersAfterTenMinutes() {
        live.apply(List.of(Reports.upstream("vllm0"), Reports.upstream("vllm1")));
        metrics.exchangeEnded(Reports.completed("vllm0"));
        metrics.exchangeEnded(Reports.completed("vllm1"));
        metrics.scrape();

        live.apply(List.of(Reports.upstream("vllm0")));
        assertThat(metrics.scrape())
                .contains("penstock_replica_up{replica=\"vllm0\"}")
                .doesNotContain("penstock_replica_up{replica=\"vllm1\"}")
                .doesNotContain("penstock_in_flight{replica=\"vllm1\"}")
                .doesNotContain("penstock_replica_standing{replica=\"vllm1\"")
                .contains("penstock_attempts_total{reason=\"ok\",replica=\"vllm1\"} 1.0\n");

        nanos.addAndGet(Duration.ofMinutes(10).toNanos());
        assertThat(metrics.scrape())
                .doesNotContain("replica=\"vllm1\"")
                .contains("penstock_attempts_total{reason=\"ok\",replica=\"vllm0\"} 1.0\n");
    }

    @Test
    void replicaThatComesBackWithinTenMinutesGoesOnCounting() {
        live.apply(List.of(Reports.upstream("vllm1")));
        metrics.exchangeEnded(Reports.completed("vllm1"));
        live.apply(List.of());
        metrics.scrape();
        nanos.addAndGet(Duration.ofMinutes(9).toNanos());
        live.apply(List.of(Reports.upstream("vllm1")));
        metrics.scrape();
        nanos.addAndGet(Duration.ofMinutes(9).toNanos());
        metrics.exchangeEnded(Reports.completed("vllm1"));

        assertThat(metrics.scrape()).contains("penstock_attempts_total{reason=\"ok\",replica=\"vllm1\"} 2.0\n");
    }

    @Test
    void neitherRoutesNorStatusesNorModelsCanMakeSeriesWithoutEnd() {
        for (int i = 0; i < 400; i++) {
            metrics.exchangeEnded(Reports.named("route" + i, 1000 + i, "model" + i));
        }
        metrics.exchangeEnded(Reports.named("route0", 200, "model"));

        List<String> series = metrics.scrape()
                .lines()
                .filter(line -> line.startsWith("penstock_requests_total{"))
                .toList();
        assertThat(series).hasSize(258);
        assertThat(series)
                .contains(
                        "penstock_requests_total{code=\"other\",model=\"other\",result=\"upstream_error\",route=\"other\"}"
                                + " 144.0")
                .contains(
                        "penstock_requests_total{code=\"200\",model=\"other\",result=\"upstream_error\",route=\"route0\"}"
                                + " 1.0")
                .allMatch(line -> line.contains("model=\"other\""));
    }

    @Test
    void everyMetricOfOursHasThePrefixAndHelp() {
        List<String> undocumented = metrics.scrape()
                .lines()
                .filter(line -> line.startsWith("# TYPE "))
                .map(line -> line.substring("# TYPE ".length(), line.lastIndexOf(' ')))
                .filter(name -> !name.matches("(jvm|process|system)_.*"))
                .filter(name ->
                        !name.startsWith("penstock_") || !metrics.scrape().matches("(?s).*# HELP " + name + " \\S.*"))
                .toList();

        assertThat(undocumented).isEmpty();
    }
}
