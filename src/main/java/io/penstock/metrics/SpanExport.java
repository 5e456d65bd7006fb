package io.penstock.metrics;

import io.opentelemetry.api.metrics.MeterProvider;
import io.opentelemetry.context.Context;
import io.opentelemetry.exporter.internal.FailedExportException;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.common.export.HttpResponse;
import io.opentelemetry.sdk.trace.ReadWriteSpan;
import io.opentelemetry.sdk.trace.ReadableSpan;
import io.opentelemetry.sdk.trace.SpanProcessor;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.time.Duration;
import java.util.Collection;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Spans on their way to the collector: handed over by any event loop without waiting, exported in batches by one thread.
 * No more than {@value #MOST_UNDERWAY} are underway; what finds no place, or is not taken, is lost and counted, and a
 * warning says so at most once a minute.
 */
final class SpanExport implements SpanProcessor {

    /** Some 10 MB. A second of 2000 traced requests. */
    static final int MOST_UNDERWAY = 8192;

    private static final Logger LOG = LoggerFactory.getLogger(SpanExport.class);
    private static final long QUIET_NANOS = TimeUnit.MINUTES.toNanos(1);

    private final SpanProcessor batches;
    private final String collector;
    private final LongSupplier nanoClock;
    private final LongAdder lost;
    private final AtomicInteger underway = new AtomicInteger();
    // When a warning may follow. Whoever moves it on warns.
    private final AtomicLong nextWarning;

    SpanExport(SpanExporter exporter, Duration timeout, String collector, LongSupplier nanoClock, LongAdder lost) {
        this.collector = collector;
        this.nanoClock = nanoClock;
        this.lost = lost;
        this.nextWarning = new AtomicLong(nanoClock.getAsLong());
        this.batches = BatchSpanProcessor.builder(new Counted(exporter))
                // More than ever come, so that nothing is lost in there, uncounted.
                .setMaxQueueSize(2 * MOST_UNDERWAY)
                .setScheduleDelay(Duration.ofSeconds(1))
                .setExporterTimeout(timeout)
                .setMeterProvider(MeterProvider.noop())
                .build();
    }

    @Override
    public void onStart(Context parent, ReadWriteSpan span) {}

    @Override
    public boolean isStartRequired() {
        return false;
    }

    @Override
    public void onEnd(ReadableSpan span) {
        if (underway.incrementAndGet() <= MOST_UNDERWAY) {
            batches.onEnd(span);
        } else {
            underway.decrementAndGet();
            lose(1, "takes them too slowly");
        }
    }

    @Override
    public boolean isEndRequired() {
        return true;
    }

    @Override
    public CompletableResultCode forceFlush() {
        return batches.forceFlush();
    }

    @Override
    public CompletableResultCode shutdown() {
        return batches.shutdown();
    }

    private void lose(int spans, String why) {
        lost.add(spans);
        long next = nextWarning.get();
        long now = nanoClock.getAsLong();
        if (now - next >= 0 && nextWarning.compareAndSet(next, now + QUIET_NANOS)) {
            LOG.warn("spans lost since the start: {}; {} {}", lost.sum(), collector, why);
        }
    }

    private static String why(@Nullable Throwable failure) {
        if (failure instanceof FailedExportException.HttpExportException http) {
            HttpResponse answer = http.getResponse();
            return answer == null
                    ? "cannot be reached: " + http.getCause()
                    : "answers with status " + answer.getStatusCode();
        }
        return failure == null ? "does not take them" : "does not take them: " + failure;
    }

    /** Knows what became of each batch. */
    private final class Counted implements SpanExporter {

        private final SpanExporter exporter;

        private Counted(SpanExporter exporter) {
            this.exporter = exporter;
        }

        @Override
        public CompletableResultCode export(Collection<SpanData> spans) {
            int count = spans.size();
            CompletableResultCode done = exporter.export(spans);
            return done.whenComplete(() -> {
                underway.addAndGet(-count);
                if (!done.isSuccess()) {
                    lose(count, why(done.getFailureThrowable()));
                }
            });
        }

        @Override
        public CompletableResultCode flush() {
            return exporter.flush();
        }

        @Override
        public CompletableResultCode shutdown() {
            return exporter.shutdown();
        }
    }
}
