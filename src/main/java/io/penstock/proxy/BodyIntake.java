package io.penstock.proxy;

import io.penstock.admission.BodyBudget;
import io.vertx.core.Handler;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Takes in one request's body, whole, within the limits: its own size, the memory for all bodies, and the time between
 * two of its pieces. It is read whole before a replica is chosen, however large it is: so it can be sent a second time,
 * it can be asked for its model, and a client that uploads slowly holds no replica.
 *
 * <p>A body whose length is known is reserved whole before a byte of it is read, and waits a little for that if it must;
 * one of unknown length grows in steps, up to {@value #STEP_BYTES} bytes each, and is refused when it cannot. Never more
 * is allocated than is reserved. One that can never fit is refused at once. Confined to one event loop.
 */
final class BodyIntake {

    private static final int STEP_BYTES = 1 << 20;
    /** Most bodies of unknown length are chats: they should not claim the memory of two hundred. */
    private static final int FIRST_STEP_BYTES = 16 << 10;
    /** A paused client that has gone is not noticed while it has more to send, so waiting for memory is kept short. */
    private static final long MEMORY_WAIT_MILLIS = 5_000;

    private static final long MEMORY_RETRY_MILLIS = 50;

    private static final String MEMORY_FULL =
            "the memory for request bodies is taken at the moment (limits.bodyMemory); try again in a few seconds";

    private final Loop loop;
    private final HttpServerRequest request;
    private final BodyBudget budget;
    private final long limit;
    private final Handler<Buffer> whole;
    private final Handler<ProxyFailure> refused;

    // Until the body is whole: from then on it is the exchange's, and only the memory is ours to give back.
    private @Nullable BodyBlocks blocks = new BodyBlocks();
    private long length;
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
        long declared = Math.max(0, declaredLength());
        if (declared > mostBytes()) {
            refuse(FailureKind.BODY_TOO_LARGE, tooLarge(declared));
        } else if (budget.tryReserve(declared)) {
            reserved = declared;
            read();
        } else {
            request.pause();
            retryLater(declared);
        }
    }

    /** What can ever be taken in. */
    private long mostBytes() {
        return Math.min(limit, budget.largestBodyBytes());
    }

    private void retryLater(long declared) {
        loop.vertx().setTimer(MEMORY_RETRY_MILLIS, timer -> {
            waitedMillis += MEMORY_RETRY_MILLIS;
            if (over) {
                request.resume(); // What Vert.x holds for a paused reader it gives back to nobody else.
                return;
            }
            if (budget.tryReserve(declared)) {
                reserved = declared;
                read();
                request.resume();
            } else if (waitedMillis >= MEMORY_WAIT_MILLIS) {
                refuse(FailureKind.BODY_MEMORY_FULL, MEMORY_FULL);
            } else {
                retryLater(declared);
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
        request.endHandler(end -> complete());
    }

    private void complete() {
        BodyBlocks arrived = blocks;
        if (over || arrived == null) {
            return;
        }
        over = true;
        blocks = null;
        stopTimer();
        budget.release(reserved - length);
        reserved = length;
        whole.handle(arrived.whole());
    }

    /** Whether the client waits to be asked for its body (RFC 9110, section 10.1.1). */
    static boolean expectsContinue(HttpServerRequest request) {
        String expect = request.getHeader("expect");
        return expect != null && expect.toLowerCase(Locale.ROOT).contains("100-continue");
    }

    private void piece(Buffer piece) {
        BodyBlocks arriving = blocks;
        if (over || arriving == null) {
            return;
        }
        lastPieceNanos = loop.now();
        long size = length + piece.length();
        if (size > reserved && size > mostBytes()) {
            refuse(FailureKind.BODY_TOO_LARGE, tooLarge(size));
        } else if (size > reserved && !grow(size)) {
            refuse(FailureKind.BODY_MEMORY_FULL, MEMORY_FULL);
        } else {
            length = size;
            arriving.append(piece, reserved);
        }
    }

    /** By as much as there is already, so that few bytes claim little and many need few steps. */
    private boolean grow(long size) {
        long step = Math.max(FIRST_STEP_BYTES, Math.min(reserved, STEP_BYTES));
        long more = Math.max(size - reserved, Math.min(step, mostBytes() - reserved));
        if (!budget.tryGrow(reserved, more)) {
            return false;
        }
        reserved += more;
        return true;
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

    private String tooLarge(long size) {
        if (size > limit) {
            return "the request's body is larger than " + limit / 1024 + " KiB; see limits.body";
        }
        return "the request's body is larger than " + budget.largestBodyBytes() / 1024
                + " KiB, three quarters of the memory for all bodies; raise limits.bodyMemory or the heap (-Xmx)";
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
        blocks = null;
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
     * How much of the body has come in.
     *
     * @return bytes, also after the end
     */
    long length() {
        return length;
    }
}
