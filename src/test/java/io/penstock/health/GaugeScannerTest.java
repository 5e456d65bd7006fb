package io.penstock.health;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.upstream.EngineGauges;
import io.penstock.upstream.EngineGauges.Engine;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GaugeScannerTest {

    private static final String VLLM = """
            # HELP process_start_time_seconds Start time of the process since unix epoch in seconds.
            # TYPE process_start_time_seconds gauge
            process_start_time_seconds 1.79534832767e+09
            vllm:num_requests_running{engine="0",model_name="demo"} 40.0
            vllm:num_requests_waiting{engine="0",model_name="demo"} 260.0
            vllm:num_requests_waiting_by_reason{engine="0",model_name="demo",reason="capacity"} 260.0
            vllm:kv_cache_usage_perc{engine="0",model_name="demo"} 0.0391
            vllm:prompt_tokens_total{engine="0",model_name="demo"} 13189.0
            vllm:prompt_tokens_created{engine="0",model_name="demo"} 1.7953484637904e+09
            vllm:generation_tokens_total{engine="0",model_name="demo"} 317.0
            vllm:request_success_total{engine="0",finished_reason="stop",model_name="demo"} 2.0
            vllm:request_success_total{engine="0",finished_reason="length",model_name="demo"} 28.0
            http_requests_total{handler="/health",method="GET",status="2xx"} 9.0
            """;

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7, 64, 100_000})
    void whatIsNeededIsKeptHoweverItIsCut(int size) {
        GaugeScanner scanner = new GaugeScanner();
        byte[] bytes = VLLM.getBytes(UTF_8);
        for (int at = 0; at < bytes.length; at += size) {
            scanner.feed(Arrays.copyOfRange(bytes, at, Math.min(bytes.length, at + size)));
        }
        EngineGauges read = Objects.requireNonNull(scanner.end(5, 10));

        assertThat(read.engines()).containsExactly(new Engine("0", 40, 260, 0.0391, 317, 13_189, 30));
        assertThat(read.processStartSeconds()).isEqualTo(1_795_348_327.67);
        assertThat(read.prefillTokensPerSecond()).isNaN();
        assertThat(read.fresh(15)).isTrue();
        assertThat(read.fresh(16)).isFalse();
    }

    @Test
    void theCacheIsAsLargeAsItsBlocks() {
        EngineGauges read = Objects.requireNonNull(read("""
                vllm:cache_config_info{block_size="16",engine="0",num_gpu_blocks="28000",num_cpu_blocks="None"} 1.0
                vllm:cache_config_info{block_size="16",engine="1",num_gpu_blocks="None"} 1.0
                vllm:num_requests_running{engine="0",model_name="a"} 3
                """));

        assertThat(read.cacheTokens()).isEqualTo(448_000);
    }

    @Test
    void whatWasFoundInTheCacheAndWhatWasPutBackIsReadUnderOldNamesToo() {
        EngineGauges read = Objects.requireNonNull(read("""
                vllm:prefix_cache_queries_total{engine="0",model_name="a"} 4000.0
                vllm:prefix_cache_hits_total{engine="0",model_name="a"} 1000.0
                vllm:external_prefix_cache_hits_total{engine="0",model_name="a"} 7.0
                vllm:num_preemptions_total{engine="0",model_name="a"} 2.0
                vllm:gpu_prefix_cache_queries_total{engine="1",model_name="a"} 50
                vllm:gpu_prefix_cache_hits_total{engine="1",model_name="a"} 40
                """));

        assertThat(read.engines()).extracting(Engine::prefixQueries).containsExactly(4000.0, 50.0);
        assertThat(read.engines()).extracting(Engine::prefixHits).containsExactly(1000.0, 40.0);
        assertThat(read.engines()).extracting(Engine::preemptions).containsExactly(2.0, Double.NaN);
    }

    @Test
    void enginesAreKeptApartAndModelsAddUp() {
        EngineGauges read = Objects.requireNonNull(read("""
                vllm:num_requests_running{engine="1",model_name="b"} 1
                vllm:num_requests_running{engine="0",model_name="b"} 2
                vllm:num_requests_running{engine="0",model_name="a"} 3
                vllm:gpu_cache_usage_perc{engine="0",model_name="a"} 0.25
                vllm:gpu_cache_usage_perc{engine="0",model_name="b"} 0.5
                """));
        assertThat(read.engines()).extracting(Engine::label).containsExactly("0", "1");
        assertThat(read.engines()).extracting(Engine::running).containsExactly(5.0, 1.0);
        assertThat(read.engines().get(0).cacheUsage()).isEqualTo(0.5);
        assertThat(read.engines().get(1).cacheUsage()).isNaN();
        assertThat(read.processStartSeconds()).isNaN();
    }

    @Test
    void labelsMayHoldAnything() {
        EngineGauges read = Objects.requireNonNull(read("""
                vllm:num_requests_running{model_name="a\\"},engine=\\"9\\",", engine="3"} 4 1700000000000
                vllm:num_requests_waiting{} 5
                vllm:num_requests_waiting{model_name="x"} 1
                """));
        assertThat(read.engines()).extracting(Engine::label).containsExactly("0", "3");
        assertThat(read.engines().get(1).running()).isEqualTo(4);
        assertThat(read.engines().get(0).waiting()).isEqualTo(6);
    }

    @Test
    void theSpeedOfPrefillIsTheReplicasOwnMean() {
        String engine = "vllm:num_requests_running{engine=\"0\"} 0\n";
        String computed = """
                vllm:prompt_tokens_by_source_total{engine="0",source="local_compute"} 40000
                vllm:prompt_tokens_by_source_total{engine="0",source="local_cache_hit"} 900000
                """;
        assertThat(speed(engine + computed + "vllm:request_prefill_time_seconds_sum{engine=\"0\"} 10\n"))
                .isEqualTo(4_000);
        assertThat(speed(engine + computed + "vllm:request_prefill_time_seconds_sum{engine=\"0\"} 0.5\n"))
                .isNaN();
        assertThat(speed(engine + "vllm:request_prefill_time_seconds_sum{engine=\"0\"} 10\n"))
                .isNaN();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "\n\n",
                "<html>vllm:num_requests_running 1</html>",
                "vllm:num_requests_running",
                "vllm:num_requests_running{engine=\"0\" 1",
                "vllm:num_requests_running{engine=\"0\"} many",
                "vllm:num_requests_running{engine=\"0\"} NaN",
                "vllm:num_requests_running{engine=\"0\"} +Inf",
                "vllm:something_else{engine=\"0\"} 1",
                "process_start_time_seconds 1.0",
            })
    void whatHasNoEngineSaysNothing(String text) {
        assertThat(read(text)).isNull();
    }

    @Test
    void aLineWithoutEndIsNotKept() {
        GaugeScanner scanner = new GaugeScanner();
        byte[] filler = "v".repeat(1_000).getBytes(UTF_8);
        for (int i = 0; i < 100; i++) {
            scanner.feed(filler);
        }
        scanner.feed("\nvllm:num_requests_running 3".getBytes(UTF_8));
        assertThat(Objects.requireNonNull(scanner.end(0, 0)).engines().get(0).running())
                .isEqualTo(3);
    }

    @Test
    void thereIsAnEndToTheNumberOfEngines() {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 1_000; i++) {
            text.append("vllm:num_requests_running{engine=\"").append(i).append("\"} 1\n");
        }
        assertThat(Objects.requireNonNull(read(text.toString())).engines()).hasSize(256);
    }

    @Test
    void readingsAreComparedByWhatTheySay() {
        EngineGauges before = gauges(1, 0, 100, 10);
        assertThat(gauges(1, 0, 100, 10).movedSince(before)).isFalse();
        assertThat(gauges(2, 0, 100, 10).movedSince(before)).isTrue();
        assertThat(gauges(2, 0, 100, 10).workedSince(before)).isFalse();
        assertThat(gauges(1, 1, 100, 10).workedSince(before)).isTrue();
        assertThat(gauges(1, 0, 101, 10).workedSince(before)).isTrue();
        assertThat(gauges(1, 0, 100, 11).workedSince(before)).isTrue();
        EngineGauges none = new EngineGauges(List.of(), 1, Double.NaN, 0, 0);
        assertThat(none.workedSince(before)).isFalse();
        assertThat(none.isOtherProcessThan(before)).isFalse();
        assertThat(new EngineGauges(List.of(), 2, Double.NaN, 0, 0).isOtherProcessThan(none))
                .isTrue();
        assertThat(gauges(0, 0, 5, 3).answersWithoutTokens()).isTrue();
        assertThat(gauges(0, 1, 5, 3).answersWithoutTokens()).isFalse();
        assertThat(gauges(0, 0, 5, 0).answersWithoutTokens()).isFalse();
    }

    private static EngineGauges gauges(double running, double generated, double prompt, double finished) {
        Engine engine = new Engine("0", running, 0, 0, generated, prompt, finished);
        return new EngineGauges(List.of(engine), Double.NaN, Double.NaN, 0, 0);
    }

    private static double speed(String text) {
        return Objects.requireNonNull(read(text)).prefillTokensPerSecond();
    }

    private static @Nullable EngineGauges read(String text) {
        GaugeScanner scanner = new GaugeScanner();
        scanner.feed(text.getBytes(UTF_8));
        return scanner.end(0, 0);
    }
}
