package io.penstock.metrics;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.MeterProvider;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporterBuilder;
import io.opentelemetry.sdk.common.Clock;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import io.opentelemetry.sdk.trace.samplers.Sampler;
import io.penstock.config.PenstockConfig;
import io.penstock.proxy.ExchangeSpan;
import io.penstock.proxy.ExchangeTracer;
import io.vertx.core.MultiMap;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Each request as a trace of OpenTelemetry: a server span, a span for each wait, a client span for each attempt. A
 * client's {@code traceparent} is the parent, and whether it is sampled is the client's decision; without one the
 * configured share is (W3C Trace Context, level 2). Never a body, a key, or a path but the route's.
 *
 * <p>Nothing else in Penstock knows OpenTelemetry: unless one of these is made, none of its classes is loaded.
 */
public final class OpenTelemetryTracing implements ExchangeTracer {

    private static final Duration TIMEOUT = Duration.ofSeconds(5);
    private static final long FLUSH_SECONDS = 3;

    private final SdkTracerProvider provider;
    private final Tracer tracer;
    // What it says goes past our log; and who does not hold a logger of java.util.logging loses its level.
    private final Logger ownLog = Logger.getLogger("io.opentelemetry");

    /**
     * Starts one that exports to the configured endpoint.
     *
     * @param config where to, and how much
     * @param version Penstock's version
     * @param nanoClock the time, in nanoseconds
     * @param epochMillis the wall clock, in milliseconds since 1970
     * @param lost counts the spans that no collector took
     * @return one that runs until {@link #close}
     */
    public static OpenTelemetryTracing start(
            PenstockConfig.Tracing config,
            String version,
            LongSupplier nanoClock,
            LongSupplier epochMillis,
            LongAdder lost) {
        return new OpenTelemetryTracing(config, version, nanoClock, epochMillis, lost, overHttp(config));
    }

    OpenTelemetryTracing(
            PenstockConfig.Tracing config,
            String version,
            LongSupplier nanoClock,
            LongSupplier epochMillis,
            LongAdder lost,
            SpanExporter exporter) {
        ownLog.setLevel(Level.OFF);
        provider = SdkTracerProvider.builder()
                .setClock(clock(nanoClock, epochMillis))
                .setResource(Resource.getDefault()
                        .merge(Resource.create(Attributes.of(
                                AttributeKey.stringKey("service.name"),
                                config.service(),
                                AttributeKey.stringKey("service.version"),
                                version))))
                .setSampler(Sampler.parentBased(Sampler.traceIdRatioBased(config.sample())))
                .addSpanProcessor(new SpanExport(exporter, TIMEOUT, config.endpoint(), nanoClock, lost))
                .build();
        tracer = provider.get("io.penstock", version);
    }

    /** On a thread of its own; what fails is not tried again, so that what waits behind it is not lost for it. */
    private static SpanExporter overHttp(PenstockConfig.Tracing config) {
        String base = config.endpoint();
        OtlpHttpSpanExporterBuilder builder = OtlpHttpSpanExporter.builder()
                .setEndpoint(base.endsWith("/v1/traces") ? base : base + "/v1/traces")
                .setTimeout(TIMEOUT)
                .setConnectTimeout(TIMEOUT)
                .setRetryPolicy(null)
                .setMeterProvider(MeterProvider.noop());
        config.headers().forEach(builder::addHeader);
        return builder.build();
    }

    private static Clock clock(LongSupplier nanoClock, LongSupplier epochMillis) {
        return new Clock() {
            @Override
            public long now() {
                return TimeUnit.MILLISECONDS.toNanos(epochMillis.getAsLong());
            }

            @Override
            public long nanoTime() {
                return nanoClock.getAsLong();
            }
        };
    }

    @Override
    public ExchangeSpan begin(String method, MultiMap headers) {
        Context parent =
                W3CTraceContextPropagator.getInstance().extract(Context.root(), headers, TraceHeaders.INSTANCE);
        return new RequestSpan(tracer, parent, method);
    }

    @Override
    public void close() {
        provider.shutdown().join(FLUSH_SECONDS, TimeUnit.SECONDS);
    }
}
