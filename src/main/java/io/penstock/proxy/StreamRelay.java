package io.penstock.proxy;

import io.vertx.core.Future;
import io.vertx.core.MultiMap;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.streams.ReadStream;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The client's side of one exchange: writes the head once, passes every chunk on as it comes, holds the replica back
 * while the client does not read, and ends in one of two ways: whole, or visibly cut. Nothing is buffered here; what the
 * kernel does not take stays with the replica. Confined to one event loop.
 */
final class StreamRelay {

    /** RFC 9113, section 7: INTERNAL_ERROR. Over HTTP/1.1 any code closes the connection without the last chunk. */
    private static final long INTERNAL_ERROR = 2;
    /** How long a client that is still sending gets to notice that it was answered already. */
    private static final long EARLY_ANSWER_MILLIS = 1_000;
    /** How long a last event may take to leave before the connection is cut all the same. */
    private static final long LAST_EVENT_MILLIS = 1_000;

    private static final Buffer WAITING = Buffer.buffer(": penstock: waiting for a replica\n\n");
    private static final Buffer FLOWING = Buffer.buffer(": penstock: waiting for the next event\n\n");

    private final Loop loop;
    private final HttpServerRequest request;
    private final HttpServerResponse response;
    private final String requestId;
    private final Runnable unread;
    private final Alarm slowReader;
    private long bytesOut;
    private long lastWriteNanos;
    private boolean begun;
    private @Nullable Decision explained;

    /** For an answer that is short enough to leave at once. */
    StreamRelay(Loop loop, HttpServerRequest request, String requestId) {
        this(loop, request, requestId, () -> {});
    }

    /** For an answer of any length; {@code unread} is told when the client has long taken nothing of it. */
    StreamRelay(Loop loop, HttpServerRequest request, String requestId, Runnable unread) {
        this.loop = loop;
        this.request = request;
        this.response = request.response();
        this.requestId = requestId;
        this.unread = unread;
        this.slowReader = new Alarm(loop.vertx());
    }

    boolean headSent() {
        return response.headWritten();
    }

    boolean closed() {
        return response.closed();
    }

    long bytesOut() {
        return bytesOut;
    }

    /** When the client was last sent something. */
    long lastWriteNanos() {
        return lastWriteNanos;
    }

    /** The head will say where the answer comes from, and why, if clients may know. No head of ours ever does. */
    void explain(@Nullable Decision decision) {
        explained = loop.config().explain().headers() ? decision : null;
    }

    private void explainInHead() {
        if (explained != null) {
            response.putHeader("x-penstock-replica", explained.replica())
                    .putHeader("x-penstock-reason", explained.why());
        }
    }

    /** Sends the replica's head, unless a heartbeat has sent ours. It leaves together with the first chunk. */
    void head(HttpClientResponse from) {
        begun = true;
        if (headSent()) {
            return;
        }
        response.setStatusCode(from.statusCode()).setStatusMessage(from.statusMessage());
        MultiMap headers = response.headers();
        HeaderHygiene.toClient(from.headers(), headers);
        if (!headers.contains("x-request-id")) {
            headers.set("x-request-id", requestId);
        }
        explainInHead();
        boolean length = headers.contains("content-length");
        boolean bodiless = from.statusCode() == 204 || from.statusCode() == 304;
        if (!length && !bodiless) {
            frameWithoutLength();
        }
        closeIfLeaving();
    }

    /** Tells a waiting client that the line is alive. If nothing was sent before, the status is 200 now, and the head ours. */
    void heartbeat() {
        Buffer comment = begun ? FLOWING : WAITING;
        if (!headSent()) {
            response.setStatusCode(200)
                    .putHeader("content-type", "text/event-stream; charset=utf-8")
                    .putHeader("x-request-id", requestId);
            frameWithoutLength();
            closeIfLeaving();
        }
        if (!response.closed() && !response.writeQueueFull()) {
            send(comment);
        }
    }

    /** Chunked for HTTP/1.1; for HTTP/1.0 the end of the connection is the end of the answer (RFC 9112, section 6.3). */
    private void frameWithoutLength() {
        if (request.version() == HttpVersion.HTTP_1_0) {
            response.headersEndHandler(v -> response.headers().set("connection", "close"));
        } else {
            response.setChunked(true);
        }
    }

    private void closeIfLeaving() {
        if (loop.shared().lifecycle().leaving()) {
            response.headersEndHandler(v -> response.headers().set("connection", "close"));
        }
    }

    /** An HTTP/1.0 client was told no length: the end of the connection is the end of the answer. */
    private boolean mustCloseAfter() {
        return request.version() == HttpVersion.HTTP_1_0 && !response.headers().contains("content-length");
    }

    /** Passes a chunk on. The source is paused until the client has taken what it was sent. */
    void write(Buffer chunk, ReadStream<?> source) {
        if (response.closed() || chunk.length() == 0) {
            return;
        }
        send(chunk);
        if (response.writeQueueFull()) {
            source.pause();
            watchReader();
            response.drainHandler(v -> {
                slowReader.cancel();
                source.resume();
            });
        }
    }

    /** Every time it takes something, it may take its time again. */
    private void watchReader() {
        Duration patience = loop.config().timeouts().slowReader();
        if (!patience.isZero()) {
            slowReader.ring(patience, unread);
        }
    }

    /** The exchange is over: the client is not watched any more. */
    void stop() {
        slowReader.cancel();
    }

    private void send(Buffer chunk) {
        bytesOut += chunk.length();
        lastWriteNanos = loop.now();
        response.write(chunk).onFailure(t -> {
            // The client has gone: its close handler tells the exchange.
        });
    }

    /** The whole answer has been passed on. The future tells whether the client took it. */
    Future<Void> end() {
        return ended(response.end());
    }

    /**
     * Passes an answer on that was kept back whole: as it came, or, if it was an error event, with its true status.
     *
     * @param why the row of the table it is in, which may add headers; null if it is none of ours
     * @return tells whether the client took it
     */
    Future<Void> answer(Answer answer, @Nullable FailureKind why) {
        Buffer body = answer.body();
        HttpClientResponse from = answer.head();
        if (from == null) {
            response.setStatusCode(answer.status())
                    .putHeader("content-type", "application/json")
                    .putHeader("x-request-id", requestId);
            explainInHead();
            closeIfLeaving();
        } else {
            head(from);
        }
        if (why != null) {
            Edge.refusalHeaders(why).forEach(extra -> {
                if (!response.headers().contains(extra.getKey())) {
                    response.putHeader(extra.getKey(), extra.getValue());
                }
            });
        }
        bytesOut += body.length();
        return ended(body.length() == 0 ? response.end() : response.end(body));
    }

    private Future<Void> ended(Future<Void> sent) {
        Future<Void> ended = sent;
        watchReader();
        if (mustCloseAfter()) {
            ended = ended.onComplete(done -> request.connection().close());
        }
        return ended;
    }

    /**
     * Ends an answer that broke, so that nobody can take it for whole: one last event if it is a stream, then the
     * connection is closed without the last chunk (RFC 9112, section 8).
     */
    void cut(@Nullable Buffer lastEvent) {
        if (response.closed()) {
            return;
        }
        if (lastEvent == null && mustCloseAfter()) {
            // The end of the connection would be a clean end: only a reset tells the truth.
            FrontConnections.reset(request.connection());
            return;
        }
        if (lastEvent == null || response.ended()) {
            reset();
            return;
        }
        bytesOut += lastEvent.length();
        long timer = loop.vertx().setTimer(LAST_EVENT_MILLIS, late -> reset());
        response.write(lastEvent).onComplete(sent -> {
            loop.vertx().cancelTimer(timer);
            reset();
        });
    }

    private void reset() {
        if (response.closed()) {
            return;
        }
        response.reset(INTERNAL_ERROR).onFailure(t -> {
            // Closed already.
        });
        // A reset waits behind unsent bytes: a client that does not read is closed from below.
        loop.vertx().setTimer(LAST_EVENT_MILLIS, late -> FrontConnections.kill(request.connection()));
    }

    /** Answers with an error of ours. */
    void refuse(int status, MultiMap extra, Buffer body) {
        answer(status, extra, "application/json", body);
    }

    /** Answers by ourselves. A client that is still sending its body gets the answer all the same. */
    void answer(int status, MultiMap extra, String contentType, Buffer body) {
        response.setStatusCode(status);
        response.headers().setAll(extra);
        if (!contentType.isEmpty()) {
            response.putHeader("content-type", contentType);
        }
        response.putHeader("x-request-id", requestId);
        closeIfLeaving();
        bytesOut += body.length();
        if (!request.isEnded() && hasBody()) {
            readAndDrop();
        }
        boolean close = mustCloseAfter() || "close".equals(response.headers().get("connection"));
        response.end(body).onComplete(done -> {
            if (close && request.isEnded()) {
                request.connection().close();
            }
        });
    }

    private boolean hasBody() {
        String length = request.getHeader("content-length");
        return length != null ? !length.equals("0") : request.headers().contains("transfer-encoding");
    }

    /**
     * Closing while the client still sends would reset its writes, and many libraries would report that instead of our
     * answer: so the rest is read and dropped for a moment, with pauses, since what is dropped is nobody's hurry.
     */
    private void readAndDrop() {
        response.putHeader("connection", "close");
        boolean[] closing = {false};
        long timer = loop.vertx().setTimer(EARLY_ANSWER_MILLIS, late -> {
            closing[0] = true;
            request.resume();
            request.connection().close();
        });
        request.handler(dropped -> {
            // What Vert.x holds for a paused reader it does not give back when the connection closes.
            if (!closing[0] && !response.closed()) {
                request.pause();
                loop.vertx().setTimer(1, pause -> request.resume());
            }
        });
        request.endHandler(end -> {
            loop.vertx().cancelTimer(timer);
            request.connection().close();
        });
        request.resume();
    }
}
