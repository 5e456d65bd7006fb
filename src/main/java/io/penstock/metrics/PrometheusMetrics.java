package io.penstock.metrics;

import com.sun.management.OperatingSystemMXBean;
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
import io.micrometer.core.instrument.config.MeterFilter;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.penstock.config.ConfigState;
import io.penstock.health.ReplicaChange;
import io.penstock.proxy.Decision;
import io.penstock.proxy.ExchangeObserver;
import io.penstock.proxy.ExchangeReport;
import io.penstock.proxy.ExchangeReport.Result;
import io.penstock.proxy.Phase;
import io.penstock.upstream.LiveUpstreams;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Counts what the request path reports and tells Prometheus. {@link Metric} has every name, {@code docs/metrics.md} what
 * each is for. Labels are bounded: rows of the API table, results, status codes, replica names, failure codes, models that
 * replicas say they serve; never a path, a client or a caller's word.
 *
 * <p>Any event loop may report. {@link #scrape} builds some 50 kB of text and belongs on a worker.
 */
public final class PrometheusMetrics implements ExchangeObserver, AutoCloseable {

    private static final OperatingSystemMXBean OS = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);

    // From a cached short answer to a ten-minute generation.
    private static final Duration[] BUCKETS = seconds(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600);
    private static final Duration[] QUEUE_BUCKETS = seconds(0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 600);
    // A timer is good to a millisecond; a loop that is 10 s late is called stuck.
    private static final Duration[] LAG_BUCKETS = seconds(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10);
    // The API table has some forty rows, and routes.allow adds to them; a bug must not make this a leak.
    private static final int MOST_ROUTES = 256;

    /**
     * Where the values come from that are read at each scrape.
     *
     * @param upstreams the replicas
     * @param config how the configuration stands
     * @param waiting requests waiting for a replica
     * @param bodyBytes memory held by request bodies
     * @param bodyLimitBytes what they may hold
     * @param droppedLines log lines dropped so far
     * @param lostSpans spans of traces that no collector took, so far
     * @param nanoClock the time, in nanoseconds
     * @param version which Penstock this is
     */
    public record Sources(
            LiveUpstreams upstreams,
            Supplier<ConfigState> config,
            LongSupplier waiting,
            LongSupplier bodyBytes,
            LongSupplier bodyLimitBytes,
            LongSupplier droppedLines,
            LongSupplier lostSpans,
            LongSupplier nanoClock,
            String version) {}

    private record RequestKey(String route, String model, Result result, int status) {}

    private final PrometheusMeterRegistry registry = registry();
    // Micrometer refers weakly to what its counters read: this field keeps it alive.
    private final Sources sources;
    private final ModelLabels models;
    private final ReplicaSeries replicas;
    private final JvmGcMetrics gc = new JvmGcMetrics();
    private final LongAdder exchanges = new LongAdder();
    private final LongAdder connections = new LongAdder();
    private final LongAdder answerBytes = new LongAdder();
    private final Family<RequestKey, Counter> requests = new Family<>(registry, this::requestCounter);
    private final Family<String, Timer> durations = new Family<>(
            registry, route -> Metric.REQUEST.timer(BUCKETS).tag("route", route).register(registry));
    private final Family<String, Timer> lags = new Family<>(
            registry,
            loop -> Metric.LOOP_LAG.timer(LAG_BUCKETS).tag("loop", loop).register(registry));
    private final Timer queue = Metric.QUEUE.timer(QUEUE_BUCKETS).register(registry);
    private final Map<Phase, Counter> cancels = new EnumMap<>(Phase.class);
    private final Map<Decision.Cause, Counter> reroutes = new EnumMap<>(Decision.Cause.class);
    private final Counter events = Metric.EVENTS.counter().register(registry);
    private final Counter bytesIn = Metric.BYTES_IN.counter().register(registry);
    private final Counter bytesOut = Metric.BYTES_OUT.counter().register(registry);
    // Touched by scrapes only.
    private final Absences absentModels = new Absences();

    /**
     * Starts counting at zero.
     *
     * @param sources what is read at each scrape
     */
    public PrometheusMetrics(Sources sources) {
        this.sources = sources;
        this.models = new ModelLabels(sources.upstreams());
        this.replicas = new ReplicaSeries(registry, sources.upstreams(), sources.nanoClock(), BUCKETS);
        registerCounters();
        registerGauges();
        registerConfiguration();
        registerProcess();
    }

    private static PrometheusMeterRegistry registry() {
        PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        // Prometheus wants seconds, and no gauge that is called a count.
        registry.config()
                .meterFilter(MeterFilter.denyNameStartsWith("process.cpu.time"))
                .meterFilter(MeterFilter.denyNameStartsWith("system.cpu.count"));
        return registry;
    }

    private void registerProcess() {
        FunctionCounter.builder("process_cpu_seconds_total", OS, os -> os.getProcessCpuTime() / 1e9)
                .description("Processor time of the process, in user and system mode")
                .register(registry);
        new JvmMemoryMetrics().bindTo(registry);
        new JvmThreadMetrics().bindTo(registry);
        new ProcessorMetrics().bindTo(registry);
        new UptimeMetrics().bindTo(registry);
        new FileDescriptorMetrics().bindTo(registry);
        gc.bindTo(registry);
    }

    private void registerCounters() {
        for (Phase phase : Phase.values()) {
            cancels.put(
                    phase,
                    Metric.CANCELS.counter().tag("phase", Words.of(phase)).register(registry));
        }
        for (Decision.Cause cause : Decision.Cause.values()) {
            if (cause != Decision.Cause.ARRIVAL) {
                reroutes.put(
                        cause,
                        Metric.REROUTES.counter().tag("cause", Words.of(cause)).register(registry));
            }
        }
        counter(Metric.DROPPED_LINES, sources.droppedLines());
        counter(Metric.LOST_SPANS, sources.lostSpans());
    }

    private void registerGauges() {
        LiveUpstreams upstreams = sources.upstreams();
        gauge(Metric.WAITING, sources.waiting());
        gauge(Metric.PANIC, () -> upstreams.current().inPanic() ? 1 : 0);
        gauge(Metric.BLIND, () -> upstreams.blind() ? 1 : 0);
        gauge(Metric.BODY_MEMORY, sources.bodyBytes());
        gauge(Metric.BODY_MEMORY_LIMIT, sources.bodyLimitBytes());
        gauge(Metric.ANSWER_MEMORY, answerBytes::sum);
        gauge(Metric.EXCHANGES_OPEN, exchanges::sum);
        gauge(Metric.CONNECTIONS_OPEN, connections::sum);
        Gauge.builder(Metric.BUILD.id(), () -> 1)
                .description(Metric.BUILD.help())
                .tag("version", sources.version())
                .register(registry);
    }

    private void registerConfiguration() {
        Supplier<ConfigState> config = sources.config();
        gauge(Metric.WAITING_LIMIT, () -> config.get().current().admission().maxWaiting());
        gauge(Metric.CONNECTIONS_LIMIT, () -> config.get().current().limits().connections());
        gauge(Metric.LAST_RELOAD_OK, () -> config.get().problems().isEmpty() ? 1 : 0);
        gauge(Metric.PENDING_RESTART, () -> config.get().pendingRestart().size());
        counter(Metric.RELOADS, () -> config.get().appliedCount() - 1, "result", "applied");
        counter(Metric.RELOADS, () -> config.get().rejectedCount(), "result", "refused");
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
    public void answerHeld(long bytes) {
        answerBytes.add(bytes);
    }

    @Override
    public void loopTurned(String loop, long lateNanos) {
        lags.of(loop).record(Math.max(0, lateNanos), TimeUnit.NANOSECONDS);
    }

    @Override
    public void exchangeEnded(ExchangeReport report) {
        exchanges.decrement();
        String route = boundedRoute(report.route());
        String model = models.of(report.model());
        // A replica may send any number as its status.
        int status = report.status() >= 100 && report.status() <= 599 ? report.status() : 0;
        requests.of(new RequestKey(route, model, report.result(), status)).increment();
        durations.of(route).record(report.totalNanos(), TimeUnit.NANOSECONDS);
        if (report.queueNanos() >= 0) {
            queue.record(report.queueNanos(), TimeUnit.NANOSECONDS);
        }
        add(report.stopped() == null ? null : cancels.get(report.stopped()), 1);
        countReroutes(report);
        replicas.ended(report, model);
        // Prometheus counts in doubles: whole numbers stay exact up to 9 PB.
        add(events, report.events());
        add(bytesIn, report.bytesIn());
        add(bytesOut, report.bytesOut());
    }

    private void countReroutes(ExchangeReport report) {
        for (Decision decision : report.decisions()) {
            add(reroutes.get(decision.cause()), 1);
        }
        // Of a request that went from replica to replica many times not every decision is kept.
        int further = report.attempts().size() - Math.max(1, report.decisions().size());
        add(reroutes.get(Decision.Cause.FAILOVER), Math.max(0, further));
    }

    private static void add(@Nullable Counter counter, long count) {
        if (counter != null) {
            counter.increment((double) count);
        }
    }

    /**
     * Counts how a replica came to stand. Callable from any thread.
     *
     * @param change the news; that it stands as it stood is none
     */
    public void replicaChanged(ReplicaChange change) {
        if (change.from() != change.to()) {
            replicas.cameToStand(change.upstream().name(), change.to());
        }
    }

    /**
     * Everything, in Prometheus' text format 0.0.4. Callable from any thread, but not from an event loop.
     *
     * @return lines, ended by a line feed
     */
    public synchronized String scrape() {
        replicas.follow();
        long now = sources.nanoClock().getAsLong();
        Set<String> gone = absentModels.longGone(models.named(), models.present(), now);
        models.forget(gone);
        requests.removeIf(key -> gone.contains(key.model()));
        replicas.forgetModels(gone);
        return registry.scrape();
    }

    /** Stops listening to the garbage collector. */
    @Override
    public void close() {
        gc.close();
        registry.close();
    }

    private String boundedRoute(String route) {
        return durations.size() < MOST_ROUTES || durations.has(route) ? route : "other";
    }

    private Counter requestCounter(RequestKey key) {
        return Metric.REQUESTS
                .counter()
                .tag("route", key.route())
                .tag("model", key.model())
                .tag("result", Words.of(key.result()))
                .tag("code", key.status() == 0 ? "other" : Integer.toString(key.status()))
                .register(registry);
    }

    private void counter(Metric metric, LongSupplier value, String... tags) {
        FunctionCounter.builder(metric.id(), sources, any -> value.getAsLong())
                .description(metric.help())
                .tags(tags)
                .register(registry);
    }

    private void gauge(Metric metric, LongSupplier value) {
        Gauge.builder(metric.id(), value, LongSupplier::getAsLong)
                .description(metric.help())
                .strongReference(true)
                .register(registry);
    }

    static Duration[] seconds(double... bounds) {
        Duration[] durations = new Duration[bounds.length];
        for (int i = 0; i < bounds.length; i++) {
            durations[i] = Duration.ofMillis(Math.round(bounds[i] * 1000));
        }
        return durations;
    }
}
