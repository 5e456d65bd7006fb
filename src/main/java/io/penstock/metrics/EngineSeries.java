package io.penstock.metrics;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.MultiGauge.Row;
import io.micrometer.core.instrument.Tags;
import io.penstock.upstream.EngineGauges;
import io.penstock.upstream.EngineGauges.Engine;
import io.penstock.upstream.UpstreamState;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * What the replicas' engines say about themselves, under our names. Of a replica without work of ours nothing is read: so
 * gauges exist while their number is fresh, and counters stay as last read until their replica or its process is gone.
 * Confined to scrapes, which exclude each other.
 */
final class EngineSeries {

    private record Shown(MultiGauge gauge, ToDoubleFunction<Engine> value) {}

    private record Counted(Metric metric, ToDoubleFunction<Engine> value) {}

    private record Key(Metric metric, String replica, String engine) {}

    private static final List<Counted> COUNTED = List.of(
            new Counted(Metric.ENGINE_CACHE_QUERIES, Engine::prefixQueries),
            new Counted(Metric.ENGINE_CACHE_HITS, Engine::prefixHits),
            new Counted(Metric.ENGINE_PROMPT_TOKENS, Engine::promptTokens),
            new Counted(Metric.ENGINE_GENERATED, Engine::generatedTokens),
            new Counted(Metric.ENGINE_PREEMPTIONS, Engine::preemptions),
            new Counted(Metric.ENGINE_FINISHED, Engine::finished));

    private final MeterRegistry registry;
    private final List<Shown> shown;
    private final Family<Key, FunctionCounter> counters;
    // What the counters show.
    private final Map<Key, Double> counts = new HashMap<>();

    EngineSeries(MeterRegistry registry) {
        this.registry = registry;
        this.shown = List.of(
                new Shown(Metric.ENGINE_RUNNING.gauges(registry), Engine::running),
                new Shown(Metric.ENGINE_WAITING.gauges(registry), Engine::waiting),
                new Shown(Metric.ENGINE_CACHE_USAGE.gauges(registry), Engine::cacheUsage));
        this.counters = new Family<>(registry, this::counter);
    }

    /** Makes the series those of these replicas. */
    void follow(List<UpstreamState> members, long nowNanos) {
        List<List<Row<?>>> rows = new ArrayList<>();
        shown.forEach(each -> rows.add(new ArrayList<>()));
        counts.clear();
        for (UpstreamState member : members) {
            EngineGauges gauges = member.engine().gauges();
            if (gauges == null) {
                continue;
            }
            boolean fresh = gauges.fresh(nowNanos);
            for (Engine engine : gauges.engines()) {
                count(member.name(), engine);
                for (int i = 0; i < shown.size() && fresh; i++) {
                    show(member.name(), engine, shown.get(i).value().applyAsDouble(engine), rows.get(i));
                }
            }
        }
        for (int i = 0; i < shown.size(); i++) {
            shown.get(i).gauge().register(rows.get(i), true);
        }
        counters.removeIf(key -> !counts.containsKey(key));
        counts.keySet().forEach(counters::of);
    }

    private static void show(String replica, Engine engine, double value, List<Row<?>> rows) {
        if (!Double.isNaN(value)) {
            rows.add(Row.of(Tags.of("replica", replica, "engine", engine.label()), value));
        }
    }

    private void count(String replica, Engine engine) {
        for (Counted each : COUNTED) {
            double value = each.value().applyAsDouble(engine);
            if (value >= 0) { // Not NaN, then: it says nothing of that.
                counts.put(new Key(each.metric(), replica, engine.label()), value);
            }
        }
    }

    private FunctionCounter counter(Key key) {
        return FunctionCounter.builder(key.metric().id(), counts, now -> now.getOrDefault(key, 0.0))
                .description(key.metric().help())
                .tag("replica", key.replica())
                .tag("engine", key.engine())
                .register(registry);
    }
}
