package io.penstock.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.MultiGauge.Row;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.penstock.proxy.ExchangeReport;
import io.penstock.proxy.FailureKind;
import io.penstock.upstream.Ejection;
import io.penstock.upstream.LiveUpstreams;
import io.penstock.upstream.UpstreamState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The series of single replicas. Gauges exist exactly as long as their replica; counters stay a while longer, so that
 * Prometheus sees their last values and a replica that comes back soon goes on counting, and then go too: a name service
 * may invent replicas for years.
 *
 * <p>Any event loop may report; scrapes exclude each other.
 */
final class ReplicaSeries {

    private static final long MEMORY_NANOS = Duration.ofMinutes(10).toNanos();

    private record AttemptKey(String replica, @Nullable FailureKind failure) {}

    private record EjectionKey(String replica, Ejection.Cause cause) {}

    private final MeterRegistry registry;
    private final LiveUpstreams upstreams;
    private final LongSupplier nanoClock;
    private final Duration[] buckets;
    private final ConcurrentHashMap<AttemptKey, Counter> attempts = new ConcurrentHashMap<>();
    private final ConcurrentHashMap<String, Timer> firstOutputs = new ConcurrentHashMap<>();
    private final ConcurrentHashMap<EjectionKey, Counter> ejections = new ConcurrentHashMap<>();
    private final MultiGauge inFlight;
    private final MultiGauge up;
    private final MultiGauge standing;
    private final EngineSeries engines;
    private final PredictionSeries predictions;
    // Touched by scrapes only.
    private final Map<String, Long> absentSince = new HashMap<>();
    private final Map<UpstreamState, Map<Ejection.Cause, Long>> ejectionsSeen = new WeakHashMap<>();

    ReplicaSeries(MeterRegistry registry, LiveUpstreams upstreams, LongSupplier nanoClock, Duration[] buckets) {
        this.registry = registry;
        this.upstreams = upstreams;
        this.nanoClock = nanoClock;
        this.buckets = buckets;
        this.inFlight = gauges(PrometheusMetrics.IN_FLIGHT, "Requests that the replica holds");
        this.up = gauges(PrometheusMetrics.UP, "1 if new work may be sent to the replica, else 0");
        this.engines = new EngineSeries(registry);
        this.predictions = new PredictionSeries(registry);
        this.standing = gauges(PrometheusMetrics.STANDING, "How the replica stands: ready, draining, or why not");
    }

    private MultiGauge gauges(String name, String description) {
        return MultiGauge.builder(name).description(description).register(registry);
    }

    void attempt(String replica, @Nullable FailureKind failure) {
        PrometheusMetrics.cached(attempts, new AttemptKey(replica, failure), this::attemptCounter)
                .increment();
    }

    void firstOutput(String replica, long nanos) {
        PrometheusMetrics.cached(firstOutputs, replica, this::firstOutputTimer).record(nanos, TimeUnit.NANOSECONDS);
    }

    void predicted(ExchangeReport report) {
        predictions.ended(report);
    }

    /** Makes the series those of the replicas of this moment. Called before each scrape. */
    synchronized void follow() {
        List<UpstreamState> members = upstreams.current().members();
        List<Row<?>> inFlightRows = new ArrayList<>(members.size());
        List<Row<?>> upRows = new ArrayList<>(members.size());
        List<Row<?>> standingRows = new ArrayList<>(members.size());
        Set<String> names = new HashSet<>();
        for (UpstreamState member : members) {
            Tags tags = Tags.of("replica", member.name());
            names.add(member.name());
            inFlightRows.add(Row.of(tags, member, UpstreamState::inFlight));
            upRows.add(Row.of(tags, member, m -> m.usable() ? 1 : 0));
            standingRows.add(Row.of(tags.and("standing", standingOf(member)), 1));
            countEjections(member);
        }
        // Overwriting, since a replica may have come back as another object under the same name.
        inFlight.register(inFlightRows, true);
        up.register(upRows, true);
        standing.register(standingRows, true);
        engines.follow(members, nanoClock.getAsLong());
        forgetCounters(names);
    }

    /** Adds what has come since the last scrape, since a replica may come back as another object that begins at zero. */
    private void countEjections(UpstreamState member) {
        Map<Ejection.Cause, Long> now = member.conduct().ejections();
        Map<Ejection.Cause, Long> before = ejectionsSeen.put(member, now);
        now.forEach((cause, count) -> {
            long more = count - (before == null ? 0 : before.getOrDefault(cause, 0L));
            if (more > 0) {
                PrometheusMetrics.cached(ejections, new EjectionKey(member.name(), cause), this::ejectionCounter)
                        .increment((double) more);
            }
        });
    }

    private static String standingOf(UpstreamState member) {
        return member.draining() ? "draining" : member.standing().name().toLowerCase(Locale.ROOT);
    }

    private void forgetCounters(Set<String> present) {
        long now = nanoClock.getAsLong();
        absentSince.keySet().removeAll(present);
        for (AttemptKey key : attempts.keySet()) {
            if (!present.contains(key.replica())) {
                absentSince.putIfAbsent(key.replica(), now);
            }
        }
        absentSince.entrySet().removeIf(gone -> {
            if (now - gone.getValue() < MEMORY_NANOS) {
                return false;
            }
            forget(gone.getKey());
            return true;
        });
    }

    private void forget(String replica) {
        attempts.forEach((key, counter) -> {
            if (key.replica().equals(replica)) {
                attempts.remove(key);
                registry.remove(counter);
            }
        });
        ejections.forEach((key, counter) -> {
            if (key.replica().equals(replica)) {
                ejections.remove(key);
                registry.remove(counter);
            }
        });
        predictions.forget(replica);
        Timer timer = firstOutputs.remove(replica);
        if (timer != null) {
            registry.remove(timer);
        }
    }

    private Counter attemptCounter(AttemptKey key) {
        return Counter.builder(PrometheusMetrics.ATTEMPTS)
                .description("Tries at a replica, by why they ended (ok: they did not fail)")
                .tag("replica", key.replica())
                .tag("reason", Words.reason(key.failure()))
                .register(registry);
    }

    private Counter ejectionCounter(EjectionKey key) {
        return Counter.builder(PrometheusMetrics.EJECTIONS)
                .description(
                        "Times that a replica was left alone for a while because requests failed there, by the rule")
                .tag("replica", key.replica())
                .tag("reason", key.cause().label())
                .register(registry);
    }

    private Timer firstOutputTimer(String replica) {
        return PrometheusMetrics.timer(
                        PrometheusMetrics.FIRST_OUTPUT,
                        "From a streaming request's head to its first output (time to first token)",
                        buckets)
                .tag("replica", replica)
                .register(registry);
    }
}
