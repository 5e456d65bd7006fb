package io.penstock.metrics;

import io.opentelemetry.context.propagation.TextMapGetter;
import io.opentelemetry.context.propagation.TextMapSetter;
import io.vertx.core.MultiMap;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads and writes {@code traceparent} and {@code tracestate}. */
enum TraceHeaders implements TextMapGetter<MultiMap>, TextMapSetter<MultiMap> {
    /** The only one. */
    INSTANCE;

    /** Two parents are none; of states there may be several lines (W3C Trace Context, sections 3.2 and 3.3.1). */
    @Override
    public @Nullable String get(@Nullable MultiMap headers, String key) {
        List<String> values = headers == null ? List.of() : headers.getAll(key);
        if (values.isEmpty() || (values.size() > 1 && !key.equals("tracestate"))) {
            return null;
        }
        return values.size() == 1 ? values.get(0) : String.join(",", values);
    }

    @Override
    public void set(@Nullable MultiMap headers, String key, String value) {
        if (headers != null) {
            headers.set(key, value);
        }
    }
}
