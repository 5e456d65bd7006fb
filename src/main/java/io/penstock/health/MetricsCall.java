package io.penstock.health;

import io.penstock.config.Replica;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** One {@code GET /metrics} at one address, bounded in time and size. One use; confined to one event loop. */
final class MetricsCall {

    /** A vLLM has 70 kB; what is longer is not read to its end. */
    private static final int MAX_BYTES = 1 << 20;

    private final Vertx vertx;
    private final Promise<@Nullable GaugeScanner> promise = Promise.promise();
    private final GaugeScanner scanner = new GaugeScanner();
    private final long timer;

    private @Nullable HttpClientRequest request;
    private int bytes;
    private boolean over;

    MetricsCall(Vertx vertx, Duration timeout) {
        this.vertx = vertx;
        this.timer = vertx.setTimer(HttpProbe.millis(timeout), id -> finish(null));
    }

    /**
     * Sends it.
     *
     * @param connecting the request, once there is a connection
     * @param replica whom it is for
     * @return a future that never fails: what was read, null if it was not an answer with status 200 that ended
     */
    Future<@Nullable GaugeScanner> start(Future<HttpClientRequest> connecting, Replica replica) {
        connecting.onComplete(granted -> send(granted, replica), failure -> finish(null));
        return promise.future();
    }

    private void send(HttpClientRequest granted, Replica replica) {
        granted.exceptionHandler(seenInTheFuture -> {});
        // Else Vert.x logs an error with its stack for every answer that is not HTTP.
        granted.connection().exceptionHandler(seenInTheFuture -> {});
        if (over) {
            granted.reset();
            return;
        }
        request = granted;
        HttpProbe.introduce(granted, replica);
        granted.send().onComplete(this::head, failure -> finish(null));
    }

    private void head(HttpClientResponse response) {
        response.exceptionHandler(failure -> finish(null));
        if (response.statusCode() != 200) {
            finish(null);
            return;
        }
        response.handler(this::part);
        response.endHandler(end -> finish(scanner));
    }

    private void part(Buffer part) {
        if (over) {
            return;
        }
        bytes += part.length();
        if (bytes > MAX_BYTES) {
            finish(null);
        } else {
            scanner.feed(part.getBytes());
        }
    }

    private void finish(@Nullable GaugeScanner read) {
        if (over) {
            return;
        }
        over = true;
        vertx.cancelTimer(timer);
        promise.complete(read);
        if (request != null) {
            request.reset();
        }
    }
}
