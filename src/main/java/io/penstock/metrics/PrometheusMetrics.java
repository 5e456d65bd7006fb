package io.penstock.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.penstock.proxy.AttemptReport;
import io.penstock.proxy.ExchangeObserver;
import io.penstock.proxy.ExchangeReport;
import io.penstock.proxy.ExchangeReport.Result;
import io.penstock.proxy.Phase;
import io.penstock.upstream.LiveUpstreams;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;
import java.util.function.LongSupplier;

/**
 * Counts what the request path reports and tells Prometheus. Every metric of Penstock is named here, beside the
 * {@code jvm_*} and {@code process_*} of Micrometer. Times are seconds, sizes are bytes.
 * Labels are bounded: rows of the API table, results, status codes, replica names, failure codes; never a path, a client
 * or a model, which strangers choose.
 *
 * <p>Any event loop may report. {@link #scrape} builds some 20 kB of text and belongs on a worker.
 */
public final class PrometheusMetrics implements ExchangeObserver, AutoCloseable {

    /** Requests that are over, by {@code route}, {@code result} and {@code code}. */
    static final String REQUESTS = "penstock_requests_total";
    /** How long requests took, by {@code route}; Micrometer appends {@code _seconds}. */
    static final String REQUEST = "penstock_request";
    /** Time to first token of streamed answers, by {@code replica}; Micrometer appends {@code _seconds}. */
    static final String FIRST_OUTPUT = "penstock_time_to_first_output";
    /** Time spent waiting for a replica; Micrometer appends {@code _seconds}. */
    static final String QUEUE = "penstock_queue";
    /** How far first outputs were from their prediction, by {@code direction}; Micrometer appends {@code _seconds}. */
    static final String PREDICTION_ERROR = "penstock_prediction_error";
    /** Time in a replica's lane; Micrometer appends {@code _seconds}. */
    static final String LANE = "penstock_lane";
    /** Requests that left another lane for that of {@code replica}. */
    static final String LANE_MOVES = "penstock_lane_moves_total";
    /** Prompt tokens that the replica was thought to have seen, by {@code replica}. */
    static final String PREFIX_HITS = "penstock_prefix_hit_tokens_total";
    /** All prompt tokens that were looked up for it, by {@code replica}. */
    static final String PREFIX_LOOKUPS = "penstock_prefix_lookup_tokens_total";
    /** Tries at replicas, by {@code replica} and {@code reason}. */
    static final String ATTEMPTS = "penstock_attempts_total";
    /** Requests whose client left or was given up, by the {@code phase} they were in. */
    static final String CANCELS = "penstock_cancels_total";
    /** SSE events relayed. */
    static final String EVENTS = "penstock_events_total";
    /** Bytes of request bodies. */
    static final String BYTES_IN = "penstock_bytes_in_total";
    /** Bytes of response bodies. */
    static final String BYTES_OUT = "penstock_bytes_out_total";
    /** Requests that an engine works on, by its own account, by {@code replica} and {@code engine}. */
    static final String REPLICA_RUNNING = "penstock_replica_running";
    /** Requests that wait in an engine, by its own account. */
    static final String REPLICA_WAITING = "penstock_replica_waiting";
    /** Used share of an engine's KV cache, 0 to 1, by its own account. */
    static final String REPLICA_KV_USAGE = "penstock_replica_kv_usage";
    /** Requests that each replica holds now. */
    static final String IN_FLIGHT = "penstock_in_flight";
    /** 1 if new work may be sent to the replica, else 0. */
    static final String UP = "penstock_replica_up";
    /** 1, with how the replica stands in {@code standing}. */
    static final String STANDING = "penstock_replica_standing";
    /** Ejections of a replica, by {@code reason}: {@code consecutive}, {@code share} or {@code trial}. */
    static final String EJECTIONS = "penstock_ejections_total";
    /** 1 while no replica is usable and ejected ones get the work. */
    static final String PANIC = "penstock_panic";
    /** Requests waiting for a replica now. */
    static final String WAITING = "penstock_waiting";
    /** Requests begun and not over. */
    static final String EXCHANGES_OPEN = "penstock_exchanges_open";
    /** Clients connected. */
    static final String CONNECTIONS_OPEN = "penstock_connections_open";
    /** Configurations read since the start, by {@code result}. */
    static final String RELOADS = "penstock_config_reloads_total";
    /** Whether what is in the file now is what runs. */
    static final String LAST_RELOAD_OK = "penstock_config_last_reload_ok";
    /** Memory held by request bodies. */
    static final String BODY_MEMORY = "penstock_body_memory_bytes";
    /** Log lines given up because standard output was too slow. */
    static final String DROPPED_LINES = "penstock_log_lines_dropped_total";
    /** Spans of traces that no collector took. */
    static final String LOST_SPANS = "penstock_spans_lost_total";
    /** 1, with which {@code version} runs ({@code _info} is a suffix that the client library keeps for itself). */
    static final String BUILD = "penstock_build";

    // From a cached short answer to a ten-minute generation.
    private static final Duration[] BUCKETS = seconds(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600);
    private static final Duration[] QUEUE_BUCKETS = seconds(0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 600);
    // The API table has some forty rows, and routes.allow adds to them; a bug must not make this a leak.
    private static final int MOST_ROUTES = 256;

    /**
     * Where the values come from that are read at each scrape.
     *
     * @param upstreams the replicas
     * @param waiting requests waiting for a replica
     * @param bodyBytes memory held by request bodies
     * @param droppedLines log lines dropped so far
     * @param lostSpans spans of traces that no collector took, so far
     * @param nanoClock the time, in nanoseconds
     * @param version which Penstock this is
     */
    public record Sources(
            LiveUpstreams upstreams,
            LongSupplier waiting,
            LongSupplier bodyBytes,
            LongSupplier droppedLines,
            LongSupplier lostSpans,
            LongSupplier nanoClock,
            String version) {}

    private record RequestKey(String route, Result result, int status) {}

    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    // Micrometer refers weakly to what it reads, so this field also keeps the suppliers alive.
    private final Sources sources;
    private final ReplicaSeries replicas;
    private final JvmGcMetrics gc = new JvmGcMetrics();
    private final LongAdder exchanges = new LongAdder();
    private final LongAdder connections = new LongAdder();
    private final ConcurrentHashMap<RequestKey, Counter> requests = new ConcurrentHashMap<>();
    private final ConcurrentHashMap<String, Timer> durations = new ConcurrentHashMap<>();
    private final Timer queue = timer(QUEUE, "Time spent waiting for a replica, all waits of a request", QUEUE_BUCKETS)
            .register(registry);
    private final Map<Phase, Counter> cancels = new EnumMap<>(Phase.class);
    private final Counter events =
            Counter.builder(EVENTS).description("SSE events relayed").register(registry);
    private final Counter bytesIn =
            Counter.builder(BYTES_IN).description("Bytes of request bodies").register(registry);
    private final Counter bytesOut =
            Counter.builder(BYTES_OUT).description("Bytes of response bodies").register(registry);
    private final Counter reloadsApplied = reloads("applied");
    private final Counter reloadsRefused = reloads("refused");
    // Written by whoever reports reloads, read by scrapes.
    private volatile boolean lastReloadOk = true;

    /**
     * Starts counting at zero.
     *
     * @param sources what is read at each scrape
     */
    public PrometheusMetrics(Sources sources) {
        this.sources = sources;
        this.replicas = new ReplicaSeries(registry, sources.upstreams(), sources.nanoClock(), BUCKETS);
        registerGauges();
        new JvmMemoryMetrics().bindTo(registry);
        new JvmThreadMetrics().bindTo(registry);
        new ProcessorMetrics().bindTo(registry);
        new UptimeMetrics().bindTo(registry);
        new FileDescriptorMetrics().bindTo(registry);
        gc.bindTo(registry);
    }

    private void registerGauges() {
        for (Phase phase : Phase.values()) {
            Counter counter = Counter.builder(CANCELS)
                    .description("Requests whose client left, by what they were waiting for")
                    .tag("phase", Words.of(phase))
                    .register(registry);
            cancels.put(phase, counter);
        }
        gauge(WAITING, "Requests waiting for a replica", sources.waiting());
        gauge(
                PANIC,
                "1 while no replica is usable and those that are only ejected get the work, else 0",
                () -> sources.upstreams().current().inPanic() ? 1 : 0);
        gauge(BODY_MEMORY, "Memory held by request bodies", sources.bodyBytes());
        gauge(EXCHANGES_OPEN, "Requests begun and not over", exchanges::sum);
        gauge(CONNECTIONS_OPEN, "Clients connected", connections::sum);
        gauge(
                LAST_RELOAD_OK,
                "1 if the file as it is now is in force, 0 if it has problems",
                () -> lastReloadOk ? 1 : 0);
        FunctionCounter.builder(DROPPED_LINES, sources.droppedLines(), LongSupplier::getAsLong)
                .description("Log lines given up because standard output was too slow")
                .register(registry);
        FunctionCounter.builder(LOST_SPANS, sources.lostSpans(), LongSupplier::getAsLong)
                .description("Spans of traces that the collector did not take")
                .register(registry);
        Gauge.builder(BUILD, () -> 1)
                .description("Which version runs")
                .tag("version", sources.version())
                .register(registry);
    }

    @Override
    public void connectionOpened() {
        connections.increment();
    }

    @Override
    public void connectionClosed() {
        connections.decrement();
    }

    @Override
    public void exchangeStarted() {
        exchanges.increment();
    }

    @Override
    public void exchangeEnded(ExchangeReport report) {
        exchanges.decrement();
        String route = boundedRoute(report.route());
        // A replica may send any number as its status.
        int status = report.status() >= 100 && report.status() <= 599 ? report.status() : 0;
        cached(requests, new RequestKey(route, report.result(), status), this::requestCounter)
                .increment();
        cached(durations, route, this::durationTimer).record(report.totalNanos(), TimeUnit.NANOSECONDS);
        if (report.queueNanos() >= 0) {
            queue.record(report.queueNanos(), TimeUnit.NANOSECONDS);
        }
        // The first byte of a whole answer comes with its last: it would only blur the time to first token.
        if (report.stream() && report.firstOutputNanos() >= 0 && report.replica() != null) {
            replicas.firstOutput(report.replica(), report.firstOutputNanos());
        }
        Counter cancelled = report.stopped() == null ? null : cancels.get(report.stopped());
        if (cancelled != null) {
            cancelled.increment();
        }
        for (AttemptReport attempt : report.attempts()) {
            replicas.attempt(attempt.replica(), attempt.failure());
        }
        replicas.predicted(report);
        // Prometheus counts in doubles: whole numbers stay exact up to 9 PB.
        events.increment((double) report.events());
        bytesIn.increment((double) report.bytesIn());
        bytesOut.increment((double) report.bytesOut());
    }

    /**
     * Notes that the configuration was read again. Callable from any thread.
     *
     * @param applied true if it is now in force, false if it has problems and the last good one stays
     */
    public void configReloaded(boolean applied) {
        lastReloadOk = applied;
        (applied ? reloadsApplied : reloadsRefused).increment();
    }

    /**
     * Notes that a bad edit was undone: the file is again what runs, and nothing was reloaded. Callable from any thread.
     */
    public void configMended() {
        lastReloadOk = true;
    }

    /**
     * Everything, in Prometheus' text format 0.0.4. Callable from any thread, but not from an event loop.
     *
     * @return lines, ended by a line feed
     */
    public String scrape() {
        replicas.follow();
        return registry.scrape();
    }

    /** Stops listening to the garbage collector. */
    @Override
    public void close() {
        gc.close();
        registry.close();
    }

    private String boundedRoute(String route) {
        return durations.size() < MOST_ROUTES || durations.containsKey(route) ? route : "other";
    }

    private Counter requestCounter(RequestKey key) {
        return Counter.builder(REQUESTS)
                .description("Requests that are over, by row of the API table, how they ended, and status")
                .tag("route", key.route())
                .tag("result", Words.of(key.result()))
                .tag("code", key.status() == 0 ? "other" : Integer.toString(key.status()))
                .register(registry);
    }

    private Timer durationTimer(String route) {
        return timer(REQUEST, "From a request's head to the end of its answer", BUCKETS)
                .tag("route", route)
                .register(registry);
    }

    private Counter reloads(String result) {
        return Counter.builder(RELOADS)
                .description("Configurations read after the first, by whether they were put in force")
                .tag("result", result)
                .register(registry);
    }

    private void gauge(String name, String description, LongSupplier value) {
        Gauge.builder(name, value, LongSupplier::getAsLong)
                .description(description)
                .strongReference(true)
                .register(registry);
    }

    static Timer.Builder timer(String name, String description, Duration... buckets) {
        return Timer.builder(name).description(description).serviceLevelObjectives(buckets);
    }

    /** Like computeIfAbsent, which locks also when the key is there. */
    static <K, V> V cached(ConcurrentHashMap<K, V> map, K key, Function<K, V> make) {
        V found = map.get(key);
        return found != null ? found : map.computeIfAbsent(key, make);
    }

    static Duration[] seconds(double... bounds) {
        Duration[] durations = new Duration[bounds.length];
        for (int i = 0; i < bounds.length; i++) {
            durations[i] = Duration.ofMillis(Math.round(bounds[i] * 1000));
        }
        return durations;
    }
}
