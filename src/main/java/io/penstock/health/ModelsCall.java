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

/** One {@code GET /v1/models} at one address, bounded in time and size. One use; confined to one event loop. */
final class ModelsCall {

    private final Vertx vertx;
    private final Promise<ModelList> promise = Promise.promise();
    private final Buffer body = Buffer.buffer();
    private final int maxBytes;
    private final long timer;

    private @Nullable HttpClientRequest request;
    private boolean over;

    ModelsCall(Vertx vertx, Duration timeout, int maxBytes) {
        this.vertx = vertx;
        this.maxBytes = maxBytes;
        this.timer = vertx.setTimer(HttpProbe.millis(timeout), id -> finish(ModelList.SILENT));
    }

    /**
     * Sends it.
     *
     * @param connecting the request, once there is a connection
     * @param replica whom it is for
     * @return a future that never fails
     */
    Future<ModelList> start(Future<HttpClientRequest> connecting, Replica replica) {
        connecting.onComplete(granted -> send(granted, replica), failure -> finish(ModelList.SILENT));
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
        granted.send().onComplete(this::head, failure -> finish(ModelList.SILENT));
    }

    private void head(HttpClientResponse response) {
        response.exceptionHandler(failure -> finish(ModelList.SILENT));
        if (response.statusCode() != 200) {
            finish(ModelList.UNREADABLE);
            return;
        }
        response.handler(this::part);
        response.endHandler(end -> finish(ModelList.of(body.getBytes())));
    }

    private void part(Buffer part) {
        if (over) {
            return;
        }
        if (body.length() + part.length() > maxBytes) {
            finish(ModelList.UNREADABLE);
        } else {
            body.appendBuffer(part);
        }
    }

    private void finish(ModelList list) {
        if (over) {
            return;
        }
        over = true;
        vertx.cancelTimer(timer);
        promise.complete(list);
        if (request != null) {
            request.reset();
        }
    }
}
