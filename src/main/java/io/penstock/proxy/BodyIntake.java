package io.penstock.proxy;

import io.penstock.admission.BodyBudget;
import io.vertx.core.Handler;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import java.util.Locale;

/**
 * Takes in one request's body, whole, within the limits: its own size, the memory for all bodies, and the time between
 * two of its pieces. A body whose length is known is reserved whole before a byte of it is read; one of unknown length
 * grows by {@value #STEP_BYTES} bytes and is refused when it cannot. Confined to one event loop.
 */
final class BodyIntake {

    private static final int STEP_BYTES = 1 << 20;
    /** A paused client that has gone is not noticed while it has more to send, so waiting for memory is kept short. */
    private static final long MEMORY_WAIT_MILLIS = 5_000;

    private static final long MEMORY_RETRY_MILLIS = 50;

    private final Loop loop;
    private final HttpServerRequest request;
    private final BodyBudget budget;
    private final long limit;
    private final Handler<Buffer> whole;
    private final Handler<ProxyFailure> refused;
    private final Buffer body = Buffer.buffer();

    private long reserved;
    private long waitedMillis;
    private long lastPieceNanos;
    private long silenceTimer = -1;
    private boolean over;

    BodyIntake(Loop loop, HttpServerRequest request, Handler<Buffer> whole, Handler<ProxyFailure> refused) {
        this.loop = loop;
        this.request = request;
        this.budget = loop.shared().bodies();
        this.limit = loop.config().limits().bodyBytes();
        this.whole = whole;
        this.refused = refused;
    }

    /** Begins. Must run in the turn in which the request arrived. */
    void start() {
        long length = Math.max(0, declaredLength());
        if (length > limit) {
            refuse(FailureKind.BODY_TOO_LARGE, tooLarge());
        } else if (budget.tryReserve(length)) {
            reserved = length;
            read();
        } else {
            request.pause();
            retryLater(length);
        }
    }

    private void retryLater(long length) {
        loop.vertx().setTimer(MEMORY_RETRY_MILLIS, timer -> {
            waitedMillis += MEMORY_RETRY_MILLIS;
            if (over) {
                return;
            }
            if (budget.tryReserve(length)) {
                reserved = length;
                read();
                request.resume();
            } else if (waitedMillis >= MEMORY_WAIT_MILLIS) {
                refuse(FailureKind.BODY_MEMORY_FULL, "too many large requests at once; try again in a few seconds");
            } else {
                retryLater(length);
            }
        });
    }

    private void read() {
        if (expectsContinue(request)) {
            request.response().writeContinue();
        }
        lastPieceNanos = loop.now();
        watchSilence();
        request.handler(this::piece);
        request.endHandler(end -> {
            if (!over) {
                over = true;
                stopTimer();
                whole.handle(body);
            }
        });
    }

    /** Whether the client waits to be asked for its body (RFC 9110, section 10.1.1). */
    static boolean expectsContinue(HttpServerRequest request) {
        String expect = request.getHeader("expect");
        return expect != null && expect.toLowerCase(Locale.ROOT).contains("100-continue");
    }

    private void piece(Buffer piece) {
        if (over) {
            return;
        }
        lastPieceNanos = loop.now();
        long size = (long) body.length() + piece.length();
        if (size > limit) {
            refuse(FailureKind.BODY_TOO_LARGE, tooLarge());
            return;
        }
        if (size > reserved) {
            long more = Math.max(STEP_BYTES, size - reserved);
            if (!budget.tryReserve(more)) {
                refuse(FailureKind.BODY_MEMORY_FULL, "too many large requests at once; try again in a few seconds");
                return;
            }
            reserved += more;
        }
        body.appendBuffer(piece);
    }

    private void watchSilence() {
        long allowedMillis = loop.config().timeouts().clientBody().toMillis();
        if (allowedMillis <= 0) {
            return;
        }
        silenceTimer = loop.vertx().setTimer(allowedMillis, timer -> {
            if (loop.now() - lastPieceNanos >= allowedMillis * 1_000_000 - 1_000_000) {
                refuse(
                        FailureKind.CLIENT_TOO_SLOW,
                        "the request's body stopped coming for " + allowedMillis / 1000 + " s");
            } else {
                watchSilence();
            }
        });
    }

    private void refuse(FailureKind kind, String message) {
        if (!over) {
            stop();
            refused.handle(new ProxyFailure(kind, message));
        }
    }

    private String tooLarge() {
        return "the request's body is larger than " + limit / 1024 + " KiB; see limits.body";
    }

    private long declaredLength() {
        String length = request.getHeader("content-length");
        return length == null ? -1 : parsed(length);
    }

    private static long parsed(String length) {
        try {
            return Long.parseLong(length.trim());
        } catch (NumberFormatException e) {
            return -1; // The codec has refused real nonsense already.
        }
    }

    /** Ends the intake, whatever its state, and gives the memory back. May be called any number of times. */
    void stop() {
        over = true;
        stopTimer();
        budget.release(reserved);
        reserved = 0;
    }

    private void stopTimer() {
        if (silenceTimer >= 0) {
            loop.vertx().cancelTimer(silenceTimer);
            silenceTimer = -1;
        }
    }

    /**
     * The body, if it has come in whole.
     *
     * @return its length so far
     */
    long length() {
        return body.length();
    }
}
