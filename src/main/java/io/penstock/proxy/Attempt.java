package io.penstock.proxy;

import io.penstock.upstream.Lease;
import io.penstock.upstream.Outcome;
import io.penstock.upstream.UpstreamState;
import io.vertx.core.AsyncResult;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import org.jspecify.annotations.Nullable;

/**
 * One try at one replica, up to its first output, and the relay of what follows. Until output was seen nothing of the
 * answer has left, so the exchange may drop this attempt and make another.
 *
 * <p>An attempt that is given up is reset, never drained: vLLM stops working for it when the connection closes. A reset
 * calls back before it returns, so every callback first asks whether the attempt is over. Confined to one event loop.
 */
final class Attempt {

    /** An answer that is no stream is kept up to this size before it is passed on, so that a cut one is made good. */
    private static final int COLLECT_BYTES = 1 << 20;
    /** What may precede the first output of a stream: comments and a few typed events. More is passed on as it comes. */
    private static final int PREAMBLE_BYTES = 256 << 10;

    /** A kept connection that the replica had closed before we sent shows it at once; one that dies later was alive. */
    private static final long STALE_NANOS = 200_000_000;

    /** Half an event is kept back up to this size; a larger one is passed on as it comes. */
    private static final int HALF_EVENT_BYTES = 256 << 10;

    private final Exchange exchange;
    private final Loop loop;
    private final Lease lease;
    private final int number;
    private final SseScanner scanner = new SseScanner();

    private @Nullable HttpClientRequest request;
    private @Nullable HttpClientResponse response;
    private @Nullable Buffer held = Buffer.buffer(0);
    private @Nullable Buffer halfEvent;
    private boolean reusedConnection;
    private boolean stream;
    private boolean over;
    private long sentNanos;
    private long connectNanos = -1;
    private long headNanos = -1;

    Attempt(Exchange exchange, Loop loop, Lease lease, int number) {
        this.exchange = exchange;
        this.loop = loop;
        this.lease = lease;
        this.number = number;
    }

    UpstreamState upstream() {
        return lease.upstream();
    }

    boolean outputSeen() {
        return held == null;
    }

    boolean isStream() {
        return stream;
    }

    long events() {
        return stream ? scanner.events() : 0;
    }

    void start() {
        loop.dial(upstream(), exchange.method(), exchange.uri()).onComplete(this::dialled);
    }

    private void dialled(AsyncResult<HttpClientRequest> dialled) {
        HttpClientRequest opened = dialled.result();
        if (over) {
            if (opened != null) {
                opened.reset(); // Unsent: the connection goes back to the pool unharmed.
            }
            return;
        }
        if (opened == null) {
            over = true;
            ProxyFailure failure = dialled.cause() instanceof ProxyFailure known
                    ? known
                    : new ProxyFailure(FailureKind.INTERNAL, "could not reach a replica");
            exchange.attemptFailed(this, failure.kind(), failure.text());
            return;
        }
        connectNanos = loop.now() - lease.startNanos();
        exchange.connected();
        request = opened;
        reusedConnection = loop.reused(opened.connection());
        sentNanos = loop.now();
        exchange.writeHeaders(opened.headers(), upstream(), number);
        opened.send(exchange.body()).onComplete(this::answered);
    }

    private void answered(AsyncResult<HttpClientResponse> answered) {
        if (over) {
            return;
        }
        HttpClientResponse head = answered.result();
        if (head == null) {
            broken();
            return;
        }
        response = head;
        headNanos = loop.now() - lease.startNanos();
        exchange.headArrived();
        String type = head.getHeader("content-type");
        stream = head.statusCode() == 200
                && type != null
                && type.startsWith("text/event-stream")
                && head.getHeader("content-encoding") == null;
        head.exceptionHandler(t -> broken());
        head.endHandler(end -> ended(head));
        head.handler(chunk -> chunk(head, chunk));
    }

    private void chunk(HttpClientResponse from, Buffer chunk) {
        if (over) {
            return;
        }
        upstream().progressed(loop.now());
        if (stream) {
            scanner.scan(chunk);
        }
        Buffer kept = held;
        if (kept == null) {
            pass(from, chunk);
            return;
        }
        kept.appendBuffer(chunk);
        boolean output =
                stream ? scanner.outputSeen() || kept.length() > PREAMBLE_BYTES : kept.length() > COLLECT_BYTES;
        if (output) {
            release(from, kept);
        }
    }

    /** The point of no return: the replica's head and what was kept go out, and no other attempt follows. */
    private void release(HttpClientResponse from, Buffer kept) {
        held = null;
        if (!stream && exchange.headIsOurs()) {
            abandon(Outcome.COMPLETED);
            exchange.answeredTooLate(this, from.statusCode(), kept);
            return;
        }
        exchange.outputBegins(from);
        pass(from, kept);
    }

    /** Passes whole events on at once. Half an event waits for its end: if that never comes, an error event may follow. */
    private void pass(HttpClientResponse from, Buffer fresh) {
        long half = stream && scanner.unfinishedBytes() <= HALF_EVENT_BYTES ? scanner.unfinishedBytes() : 0;
        Buffer begun = halfEvent;
        if (begun == null && half == 0) {
            exchange.relay().write(fresh, from);
            return;
        }
        Buffer all = (begun == null ? Buffer.buffer() : begun).appendBuffer(fresh);
        int whole = all.length() - (int) half;
        halfEvent = half == 0 ? null : whole == 0 ? all : all.getBuffer(whole, all.length());
        if (whole > 0) {
            exchange.relay().write(half == 0 ? all : all.getBuffer(0, whole), from);
        }
    }

    private void ended(HttpClientResponse from) {
        if (over) {
            return;
        }
        Buffer kept = held;
        if (kept != null) {
            release(from, kept);
        }
        if (!over) {
            over = true;
            Buffer begun = halfEvent;
            if (begun != null) {
                exchange.relay().write(begun, from); // A clean end without the last newline.
            }
            lease.end(Outcome.COMPLETED);
            exchange.attemptEnded(this, from.statusCode());
        }
    }

    private void broken() {
        if (over) {
            return;
        }
        over = true;
        reset();
        String name = upstream().name();
        if (outputSeen()) {
            exchange.attemptFailed(
                    this, FailureKind.DIED_MID_STREAM, "replica " + name + " died in the middle of its answer");
        } else if (headNanos >= 0 && !stream) {
            exchange.attemptFailed(this, FailureKind.CUT_BEFORE_RELAY, "replica " + name + " cut its answer short");
        } else if (headNanos < 0 && reusedConnection && loop.now() - sentNanos < STALE_NANOS) {
            exchange.attemptFailed(this, FailureKind.STALE_CONNECTION, "replica " + name + " closed a kept connection");
        } else {
            exchange.attemptFailed(
                    this, FailureKind.DIED_BEFORE_OUTPUT, "replica " + name + " closed the connection without output");
        }
    }

    /** Gives up: whatever the replica is doing for this attempt, it stops. */
    void abandon(Outcome outcome) {
        if (over) {
            return;
        }
        over = true;
        reset();
        lease.end(outcome);
    }

    private void reset() {
        HttpClientResponse head = response;
        if (head != null) {
            // What Vert.x holds for a paused reader it does not give back when the connection closes.
            head.resume();
        }
        HttpClientRequest sent = request;
        if (sent != null) {
            sent.reset();
        }
    }

    /** Ends the lease of an attempt that failed by itself. */
    void endLease(Outcome outcome) {
        lease.end(outcome);
    }

    AttemptReport report(@Nullable FailureKind failure) {
        return new AttemptReport(upstream().name(), failure, connectNanos, headNanos, loop.now() - lease.startNanos());
    }
}
