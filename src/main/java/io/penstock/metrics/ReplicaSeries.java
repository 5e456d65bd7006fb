package io.penstock.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.MultiGauge.Row;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.penstock.proxy.AttemptReport;
import io.penstock.proxy.ExchangeReport;
import io.penstock.proxy.ExchangeReport.Result;
import io.penstock.upstream.Ejection;
import io.penstock.upstream.LiveUpstreams;
import io.penstock.upstream.Standing;
import io.penstock.upstream.UpstreamState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.ToDoubleFunction;

/**
 * The series of single replicas and models. Gauges exist exactly as long as their replica; counters a while longer
 * ({@link Absences}). Counters of what is rare are there from the start, at zero: Prometheus does not see the first event
 * of a series that begins with it.
 *
 * <p>Any event loop may report; scrapes exclude each other.
 */
final class ReplicaSeries {

    // The advice of OpenTelemetry for the time per output token, and two more for engines that stutter.
    private static final Duration[] GAP_BUCKETS =
            PrometheusMetrics.seconds(0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 10);

    private record ReasonKey(String replica, String reason) {}

    private record OutputKey(String replica, String model) {}

    private record Shown(MultiGauge gauge, ToDoubleFunction<UpstreamState> value) {}

    private final MeterRegistry registry;
    private final LiveUpstreams upstreams;
    private final LongSupplier nanoClock;
    private final Family<ReasonKey, Counter> attempts;
    private final Family<OutputKey, Timer> firstOutputs;
    private final Family<String, Timer> gaps;
    private final Family<ReasonKey, Counter> ejections;
    private final Family<ReasonKey, Counter> changes;
    private final List<Shown> shown;
    private final MultiGauge standing;
    private final EngineSeries engines;
    private final PredictionSeries predictions;
    // Touched by scrapes only.
    private final Absences absences = new Absences();
    private final Map<UpstreamState, Map<Ejection.Cause, Long>> ejectionsSeen = new WeakHashMap<>();

    ReplicaSeries(MeterRegistry registry, LiveUpstreams upstreams, LongSupplier nanoClock, Duration[] outputBuckets) {
        this.registry = registry;
        this.upstreams = upstreams;
        this.nanoClock = nanoClock;
        this.attempts = byReason(Metric.ATTEMPTS, "reason");
        this.ejections = byReason(Metric.EJECTIONS, "reason");
        this.changes = byReason(Metric.STANDING_CHANGES, "standing");
        this.firstOutputs = new Family<>(
                registry,
                key -> Metric.FIRST_OUTPUT
                        .timer(outputBuckets)
                        .tag("replica", key.replica())
                        .tag("model", key.model())
                        .register(registry));
        this.gaps = new Family<>(
                registry,
                replica -> Metric.EVENT_GAP
                        .timer(GAP_BUCKETS)
                        .tag("replica", replica)
                        .register(registry));
        this.shown = List.of(
                new Shown(Metric.IN_FLIGHT.gauges(registry), UpstreamState::inFlight),
                new Shown(Metric.UP.gauges(registry), member -> member.usable() ? 1 : 0),
                new Shown(
                        Metric.MAX_IN_FLIGHT.gauges(registry),
                        member -> member.identity().replica().maxInFlight()),
                new Shown(
                        Metric.SLOW_START.gauges(registry),
                        member -> member.conduct().ramp().limit()));
        this.standing = Metric.STANDING.gauges(registry);
        this.engines = new EngineSeries(registry);
        this.predictions = new PredictionSeries(registry);
    }

    private Family<ReasonKey, Counter> byReason(Metric metric, String label) {
        return new Family<>(
                registry,
                key -> metric.counter()
                        .tag("replica", key.replica())
                        .tag(label, key.reason())
                        .register(registry));
    }

    void ended(ExchangeReport report, String model) {
        for (AttemptReport attempt : report.attempts()) {
            attempts.of(new ReasonKey(attempt.replica(), Words.reason(attempt.failure())))
                    .increment();
        }
        String replica = report.replica();
        // The first byte of a whole answer comes with its last: it would only blur the time to first token.
        if (replica != null && report.stream() && report.firstOutputNanos() >= 0) {
            firstOutputs.of(new OutputKey(replica, model)).record(report.firstOutputNanos(), TimeUnit.NANOSECONDS);
            if (report.result() == Result.COMPLETED && report.events() > 1) {
                long nanos = report.totalNanos() - report.firstOutputNanos();
                gaps.of(replica).record(nanos / (report.events() - 1), TimeUnit.NANOSECONDS);
            }
        }
        predictions.ended(report);
    }

    void cameToStand(String replica, Standing now) {
        changes.of(new ReasonKey(replica, Words.of(now))).increment();
    }

    /** Makes the series those of the replicas of this moment. Called before each scrape. */
    void follow() {
        List<UpstreamState> members = upstreams.current().members();
        Set<String> names = new HashSet<>();
        List<Row<?>> standings = new ArrayList<>(members.size());
        for (UpstreamState member : members) {
            names.add(member.name());
            standings.add(Row.of(Tags.of("replica", member.name(), "standing", standingOf(member)), 1));
            beginAtZero(member.name());
            countEjections(member);
        }
        for (Shown each : shown) {
            List<Row<?>> rows = new ArrayList<>(members.size());
            members.forEach(member -> rows.add(Row.of(Tags.of("replica", member.name()), member, each.value())));
            // Overwriting, since a replica may have come back as another object under the same name.
            each.gauge().register(rows, true);
        }
        standing.register(standings, true);
        engines.follow(members, nanoClock.getAsLong());
        forget(names);
    }

    private static String standingOf(UpstreamState member) {
        return member.draining() ? "draining" : Words.of(member.standing());
    }

    private void beginAtZero(String replica) {
        attempts.of(new ReasonKey(replica, Words.OK));
        for (Standing each : Standing.values()) {
            changes.of(new ReasonKey(replica, Words.of(each)));
        }
        for (Ejection.Cause each : Ejection.Cause.values()) {
            ejections.of(new ReasonKey(replica, each.label()));
        }
    }

    /** Adds what has come since the last scrape, since a replica may come back as another object that begins at zero. */
    private void countEjections(UpstreamState member) {
        Map<Ejection.Cause, Long> now = member.conduct().ejections();
        Map<Ejection.Cause, Long> before = ejectionsSeen.put(member, now);
        now.forEach((cause, count) -> {
            long more = count - (before == null ? 0 : before.getOrDefault(cause, 0L));
            if (more > 0) {
                ejections.of(new ReasonKey(member.name(), cause.label())).increment((double) more);
            }
        });
    }

    private void forget(Set<String> present) {
        Set<String> counted = new HashSet<>(gaps.keys());
        attempts.keys().forEach(key -> counted.add(key.replica()));
        changes.keys().forEach(key -> counted.add(key.replica()));
        firstOutputs.keys().forEach(key -> counted.add(key.replica()));
        counted.addAll(predictions.replicas());
        Set<String> gone = absences.longGone(counted, present, nanoClock.getAsLong());
        attempts.removeIf(key -> gone.contains(key.replica()));
        changes.removeIf(key -> gone.contains(key.replica()));
        ejections.removeIf(key -> gone.contains(key.replica()));
        firstOutputs.removeIf(key -> gone.contains(key.replica()));
        gaps.removeIf(gone::contains);
        predictions.forget(gone);
    }

    /** Removes the series of models that have long been gone. Called between scrapes. */
    void forgetModels(Set<String> gone) {
        firstOutputs.removeIf(key -> gone.contains(key.model()));
    }
}
