package io.penstock.proxy;

import io.penstock.config.PenstockConfig;
import io.penstock.proxy.ApiTable.Match;
import io.penstock.proxy.ApiTable.Route;
import io.penstock.proxy.ExchangeReport.Result;
import io.penstock.selection.RequestTraits;
import io.penstock.upstream.UpstreamState;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The first thing a request meets: it gets an id, its framing and Host are checked, and the API table says whether it
 * may go on. Refusals are answered here. Confined to one event loop.
 */
final class Edge {

    private static final String REQUEST_ID = "x-request-id";

    private final Loop loop;
    private ApiTable table;
    private TrustedProxies trusted;

    Edge(Loop loop) {
        this.loop = loop;
        this.table = new ApiTable(loop.config().routes().allow());
        this.trusted = new TrustedProxies(loop.config().trust().proxies());
    }

    void reconfigure(PenstockConfig config) {
        table = new ApiTable(config.routes().allow());
        trusted = new TrustedProxies(config.trust().proxies());
    }

    /**
     * A request that may go on.
     *
     * @param request the request
     * @param requestId the client's id, or ours
     * @param route its row of the API table
     * @param path its target, taken apart
     * @param hop the connection it came by
     * @param client who sent it, before any proxies that are trusted
     * @param arrivedNanos when its head was there
     */
    record Admitted(
            HttpServerRequest request,
            String requestId,
            Route route,
            RequestPath path,
            HeaderHygiene.Hop hop,
            String client,
            long arrivedNanos) {

        /** What the replica is asked for: exactly what was matched, however the client spelled it. */
        String uri() {
            return (route.route().equals(path.decoded()) ? route.route() : path.raw()) + path.query();
        }

        /** How long the client will wait: OpenAI's clients say so in a header, in seconds. */
        Duration patience(Duration configured) {
            String said = request.getHeader("x-stainless-timeout");
            if (said == null) {
                return configured;
            }
            try {
                Duration own = Duration.ofMillis((long) (Double.parseDouble(said) * 1000));
                return own.isNegative() || own.isZero() || own.compareTo(configured) > 0 ? configured : own;
            } catch (NumberFormatException notANumber) {
                return configured;
            }
        }

        /** What will read its body. Must be called on the event loop; reading may be done elsewhere. */
        BodyTraits traits(Shared shared) {
            long seed = shared.seed();
            Caller caller = Caller.of(request.headers(), client, seed);
            boolean prompts = shared.room().predicts();
            return new BodyTraits(request.getHeader("content-type"), route.dialect(), caller, seed, prompts);
        }

        /** Its span; none for what Penstock answers by itself, which would fill traces with probes. */
        ExchangeSpan trace(ExchangeTracer tracer) {
            return switch (route.kind()) {
                case INFERENCE, PLAIN -> tracer.begin(request.method().name(), request.headers());
                case MODELS, MODEL, HEALTH, VERSION, LOAD -> ExchangeSpan.NONE;
            };
        }

        /** Copies its headers for the n-th attempt. */
        void toReplica(MultiMap from, MultiMap to, UpstreamState upstream, int number, AttemptSpan span) {
            String id = number == 1 ? requestId : requestId + "-" + number;
            HeaderHygiene.toReplica(
                    from, to, hop, id, upstream.identity().replica().apiKey());
            span.passOn(to);
        }

        Timeline.Facts facts(RequestTraits traits, long bytesIn) {
            return new Timeline.Facts(
                    requestId, hop.peer(), request.method().name(), route, traits.model(), traits.stream(), bytesIn);
        }

        /** What a refusal says beside its body. */
        MultiMap refusalHeaders(ProxyFailure failure) {
            MultiMap headers = Edge.refusalHeaders(failure.kind());
            if (failure.retryAfterSeconds() > 0) {
                headers.set("retry-after", String.valueOf(failure.retryAfterSeconds()));
            }
            return headers;
        }
    }

    /**
     * Checks a request.
     *
     * @param request a request whose head has just arrived
     * @param unaware whether its client could not know that Penstock is on its way down; it is served until the end
     * @return the request if it may go on; null if it was answered
     */
    @Nullable
    Admitted admit(HttpServerRequest request, boolean unaware) {
        loop.shared().observer().exchangeStarted();
        long now = loop.now();
        String said = request.getHeader(REQUEST_ID);
        String id = said != null && HeaderHygiene.acceptableRequestId(said)
                ? said
                : loop.shared().requestIds().get();
        String peer = request.connection().remoteAddress().hostAddress();
        String near = peer == null ? "unknown" : peer;
        RequestPath path = RequestPath.parse(request.uri());
        HeaderHygiene.Hop hop = new HeaderHygiene.Hop(
                near, trusted.contains(near), request.isSSL() ? "https" : "http", request.getHeader("host"));
        Match match = path == null ? null : table.match(request.method().name(), path.decoded());
        Route route = match == null ? ApiTable.OTHER : match.route();
        String client = hop.trusted() ? trusted.client(near, request.headers().getAll("x-forwarded-for")) : near;
        Admitted admitted =
                new Admitted(request, id, route, path == null ? RequestPath.UNREADABLE : path, hop, client, now);
        ProxyFailure refusal = refusal(request, match, unaware);
        if (refusal == null) {
            return admitted;
        }
        refuse(admitted, refusal, match == null ? "" : match.allow());
        return null;
    }

    private @Nullable ProxyFailure refusal(HttpServerRequest request, @Nullable Match match, boolean unaware) {
        if (!unaware && loop.shared().lifecycle().phase() == Lifecycle.Phase.CLOSING) {
            return new ProxyFailure(FailureKind.SHUTTING_DOWN, "this Penstock is shutting down; connect again");
        }
        if (badHost(request)) {
            return new ProxyFailure(FailureKind.MALFORMED, "want exactly one Host header (RFC 9112, section 3.2)");
        }
        if (badFraming(request)) {
            return new ProxyFailure(
                    FailureKind.MALFORMED, "want no transfer coding but chunked (RFC 9112, section 6.1)");
        }
        if (match == null) {
            return new ProxyFailure(FailureKind.NOT_FOUND, "no such path");
        }
        FailureKind kind = match.refusal();
        if (kind == null) {
            return null;
        }
        return new ProxyFailure(
                kind,
                switch (kind) {
                    case CONTROL_ENDPOINT ->
                        "this is a control endpoint of vLLM and is not reachable through Penstock;"
                                + " call the replica itself";
                    case METHOD_NOT_ALLOWED -> "this path knows " + match.allow();
                    default -> "no such path in the inference API; routes.allow opens others";
                });
    }

    private static boolean badHost(HttpServerRequest request) {
        List<String> hosts = request.headers().getAll("host");
        return hosts.size() > 1 || (hosts.isEmpty() && request.version() == HttpVersion.HTTP_1_1);
    }

    /** The codec takes what it does not know for "no body", and what follows for the next request. */
    private static boolean badFraming(HttpServerRequest request) {
        List<String> codings = request.headers().getAll("transfer-encoding");
        return !codings.isEmpty()
                && (codings.size() > 1
                        || !codings.get(0).equalsIgnoreCase("chunked")
                        || request.version() == HttpVersion.HTTP_1_0);
    }

    /** Answers with a failure and reports it. */
    void refuse(Admitted admitted, ProxyFailure failure, String allow) {
        FailureKind kind = failure.kind();
        StreamRelay relay = new StreamRelay(loop, admitted.request(), admitted.requestId());
        MultiMap headers = refusalHeaders(kind);
        if (!allow.isEmpty()) {
            headers.set("allow", allow);
        }
        admitted.request().response().exceptionHandler(t -> {});
        relay.refuse(
                kind.status(),
                headers,
                ErrorShape.body(admitted.route().dialect(), kind.status(), kind.code(), failure.text()));
        loop.report(new Timeline(
                        admitted.arrivedNanos(),
                        null,
                        admitted.trace(loop.shared().tracer()))
                .report(
                        admitted.facts(RequestTraits.NONE, 0),
                        Result.REFUSED,
                        kind,
                        kind.status(),
                        null,
                        0,
                        relay.bytesOut(),
                        loop.now()));
    }

    /** Answers a request that never got as far as being admitted: one that the codec or the router refused. */
    void refuseUnread(HttpServerRequest request, ProxyFailure failure) {
        loop.shared().observer().exchangeStarted();
        String peer = request.connection().remoteAddress().hostAddress();
        HeaderHygiene.Hop hop = new HeaderHygiene.Hop(peer == null ? "unknown" : peer, false, "http", null);
        Admitted unread = new Admitted(
                request,
                loop.shared().requestIds().get(),
                ApiTable.OTHER,
                RequestPath.UNREADABLE,
                hop,
                hop.peer(),
                loop.now());
        refuse(unread, failure, "");
    }

    static MultiMap refusalHeaders(FailureKind kind) {
        MultiMap headers = MultiMap.caseInsensitiveMultiMap();
        switch (kind) {
            case UPSTREAM_BUSY, TOLD_TO_STOP, ENGINE_DEAD -> headers.set("retry-after", "1");
            case NO_REPLICA, OWNER_DOWN -> headers.set("retry-after", "5");
            case BODY_MEMORY_FULL -> headers.set("retry-after", "2");
            case SHUTTING_DOWN -> headers.set("retry-after", "1").set("connection", "close");
            case MALFORMED, CLIENT_TOO_SLOW, HEADERS_TOO_LARGE, REQUEST_LINE_TOO_LONG ->
                headers.set("connection", "close");
            case POISON, POISON_BODY -> headers.set("x-should-retry", "false");
            default -> {}
        }
        return headers;
    }
}
