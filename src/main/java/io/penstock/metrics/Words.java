package io.penstock.metrics;

import io.penstock.proxy.Decision;
import io.penstock.proxy.ExchangeReport.Result;
import io.penstock.proxy.FailureKind;
import io.penstock.proxy.Phase;
import io.penstock.upstream.Standing;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The words that stand for results, failures and standings, the same in the access log and in the metrics. */
final class Words {

    /** The reason of an attempt that did not fail. */
    static final String OK = "ok";

    private static final Map<Result, String> RESULTS = new EnumMap<>(Result.class);

    private static final Map<Standing, String> STANDINGS = new EnumMap<>(Standing.class);

    static {
        for (Standing standing : Standing.values()) {
            STANDINGS.put(standing, standing.name().toLowerCase(Locale.ROOT));
        }
        for (Result result : Result.values()) {
            RESULTS.put(result, result.name().toLowerCase(Locale.ROOT));
        }
    }

    private Words() {}

    /** For example {@code client_left}. */
    static String of(Result result) {
        return RESULTS.getOrDefault(result, "other");
    }

    /** For example {@code stalled}. */
    static String of(Standing standing) {
        return STANDINGS.getOrDefault(standing, "other");
    }

    /** For example {@code failover}. */
    static String of(Decision.Cause cause) {
        return cause.name().toLowerCase(Locale.ROOT);
    }

    /** For example {@code back_off}. */
    static String of(Phase phase) {
        return phase.name().toLowerCase(Locale.ROOT);
    }

    /** The failure's code, or {@link #OK} for none. */
    static String reason(@Nullable FailureKind failure) {
        return failure == null ? OK : failure.code();
    }
}
