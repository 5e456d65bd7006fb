package io.penstock.metrics;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.penstock.proxy.AttemptSpan;
import io.penstock.proxy.ExchangeReport;
import io.penstock.proxy.ExchangeReport.Result;
import io.penstock.proxy.ExchangeSpan;
import io.penstock.proxy.FailureKind;
import io.penstock.upstream.Lease;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The server span of one request, and its waits. Names of attributes are those of OpenTelemetry's semantic conventions
 * for HTTP and generative AI where there is one, else they begin with {@code penstock.}
 */
final class RequestSpan implements ExchangeSpan {

    static final AttributeKey<String> METHOD = AttributeKey.stringKey("http.request.method");
    static final AttributeKey<Long> STATUS = AttributeKey.longKey("http.response.status_code");
    static final AttributeKey<String> ERROR = AttributeKey.stringKey("error.type");
    static final AttributeKey<String> REPLICA = AttributeKey.stringKey("penstock.replica");
    static final AttributeKey<String> FAILURE = AttributeKey.stringKey("penstock.failure");
    static final String FIRST_OUTPUT = "first_output";
    static final String WAIT = "wait for a replica";

    private static final AttributeKey<String> ROUTE = AttributeKey.stringKey("http.route");
    private static final AttributeKey<Long> REQUEST_SIZE = AttributeKey.longKey("http.request.body.size");
    private static final AttributeKey<Long> RESPONSE_SIZE = AttributeKey.longKey("http.response.body.size");
    private static final AttributeKey<String> PEER = AttributeKey.stringKey("network.peer.address");
    private static final AttributeKey<String> MODEL = AttributeKey.stringKey("gen_ai.request.model");
    private static final AttributeKey<String> OPERATION = AttributeKey.stringKey("gen_ai.operation.name");
    private static final AttributeKey<String> REQUEST_ID = AttributeKey.stringKey("penstock.request_id");
    private static final AttributeKey<String> RESULT = AttributeKey.stringKey("penstock.result");
    private static final AttributeKey<String> PHASE = AttributeKey.stringKey("penstock.phase");
    private static final AttributeKey<Boolean> STREAM = AttributeKey.booleanKey("penstock.stream");
    private static final AttributeKey<Long> ATTEMPTS = AttributeKey.longKey("penstock.attempts");
    private static final AttributeKey<Long> EVENTS = AttributeKey.longKey("penstock.events");

    private static final Map<String, String> OPERATIONS = Map.of(
            "/v1/chat/completions", "chat",
            "/v1/chat/completions/batch", "chat",
            "/v1/responses", "chat",
            "/v1/messages", "chat",
            "/v1/completions", "text_completion",
            "/v1/embeddings", "embeddings",
            "/v2/embed", "embeddings");
    private static final Set<String> METHODS = Set.of("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH");
    // The model is the caller's word: a span stays small whatever it is.
    private static final int LONGEST_MODEL = 256;

    private final Tracer tracer;
    private final String method;
    private final Span span;
    private final Context context;
    private @Nullable Span waiting;

    RequestSpan(Tracer tracer, Context parent, String method) {
        this.tracer = tracer;
        this.method = METHODS.contains(method) ? method : "_OTHER";
        this.span = tracer.spanBuilder(this.method)
                .setSpanKind(SpanKind.SERVER)
                .setParent(parent)
                .startSpan();
        this.context = parent.with(span);
    }

    @Override
    public void waits() {
        waiting = tracer.spanBuilder(WAIT).setParent(context).startSpan();
    }

    @Override
    public void leased() {
        Span over = waiting;
        waiting = null;
        if (over != null) {
            over.end();
        }
    }

    @Override
    public AttemptSpan attempt(Lease lease, int number, boolean hedge) {
        return new TrySpan(tracer, context, method, lease, number, hedge);
    }

    @Override
    public void firstOutput() {
        span.addEvent(FIRST_OUTPUT);
    }

    @Override
    public void ended(ExchangeReport report) {
        if (span.isRecording()) {
            describe(report);
            judge(report);
        }
        span.end();
    }

    private void describe(ExchangeReport report) {
        boolean known = !report.route().equals("other");
        String model = report.model();
        span.updateName(known ? method + " " + report.route() : method)
                .setAttribute(METHOD, method)
                .setAttribute(ROUTE, known ? report.route() : null)
                .setAttribute(STATUS, sent(report) ? (long) report.status() : null)
                .setAttribute(REQUEST_SIZE, report.bytesIn())
                .setAttribute(RESPONSE_SIZE, report.bytesOut())
                .setAttribute(PEER, report.client())
                .setAttribute(OPERATION, OPERATIONS.get(report.route()))
                .setAttribute(MODEL, model == null ? null : model.substring(0, Math.min(model.length(), LONGEST_MODEL)))
                .setAttribute(REQUEST_ID, report.requestId())
                .setAttribute(RESULT, Words.of(report.result()))
                .setAttribute(PHASE, report.stopped() == null ? null : Words.of(report.stopped()))
                .setAttribute(REPLICA, report.replica())
                .setAttribute(STREAM, report.stream())
                .setAttribute(ATTEMPTS, (long) report.attempts().size())
                .setAttribute(EVENTS, report.events());
    }

    /** Whether the status of the report is the one that went out: one that broke had begun with another. */
    private static boolean sent(ExchangeReport report) {
        return report.result() != Result.BROKEN && report.result() != Result.CLIENT_LEFT;
    }

    /** A server's span is an error if the server failed, not if the client did (semantic conventions for HTTP). */
    private void judge(ExchangeReport report) {
        FailureKind failure = report.failure();
        if (failure != null) {
            span.setAttribute(FAILURE, failure.code());
        }
        if (report.result() == Result.BROKEN || report.status() >= 500) {
            span.setAttribute(ERROR, failure == null ? Integer.toString(report.status()) : failure.code());
            span.setStatus(StatusCode.ERROR);
        }
    }
}
