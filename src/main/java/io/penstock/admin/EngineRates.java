package io.penstock.admin;

import io.penstock.upstream.EngineGauges;
import io.penstock.upstream.UpstreamState;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How many tokens a second each replica makes, from what its engines count between two readings of theirs. Confined to
 * the admin verticle's event loop.
 */
final class EngineRates {

    private static final double NANOS_PER_SECOND = 1e9;
    /** Readings are seen once a second, however often they are taken; further apart there was a pause between them. */
    private static final long PAUSE_NANOS = 3_000_000_000L;

    private record Reading(
            long takenNanos, double tokens, @Nullable Double perSecond) {}

    private final Map<String, Reading> readings = new HashMap<>();

    /** Tokens a second; null while nobody can say. Zero if it has nothing to do. */
    @Nullable
    Double perSecond(UpstreamState state, long nowNanos) {
        EngineGauges gauges = state.engine().gauges();
        if (gauges == null) {
            readings.remove(state.id());
            return null;
        }
        double tokens = gauges.engines().stream()
                .mapToDouble(EngineGauges.Engine::generatedTokens)
                .sum();
        Reading before = readings.get(state.id());
        if (before == null || gauges.takenNanos() != before.takenNanos()) {
            Double rate = before == null ? null : rate(before, gauges, tokens);
            before = new Reading(gauges.takenNanos(), tokens, rate);
            readings.put(state.id(), before);
        }
        if (gauges.fresh(nowNanos)) {
            return before.perSecond();
        }
        // It is asked only while it has work. One that has work and does not say is mute.
        return state.engine().working() == 0 && !Double.isNaN(tokens) ? Double.valueOf(0) : null;
    }

    /** Null if it does not count, if another process counts now, or if it had nothing to do in between. */
    private static @Nullable Double rate(Reading before, EngineGauges now, double tokens) {
        long nanos = now.takenNanos() - before.takenNanos();
        double made = tokens - before.tokens();
        return Double.isNaN(made) || made < 0 || nanos <= 0 || nanos > Math.max(now.validNanos(), PAUSE_NANOS)
                ? null
                : Double.valueOf(made * NANOS_PER_SECOND / nanos);
    }

    /** Forgets all replicas but these. */
    void keepOnly(Set<String> ids) {
        readings.keySet().retainAll(ids);
    }

    /** Forgets all: nobody has looked for a while, and a mean over that while would say nothing. */
    void clear() {
        readings.clear();
    }
}
