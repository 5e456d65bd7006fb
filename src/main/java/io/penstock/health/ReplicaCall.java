package io.penstock.health;

import io.penstock.config.Replica;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * One question to one replica at one address, bounded in time. Its future never fails, and once it is complete nothing of
 * the call is left: an answer that never ends does not hold the connection. One use; confined to one event loop.
 *
 * @param <T> what is learned
 */
abstract class ReplicaCall<T> {

    private final Vertx vertx;
    private final @Nullable T nothing;
    private final Promise<T> promise = Promise.promise();
    private final long timer;

    private @Nullable HttpClientRequest request;
    private boolean over;

    /** {@code nothing} is what is learned from a call that fails or takes longer than {@code timeout}. */
    ReplicaCall(Vertx vertx, Duration timeout, @Nullable T nothing) {
        this.vertx = vertx;
        this.nothing = nothing;
        this.timer = vertx.setTimer(HttpProbe.millis(timeout), id -> expired(request != null));
    }

    /**
     * Sends it.
     *
     * @param connecting the request, once there is a connection
     * @param replica whom it is for
     * @return a future that never fails
     */
    final Future<T> start(Future<HttpClientRequest> connecting, Replica replica) {
        connecting.onComplete(granted -> granted(granted, replica), this::unreachable);
        return promise.future();
    }

    private void granted(HttpClientRequest granted, Replica replica) {
        granted.exceptionHandler(seenInTheFuture -> {});
        // Else Vert.x logs an error with its stack for every answer that is not HTTP.
        granted.connection().exceptionHandler(seenInTheFuture -> {});
        if (over) {
            granted.reset();
            return;
        }
        request = granted;
        HttpProbe.introduce(granted, replica);
        send(granted).onComplete(this::head, this::broken);
    }

    /** Asks. */
    Future<HttpClientResponse> send(HttpClientRequest granted) {
        return granted.send();
    }

    /** The answer begins. Ends the call, now or when its body is there. */
    abstract void head(HttpClientResponse response);

    /** The time is up. */
    void expired(boolean sent) {
        finish(nothing);
    }

    /** There is no connection. */
    void unreachable(Throwable failure) {
        finish(nothing);
    }

    /** The connection ended before the answer began. */
    void broken(Throwable failure) {
        finish(nothing);
    }

    final boolean over() {
        return over;
    }

    /** Ends the call; the second time does nothing. */
    final void finish(@Nullable T result) {
        if (over) {
            return;
        }
        over = true;
        vertx.cancelTimer(timer);
        promise.complete(result);
        HttpClientRequest sent = request;
        if (sent != null) {
            sent.reset();
        }
    }
}
