package io.penstock.metrics;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.MultiGauge.Row;
import io.micrometer.core.instrument.Tags;
import io.penstock.upstream.EngineGauges;
import io.penstock.upstream.UpstreamState;
import java.util.ArrayList;
import java.util.List;

/**
 * What the replicas' engines say about themselves, under our names. A series exists while its number is fresh: of a replica
 * without work of ours nothing is read, and nothing is claimed. Confined to scrapes, which exclude each other.
 */
final class EngineSeries {

    private final MultiGauge running;
    private final MultiGauge waiting;
    private final MultiGauge cacheUsage;

    EngineSeries(MeterRegistry registry) {
        running = gauges(registry, PrometheusMetrics.REPLICA_RUNNING, "Requests that the engine says it works on");
        waiting = gauges(registry, PrometheusMetrics.REPLICA_WAITING, "Requests that wait in the engine, as it says");
        cacheUsage =
                gauges(registry, PrometheusMetrics.REPLICA_KV_USAGE, "Used share of the engine's KV cache, as it says");
    }

    private static MultiGauge gauges(MeterRegistry registry, String name, String description) {
        return MultiGauge.builder(name).description(description).register(registry);
    }

    /** Makes the series those of these replicas. */
    void follow(List<UpstreamState> members, long nowNanos) {
        List<Row<?>> runningRows = new ArrayList<>();
        List<Row<?>> waitingRows = new ArrayList<>();
        List<Row<?>> usageRows = new ArrayList<>();
        for (UpstreamState member : members) {
            EngineGauges gauges = member.engine().gauges();
            if (gauges == null || !gauges.fresh(nowNanos)) {
                continue;
            }
            for (EngineGauges.Engine engine : gauges.engines()) {
                Tags tags = Tags.of("replica", member.name(), "engine", engine.label());
                add(runningRows, tags, engine.running());
                add(waitingRows, tags, engine.waiting());
                add(usageRows, tags, engine.cacheUsage());
            }
        }
        running.register(runningRows, true);
        waiting.register(waitingRows, true);
        cacheUsage.register(usageRows, true);
    }

    private static void add(List<Row<?>> rows, Tags tags, double value) {
        if (!Double.isNaN(value)) {
            rows.add(Row.of(tags, value));
        }
    }
}
