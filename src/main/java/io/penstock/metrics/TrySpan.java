package io.penstock.metrics;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.penstock.config.Endpoint;
import io.penstock.proxy.AttemptSpan;
import io.penstock.proxy.FailureKind;
import io.penstock.upstream.Choice;
import io.penstock.upstream.Lease;
import io.vertx.core.MultiMap;
import org.jspecify.annotations.Nullable;

/** The client span of one attempt. */
final class TrySpan implements AttemptSpan {

    private static final AttributeKey<String> HOST = AttributeKey.stringKey("server.address");
    private static final AttributeKey<Long> PORT = AttributeKey.longKey("server.port");
    private static final AttributeKey<Long> NUMBER = AttributeKey.longKey("penstock.attempt");
    private static final AttributeKey<Boolean> HEDGE = AttributeKey.booleanKey("penstock.hedge");
    private static final AttributeKey<String> CHOICE = AttributeKey.stringKey("penstock.choice");

    private final Span span;
    private final Context context;
    private int status;

    TrySpan(Tracer tracer, Context request, String method, Lease lease, int number, boolean hedge) {
        span = tracer.spanBuilder("attempt")
                .setSpanKind(SpanKind.CLIENT)
                .setParent(request)
                .startSpan();
        context = request.with(span);
        if (span.isRecording()) {
            Endpoint at = lease.upstream().identity().replica().endpoint();
            Choice choice = lease.choice();
            span.updateName("attempt " + lease.upstream().name())
                    .setAttribute(RequestSpan.METHOD, method)
                    .setAttribute(RequestSpan.REPLICA, lease.upstream().name())
                    .setAttribute(HOST, at.host())
                    .setAttribute(PORT, (long) at.port())
                    .setAttribute(NUMBER, (long) number)
                    .setAttribute(HEDGE, hedge ? Boolean.TRUE : null)
                    .setAttribute(
                            CHOICE, choice == null ? null : choice.reason().phrase());
        }
    }

    @Override
    public void passOn(MultiMap headers) {
        headers.remove("traceparent").remove("tracestate");
        W3CTraceContextPropagator.getInstance().inject(context, headers, TraceHeaders.INSTANCE);
    }

    @Override
    public void head(int code) {
        status = code;
        span.setAttribute(RequestSpan.STATUS, (long) code);
    }

    @Override
    public void firstOutput() {
        span.addEvent(RequestSpan.FIRST_OUTPUT);
    }

    @Override
    public void ended(@Nullable FailureKind failure) {
        if (failure != null) {
            span.setAttribute(RequestSpan.FAILURE, failure.code());
        }
        String error = failure != null ? errorOf(failure) : status >= 400 ? Integer.toString(status) : null;
        if (error != null) {
            span.setAttribute(RequestSpan.ERROR, error);
            span.setStatus(StatusCode.ERROR);
        }
        span.end();
    }

    /** That another attempt was faster, or that nobody listens, is no error of this one. */
    private static @Nullable String errorOf(FailureKind failure) {
        return switch (failure) {
            case HEDGE_LOST, CLIENT_LEFT, CLIENT_DOES_NOT_READ -> null;
            default -> failure.code();
        };
    }
}
