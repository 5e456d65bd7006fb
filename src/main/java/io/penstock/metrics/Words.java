package io.penstock.metrics;

import io.penstock.proxy.ExchangeReport.Result;
import io.penstock.proxy.FailureKind;
import io.penstock.proxy.Phase;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The words that stand for results and failures, the same in the access log and in the metrics. */
final class Words {

    /** The reason of an attempt that did not fail. */
    static final String OK = "ok";

    private static final Map<Result, String> RESULTS = new EnumMap<>(Result.class);

    static {
        for (Result result : Result.values()) {
            RESULTS.put(result, result.name().toLowerCase(Locale.ROOT));
        }
    }

    private Words() {}

    /** For example {@code client_left}. */
    static String of(Result result) {
        return RESULTS.getOrDefault(result, "other");
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
