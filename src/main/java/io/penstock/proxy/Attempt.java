package io.penstock.proxy;

import io.penstock.proxy.ApiTable.Dialect;
import io.penstock.upstream.Lease;
import io.penstock.upstream.Outcome;
import io.penstock.upstream.UpstreamState;
import io.vertx.core.AsyncResult;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import java.time.Duration;
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
    private final StreamRelay relay;
    private final Lease lease;
    private final int number;
    private final SseScanner scanner;
    private final Silence silence = new Silence();

    private AttemptSpan span = AttemptSpan.NONE;
    private @Nullable HttpClientRequest request;
    private @Nullable HttpClientResponse response;
    // Of the answer, what was not passed on yet: all of it until the first output, then the event that has not ended.
    private Buffer kept = Buffer.buffer(0);
    // Where in it the event begins that has not ended.
    private int eventStart;
    // How much of an answer without output the observer knows of.
    private long heldBytes;
    private boolean released;
    private boolean torn;
    private boolean reusedConnection;
    private boolean stream;
    private boolean over;
    private long sentNanos;
    private long connectNanos = -1;
    private long headNanos = -1;

    Attempt(Exchange exchange, Loop loop, StreamRelay relay, Dialect dialect, Lease lease, int number) {
        this.exchange = exchange;
        this.loop = loop;
        this.relay = relay;
        this.lease = lease;
        this.number = number;
        this.scanner = new SseScanner(dialect);
    }

    UpstreamState upstream() {
        return lease.upstream();
    }

    Lease lease() {
        return lease;
    }

    /** Which try this is, from 1. */
    int number() {
        return number;
    }

    AttemptSpan span() {
        return span;
    }

    /** Before it starts. */
    void traced(AttemptSpan by) {
        span = by;
    }

    boolean onTrial() {
        return lease.onTrial();
    }

    boolean isStream() {
        return stream;
    }

    long events() {
        return stream ? scanner.events() : 0;
    }

    /** Whether a comment may be put into what the client has got. */
    boolean betweenEvents() {
        return stream && scanner.betweenEvents();
    }

    /** Whether the client has got the beginning of an event without its end. */
    boolean isTorn() {
        return torn;
    }

    /** How far it is. */
    Phase phase() {
        if (request == null) {
            return Phase.CONNECT;
        }
        return response == null ? Phase.HEAD : Phase.PREFILL;
    }

    /** Whether its replica is out of rotation and silent for too long. Asked now and then. */
    boolean isLost(Duration stall) {
        return silence.lasts(upstream(), stall, loop.now());
    }

    void start() {
        silence.heard(loop.now());
        exchange.dial(upstream()).onComplete(this::dialled);
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
        request = opened;
        reusedConnection = loop.reused(opened.connection());
        sentNanos = loop.now();
        silence.heard(sentNanos);
        exchange.send(opened, this).onComplete(this::answered);
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
        span.head(head.statusCode());
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
        silence.heard(loop.now());
        upstream().progressed(silence.heardNanos());
        if (stream) {
            events(from, chunk);
            return;
        }
        if (from.statusCode() < 400) {
            lease.output(silence.heardNanos());
        }
        if (released) {
            relay.write(chunk, from);
        } else {
            kept.appendBuffer(chunk);
            held(kept.length());
            if (kept.length() > COLLECT_BYTES) {
                release(from, kept, kept.length());
            }
        }
    }

    private void events(HttpClientResponse from, Buffer chunk) {
        int before = kept.length();
        int start = eventStart;
        for (int end = scanner.next(chunk, 0); end >= 0; end = scanner.next(chunk, end)) {
            if (scanner.event() == SseScanner.Event.ERROR) {
                saidError(from, joined(chunk), start, before + end);
                return;
            }
            if (scanner.event() == SseScanner.Event.OUTPUT) {
                lease.output(silence.heardNanos());
            }
            start = before + end;
            torn = false;
        }
        Buffer all = joined(chunk);
        boolean output = released || scanner.outputSeen() || all.length() > PREAMBLE_BYTES;
        if (!output) {
            kept = all;
            eventStart = start;
            held(all.length());
        } else if (torn || all.length() - start > HALF_EVENT_BYTES) {
            torn = true;
            release(from, all, all.length());
        } else {
            release(from, all, start);
        }
    }

    private void held(long bytes) {
        if (bytes != heldBytes) {
            loop.shared().observer().answerHeld(bytes - heldBytes);
            heldBytes = bytes;
        }
    }

    /** What is kept, and this. */
    private Buffer joined(Buffer chunk) {
        if (kept.length() == 0 && released) {
            return chunk;
        }
        return kept.appendBuffer(chunk);
    }

    /** Passes the beginning on and keeps the rest. The first time is the point of no return: no attempt follows. */
    private void release(HttpClientResponse from, Buffer all, int end) {
        if (!released) {
            released = true;
            held(0);
            if (!stream && exchange.headIsOurs()) {
                // It is too long to be kept and cannot be passed on either.
                abandon(Outcome.COMPLETED);
                exchange.attemptAnswered(this, null, new Answer(upstream(), from.statusCode(), from, all));
                return;
            }
            upstream().conduct().ramp().firstOutput();
            exchange.outputBegins(this, from, stream);
        }
        eventStart = 0;
        kept = end == all.length() ? Buffer.buffer(0) : all.getBuffer(end, all.length());
        relay.write(end == all.length() ? all : all.getBuffer(0, end), from);
    }

    /** The replica says in its stream that it failed. Whatever follows, it is not an answer. */
    private void saidError(HttpClientResponse from, Buffer all, int start, int end) {
        Buffer event = all.getBuffer(start, end);
        String data = Symptom.dataOf(event);
        int code = Symptom.codeOf(data);
        if (released) {
            release(from, all, start);
        }
        over = true;
        reset();
        if (!released) {
            says(code);
            Answer answer = new Answer(upstream(), code, null, Buffer.buffer(data));
            exchange.attemptAnswered(this, Symptom.ofEvent(code, data), answer);
            return;
        }
        if (code < 500) {
            endLease(Outcome.IGNORED); // The request's own mistake, found late.
        }
        String text = "replica " + upstream().name() + " failed in the middle of its answer";
        exchange.attemptBroke(this, event, new ProxyFailure(FailureKind.IN_BAND_ERROR_MID_STREAM, text));
    }

    private void ended(HttpClientResponse from) {
        if (over) {
            return;
        }
        String name = upstream().name();
        if (!stream && !released) {
            over = true;
            int status = from.statusCode();
            says(status);
            exchange.attemptAnswered(this, Symptom.ofAnswer(status, kept), new Answer(upstream(), status, from, kept));
        } else if (!stream || scanner.complete()) {
            whole(from);
        } else if (released) {
            over = true;
            exchange.attemptFailed(
                    this,
                    FailureKind.ENDED_WITHOUT_MARKER,
                    "replica " + name + " ended its answer before it was whole");
        } else {
            over = true;
            exchange.attemptFailed(
                    this, FailureKind.DIED_BEFORE_OUTPUT, "replica " + name + " ended its answer without output");
        }
    }

    private void whole(HttpClientResponse from) {
        if (stream) {
            release(from, kept, kept.length());
        }
        over = true;
        endLease(Outcome.COMPLETED);
        exchange.attemptEnded(this, from.statusCode());
    }

    private void broken() {
        if (over) {
            return;
        }
        HttpClientResponse head = response;
        if (head != null && stream && scanner.complete()) {
            whole(head); // Nothing is missing but the last chunk.
            reset();
            return;
        }
        over = true;
        reset();
        String name = upstream().name();
        if (released) {
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
        endLease(outcome);
    }

    /** A whole answer has this status: what it says of the replica's engine. */
    private void says(int status) {
        if (status >= 400) {
            lease.provesNothing();
        } else {
            upstream().conduct().ramp().firstOutput();
        }
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

    /** Gives the place back, and tells the probe verticle if that is news. */
    void endLease(Outcome outcome) {
        lease.end(outcome);
        if (outcome == Outcome.FAILED || lease.onTrial()) {
            loop.incident(upstream());
        }
    }

    /** It is over: how it went. Whatever is kept of its answer is somebody else's now. */
    AttemptReport report(@Nullable FailureKind failure) {
        held(0);
        return new AttemptReport(upstream().name(), failure, connectNanos, headNanos, loop.now() - lease.startNanos());
    }
}
