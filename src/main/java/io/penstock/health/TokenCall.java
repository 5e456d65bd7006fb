package io.penstock.health;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.penstock.config.Replica;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** One request for the least that an engine can make, at one address. One use; confined to one event loop. */
final class TokenCall {

    /** What came of it. */
    enum Kind {
        /** Status 200: the engine made what was asked for, since only then is it sent. */
        MADE,
        /** Any other 4xx: the server in front of the engine does not take this request. Says nothing of the engine. */
        NOT_TAKEN,
        /** No answer in time, or an error: says nothing for it. */
        NOTHING
    }

    private final Vertx vertx;
    private final Promise<Kind> promise = Promise.promise();
    private final long timer;

    private @Nullable HttpClientRequest request;
    private boolean over;

    TokenCall(Vertx vertx, Duration timeout) {
        this.vertx = vertx;
        this.timer = vertx.setTimer(HttpProbe.millis(timeout), id -> finish(Kind.NOTHING));
    }

    /**
     * Sends it.
     *
     * @param connecting the request, once there is a connection
     * @param replica whom it is for
     * @param body the request, as JSON
     * @return a future that never fails
     */
    Future<Kind> start(Future<HttpClientRequest> connecting, Replica replica, String body) {
        connecting.onComplete(granted -> send(granted, replica, body), failure -> finish(Kind.NOTHING));
        return promise.future();
    }

    private void send(HttpClientRequest granted, Replica replica, String body) {
        granted.exceptionHandler(seenInTheFuture -> {});
        granted.connection().exceptionHandler(seenInTheFuture -> {});
        if (over) {
            granted.reset();
            return;
        }
        request = granted;
        HttpProbe.introduce(granted, replica);
        granted.putHeader(HttpHeaderNames.CONTENT_TYPE, "application/json");
        granted.send(Buffer.buffer(body)).onComplete(this::head, failure -> finish(Kind.NOTHING));
    }

    private void head(HttpClientResponse response) {
        response.exceptionHandler(ours -> {});
        int status = response.statusCode();
        boolean refused = status >= 400 && status < 500 && status != 408 && status != 429;
        finish(status == 200 ? Kind.MADE : refused ? Kind.NOT_TAKEN : Kind.NOTHING);
    }

    private void finish(Kind kind) {
        if (over) {
            return;
        }
        over = true;
        vertx.cancelTimer(timer);
        promise.complete(kind);
        if (request != null) {
            request.reset();
        }
    }
}
