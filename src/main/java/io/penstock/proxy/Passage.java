package io.penstock.proxy;

import io.penstock.admission.Ticket;
import io.penstock.admission.Tried;
import io.penstock.proxy.ExchangeReport.Result;
import io.penstock.selection.RequestTraits;
import io.penstock.upstream.Lease;
import io.penstock.upstream.Outcome;
import io.vertx.core.AsyncResult;
import io.vertx.core.Future;
import io.vertx.core.MultiMap;
import io.vertx.core.Promise;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.StreamResetException;
import io.vertx.httpproxy.Body;
import io.vertx.httpproxy.MediaType;
import io.vertx.httpproxy.ProxyRequest;
import io.vertx.httpproxy.ProxyResponse;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One request on its way through the plain proxy: its lease, its headers, its report. Confined to one event loop. */
final class Passage {

    private final Loop loop;
    private final Edge.Admitted admitted;
    private final Timeline timeline;

    private Tried tried = Tried.NOBODY;
    private int attempts;
    private int status;
    private boolean ended;
    private AttemptSpan span = AttemptSpan.NONE;
    private @Nullable Lease lease;
    private @Nullable ProxyFailure refusal;
    private @Nullable Ticket ticket;
    private @Nullable Promise<Lease> place;

    Passage(Loop loop, Edge.Admitted admitted) {
        this.loop = loop;
        this.admitted = admitted;
        this.timeline = new Timeline(
                admitted.arrivedNanos(), null, admitted.trace(loop.shared().tracer()));
    }

    /** What was matched is what is asked for, however the client spelled it. */
    void aim(ProxyRequest request) {
        request.setURI(admitted.uri());
    }

    /** Finds a replica that accepts a connection; until one does nothing was sent, so any method may go on. */
    Future<HttpClientRequest> dial(ProxyRequest request) {
        return place().compose(granted -> {
            lease = granted;
            attempts++;
            span = timeline.chose(granted, attempts, /* hedged= */ false);
            return loop.dialFresh(granted.upstream(), request.getMethod(), admitted.uri())
                    .compose(opened -> opened(request, opened, granted), cause -> unreachable(request, granted, cause));
        });
    }

    private Future<HttpClientRequest> opened(ProxyRequest request, HttpClientRequest opened, Lease granted) {
        if (ended) {
            opened.reset();
            return Future.failedFuture(clientGone());
        }
        timeline.connected(loop.now());
        MultiMap headers = request.headers();
        MultiMap original = MultiMap.caseInsensitiveMultiMap().addAll(headers);
        headers.clear();
        admitted.toReplica(original, headers, granted.upstream(), attempts, span);
        return Future.succeededFuture(opened);
    }

    private Future<HttpClientRequest> unreachable(ProxyRequest request, Lease granted, Throwable cause) {
        FailureKind kind = cause instanceof ProxyFailure known ? known.kind() : FailureKind.INTERNAL;
        granted.end(Outcome.FAILED);
        if (!ended) {
            ended(granted, kind);
        }
        tried = tried.untilProbed(granted.upstream());
        lease = null;
        return ended || kind == FailureKind.INTERNAL ? Future.failedFuture(cause) : dial(request);
    }

    private Future<Lease> place() {
        Lease free = loop.shared().room().lease(RequestTraits.NONE, tried);
        if (free != null) {
            return Future.succeededFuture(free);
        }
        timeline.waits(loop.now());
        Promise<Lease> promise = Promise.promise();
        place = promise; // Whoever leaves meanwhile fails it.
        Duration patience = admitted.patience(loop.config().admission().maxWait());
        long timer = loop.vertx()
                .setTimer(
                        Math.max(1, patience.toMillis()),
                        late -> promise.tryFail(loop.waitedInVain(RequestTraits.NONE)));
        ticket = loop.shared().room().await(RequestTraits.NONE, tried, attempts > 0, loop::execute, granted -> {
            if (!promise.tryComplete(granted)) {
                granted.end(Outcome.IGNORED);
            }
        });
        if (ticket == null) {
            promise.tryFail(loop.turnedAway(RequestTraits.NONE));
        }
        return promise.future().onComplete(done -> {
            loop.vertx().cancelTimer(timer);
            timeline.leased(loop.now());
            leaveQueue();
        });
    }

    private void leaveQueue() {
        Ticket queued = ticket;
        ticket = null;
        if (queued != null) {
            queued.cancel();
        }
    }

    void headArrived(int code) {
        timeline.head(loop.now());
        span.head(code);
        status = code;
    }

    /** What the client gets when nothing came from a replica. */
    ProxyResponse refusal(ProxyRequest request, Throwable cause) {
        if (clientCaused(cause)) {
            clientLeft();
        }
        ProxyFailure failure = ended ? clientGone() : cause instanceof ProxyFailure known ? known : diedOrBug();
        refusal = failure;
        FailureKind kind = failure.kind();
        status = kind.status();
        ProxyResponse response = request.release().response().setStatusCode(kind.status());
        for (Map.Entry<String, String> header : admitted.refusalHeaders(failure)) {
            response.putHeader(header.getKey(), header.getValue());
        }
        return response.setBody(Body.body(
                ErrorShape.body(admitted.route().dialect(), kind.status(), kind.code(), failure.text()),
                MediaType.APPLICATION_JSON));
    }

    private ProxyFailure diedOrBug() {
        Lease held = lease;
        if (held == null) {
            return new ProxyFailure(FailureKind.INTERNAL, "something went wrong in Penstock; see its log");
        }
        String name = held.upstream().name();
        loop.doubt(held.upstream(), "closed the connection without an answer");
        return new ProxyFailure(FailureKind.DIED_BEFORE_OUTPUT, "replica " + name + " closed the connection");
    }

    /** RFC 9110, section 7.6.1, towards the client; Vert.x would pass them on. */
    void cleanHead(ProxyResponse response) {
        MultiMap headers = response.headers();
        MultiMap original = MultiMap.caseInsensitiveMultiMap().addAll(headers);
        headers.clear();
        HeaderHygiene.toClient(original, headers);
        if (!headers.contains("x-request-id")) {
            headers.set("x-request-id", admitted.requestId());
        }
        if (loop.shared().lifecycle().leaving()) {
            headers.set("connection", "close");
        }
    }

    void answered(AsyncResult<Void> sent) {
        ProxyFailure failure = refusal;
        if (failure != null) {
            finish(Result.REFUSED, failure.kind(), failure.kind().charged() ? Outcome.FAILED : Outcome.IGNORED);
        } else if (sent.succeeded()) {
            finish(status < 400 ? Result.COMPLETED : Result.UPSTREAM_ERROR, null, Outcome.COMPLETED);
        } else if (clientCaused(sent.cause())) {
            clientLeft();
        } else {
            finish(Result.BROKEN, FailureKind.DIED_MID_STREAM, Outcome.FAILED);
        }
    }

    /** When a client leaves, Vert.x resets the replica's request before it says so. Replicas on HTTP/1.1 never reset one. */
    private boolean clientCaused(Throwable cause) {
        return cause instanceof StreamResetException
                || admitted.request().response().closed();
    }

    void clientLeft() {
        status = FailureKind.CLIENT_LEFT.status();
        finish(Result.CLIENT_LEFT, FailureKind.CLIENT_LEFT, Outcome.IGNORED);
    }

    private static ProxyFailure clientGone() {
        return new ProxyFailure(FailureKind.CLIENT_LEFT, "the client left");
    }

    private void ended(Lease granted, @Nullable FailureKind kind) {
        long total = loop.now() - granted.startNanos();
        timeline.attempt(new AttemptReport(granted.upstream().name(), kind, -1, -1, total));
        span.ended(kind);
    }

    private void finish(Result result, @Nullable FailureKind failure, Outcome outcome) {
        if (ended) {
            return;
        }
        ended = true;
        Promise<Lease> waiting = place;
        if (waiting != null) {
            waiting.tryFail(clientGone());
        }
        Lease held = lease;
        if (held != null) {
            held.provesNothing();
            held.end(outcome);
            ended(held, failure);
        }
        String replica = held == null ? null : held.upstream().name();
        long bytesOut = admitted.request().response().bytesWritten();
        loop.report(timeline.report(
                admitted.facts(
                        RequestTraits.NONE, Math.max(0, admitted.request().bytesRead())),
                result,
                failure,
                status,
                replica,
                0,
                bytesOut,
                loop.now()));
    }
}
