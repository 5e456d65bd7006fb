package io.penstock.sim;

import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What {@code GET /metrics} says: vLLM's names, labels and number format, for the series that a load balancer or a
 * dashboard reads. Confined to one event loop.
 */
final class SimMetrics {

    private static final double NANOS = 1e9;
    private static final String[] REASONS = {"stop", "length", "abort", "error", "repetition"};

    private final String model;
    private final LongSupplier nanoClock;
    private final double startedSeconds;
    private final Map<String, Long> httpRequests = new LinkedHashMap<>();
    private final IdentityHashMap<Draft, long[]> times = new IdentityHashMap<>();
    private final Histogram promptLengths = new Histogram(1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000);
    private final Histogram answerLengths = new Histogram(1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000);
    private final Histogram iterations =
            new Histogram(1, 8, 16, 32, 64, 128, 256, 512, 1_024, 2_048, 4_096, 8_192, 16_384);
    private final Histogram firstTokens = new Histogram(
            0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640,
            2_560);
    private final Histogram gaps = new Histogram(
            0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80);
    private final Histogram latencies = new Histogram(
            0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1_920, 7_680);
    private long endedByLength;
    private long endedByStop;
    private @Nullable String frozen;

    SimMetrics(String model, LongSupplier nanoClock, long wallClockMillis) {
        this.model = model;
        this.nanoClock = nanoClock;
        this.startedSeconds = wallClockMillis / 1_000.0;
    }

    /** A request was handed to the engine. */
    void accepted(Draft draft) {
        long now = nanoClock.getAsLong();
        times.put(draft, new long[] {now, now});
    }

    /** The engine made a token. */
    void token(Draft draft, int index) {
        long now = nanoClock.getAsLong();
        long[] seen = times.get(draft);
        if (seen != null) {
            (index == 0 ? firstTokens : gaps).observe((now - seen[1]) / NANOS);
            seen[1] = now;
        }
        if (index == 0) {
            promptLengths.observe(draft.promptTokens());
        }
        iterations.observe(index == 0 ? draft.promptTokens() : 1);
    }

    /** A request was answered in full. */
    void finished(Draft draft) {
        long[] seen = times.remove(draft);
        if (seen != null) {
            latencies.observe((nanoClock.getAsLong() - seen[0]) / NANOS);
        }
        answerLengths.observe(draft.completion().size());
        if (draft.completion().stop() == null) {
            endedByLength++;
        } else {
            endedByStop++;
        }
    }

    /** A request ended in another way. vLLM does not count those. */
    void left(Draft draft) {
        times.remove(draft);
    }

    /** An HTTP answer was sent. */
    void http(String handler, String method, int status) {
        String series = "{handler=\"" + handler + "\",method=\"" + method + "\",status=\"" + status / 100 + "xx\"}";
        httpRequests.merge(series, 1L, Long::sum);
    }

    /** Says the same for ever. */
    void freeze(Engine engine) {
        if (frozen == null) {
            frozen = render(engine);
        }
    }

    /** Says the truth again. */
    void thaw() {
        frozen = null;
    }

    /** The exposition text. */
    String text(Engine engine) {
        return frozen != null ? frozen : render(engine);
    }

    private String render(Engine engine) {
        Exposition out = new Exposition();
        out.family("python_info", "gauge", "Python platform information");
        out.sample(
                "python_info",
                "{implementation=\"CPython\",major=\"3\",minor=\"12\",patchlevel=\"1\",version=\"3.12.1\"}",
                1);
        out.family("process_start_time_seconds", "gauge", "Start time of the process since unix epoch in seconds.");
        out.sample("process_start_time_seconds", "", startedSeconds);
        EngineReading reading = engine.reading();
        gauges(out, reading);
        counters(out, reading);
        histograms(out);
        cache(out, engine);
        out.family("http_requests_total", "counter", "Total number of requests by method, status and handler.");
        httpRequests.forEach((series, count) -> out.sample("http_requests_total", series, count));
        return out.toString();
    }

    private static void cache(Exposition out, Engine engine) {
        int blocks = engine.cacheBlocks();
        int size = engine.blockTokens();
        out.family("vllm:cache_config_info", "gauge", "Information of the LLMEngine CacheConfig");
        out.sample(
                "vllm:cache_config_info",
                "{block_size=\"" + size + "\",cache_dtype=\"auto\",enable_prefix_caching=\"True\",engine=\"0\","
                        + "gpu_memory_utilization=\"0.92\",kv_cache_size_tokens=\"" + (long) blocks * size
                        + "\",num_cpu_blocks=\"None\",num_gpu_blocks=\"" + blocks + "\",sliding_window=\"None\"}",
                1);
    }

    private void gauges(Exposition out, EngineReading reading) {
        one(out, "num_requests_running", "gauge", "Number of requests in model execution batches.", reading.running());
        one(out, "num_requests_waiting", "gauge", "Number of requests waiting to be processed.", reading.waiting());
        String reasons = "vllm:num_requests_waiting_by_reason";
        out.family(reasons, "gauge", "Number of waiting requests by reason.");
        out.sample(reasons, labels(null, "reason=\"capacity\""), reading.waiting());
        out.sample(reasons, labels(null, "reason=\"deferred\""), 0);
        out.family("vllm:engine_sleep_state", "gauge", "Engine sleep state; awake = 1 means engine is awake.");
        out.sample("vllm:engine_sleep_state", labels(null, "sleep_state=\"awake\""), 1);
        out.sample("vllm:engine_sleep_state", labels(null, "sleep_state=\"weights_offloaded\""), 0);
        out.sample("vllm:engine_sleep_state", labels(null, "sleep_state=\"discard_all\""), 0);
        one(out, "kv_cache_usage_perc", "gauge", "KV-cache usage. 1 means 100 percent usage.", reading.cacheUsage());
    }

    private void counters(Exposition out, EngineReading reading) {
        counter(
                out,
                "prefix_cache_queries_total",
                "Prefix cache queries, in number of queried tokens.",
                reading.prefixQueries());
        counter(out, "prefix_cache_hits_total", "Prefix cache hits, in number of cached tokens.", reading.prefixHits());
        counter(
                out,
                "num_preemptions_total",
                "Cumulative number of preemption from the engine.",
                reading.preemptions());
        counter(out, "prompt_tokens_total", "Number of prefill tokens processed.", reading.promptTokens());
        long cached = reading.promptTokensCached();
        String bySource = "vllm:prompt_tokens_by_source_total";
        out.family(bySource, "counter", "Number of prompt tokens by source.");
        out.sample(bySource, labels(null, "source=\"local_compute\""), reading.promptTokens() - cached);
        out.sample(bySource, labels(null, "source=\"local_cache_hit\""), cached);
        out.sample(bySource, labels(null, "source=\"external_kv_transfer\""), 0);
        counter(out, "prompt_tokens_cached_total", "Number of cached prompt tokens (local + external).", cached);
        counter(out, "generation_tokens_total", "Number of generation tokens processed.", reading.generatedTokens());
        String success = "vllm:request_success_total";
        out.family(success, "counter", "Count of successfully processed requests.");
        for (String reason : REASONS) {
            long count = reason.equals("length") ? endedByLength : reason.equals("stop") ? endedByStop : 0;
            out.sample(success, labels("finished_reason=\"" + reason + "\"", null), count);
        }
        String rejections = "vllm:admission_rejections_total";
        out.family(rejections, "counter", "Number of admission attempts rejected by a queue limit, by reason.");
        out.sample(rejections, "{model_name=\"" + model + "\",reason=\"max_num_queued_reqs\"}", 0);
        out.sample(rejections, "{model_name=\"" + model + "\",reason=\"max_num_queued_tokens\"}", 0);
    }

    private void histograms(Exposition out) {
        histogram(out, "request_prompt_tokens", "Number of prefill tokens processed.", promptLengths);
        histogram(out, "request_generation_tokens", "Number of generation tokens processed.", answerLengths);
        histogram(out, "iteration_tokens_total", "Histogram of number of tokens per engine_step.", iterations);
        histogram(out, "time_to_first_token_seconds", "Histogram of time to first token in seconds.", firstTokens);
        histogram(out, "inter_token_latency_seconds", "Histogram of inter-token latency in seconds.", gaps);
        histogram(out, "e2e_request_latency_seconds", "Histogram of e2e request latency in seconds.", latencies);
    }

    private void counter(Exposition out, String name, String help, long value) {
        one(out, name, "counter", help, (double) value);
    }

    private void one(Exposition out, String name, String type, String help, double value) {
        out.family("vllm:" + name, type, help);
        out.sample("vllm:" + name, labels(null, null), value);
    }

    private void histogram(Exposition out, String name, String help, Histogram histogram) {
        String full = "vllm:" + name;
        out.family(full, "histogram", help);
        for (int i = 0; i <= histogram.bounds.length; i++) {
            String bound = i == histogram.bounds.length ? "+Inf" : Double.toString(histogram.bounds[i]);
            out.sample(full + "_bucket", labels("le=\"" + bound + "\"", null), histogram.below[i]);
        }
        out.sample(full + "_count", labels(null, null), histogram.below[histogram.bounds.length]);
        out.sample(full + "_sum", labels(null, null), histogram.sum);
    }

    /** The labels of every engine series, which stand in the order of the alphabet. */
    private String labels(@Nullable String beforeModel, @Nullable String afterModel) {
        return "{engine=\"0\"," + (beforeModel == null ? "" : beforeModel + ",") + "model_name=\"" + model + "\""
                + (afterModel == null ? "" : "," + afterModel) + "}";
    }

    private static final class Histogram {

        private final double[] bounds;
        private final long[] below;
        private double sum;

        Histogram(double... bounds) {
            this.bounds = bounds;
            this.below = new long[bounds.length + 1];
        }

        void observe(double value) {
            sum += value;
            for (int i = 0; i < below.length; i++) {
                if (i == bounds.length || value <= bounds[i]) {
                    below[i]++;
                }
            }
        }
    }
}
