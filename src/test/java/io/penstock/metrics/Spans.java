package io.penstock.metrics;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.trace.data.EventData;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import io.penstock.config.PenstockConfig;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/** Keeps what is exported in memory. Each question first ends the tracing, which flushes it. */
final class Spans implements SpanExporter {

    private final List<SpanData> all = new CopyOnWriteArrayList<>();
    final LongAdder lost = new LongAdder();
    final OpenTelemetryTracing tracing;

    Spans(double sample) {
        PenstockConfig.Tracing config = new PenstockConfig.Tracing("http://c", "front door", sample, Map.of());
        tracing = new OpenTelemetryTracing(config, "1.2.3", System::nanoTime, System::currentTimeMillis, lost, this);
    }

    /** In the order of their ends. */
    List<SpanData> all() {
        tracing.close();
        return List.copyOf(all);
    }

    /** The only server span. */
    SpanData server() {
        return only(
                all().stream().filter(span -> span.getKind() == SpanKind.SERVER).toList());
    }

    /** The attempts, in the order of their beginnings. */
    List<SpanData> attempts() {
        return all().stream()
                .filter(span -> span.getKind() == SpanKind.CLIENT)
                .sorted((one, other) -> Long.compare(number(one), number(other)))
                .toList();
    }

    SpanData attempt() {
        return only(attempts());
    }

    List<SpanData> waits() {
        return all().stream()
                .filter(span -> span.getKind() == SpanKind.INTERNAL)
                .toList();
    }

    private static long number(SpanData span) {
        Long number = span.getAttributes().get(AttributeKey.longKey("penstock.attempt"));
        return number == null ? 0 : number;
    }

    static SpanData only(List<SpanData> spans) {
        if (spans.size() != 1) {
            throw new AssertionError("want one, have " + spans);
        }
        return spans.get(0);
    }

    static @Nullable String text(SpanData span, String key) {
        return span.getAttributes().get(AttributeKey.stringKey(key));
    }

    static @Nullable Long number(SpanData span, String key) {
        return span.getAttributes().get(AttributeKey.longKey(key));
    }

    static List<String> events(SpanData span) {
        return span.getEvents().stream().map(EventData::getName).toList();
    }

    /** What a replica whose parent it is was told. */
    static String traceparent(SpanData span) {
        return "00-" + span.getTraceId() + "-" + span.getSpanId() + "-"
                + span.getSpanContext().getTraceFlags().asHex();
    }

    @Override
    public CompletableResultCode export(Collection<SpanData> spans) {
        all.addAll(spans);
        return CompletableResultCode.ofSuccess();
    }

    @Override
    public CompletableResultCode flush() {
        return CompletableResultCode.ofSuccess();
    }

    @Override
    public CompletableResultCode shutdown() {
        return CompletableResultCode.ofSuccess();
    }
}
