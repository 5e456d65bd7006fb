package io.penstock.health;

import io.penstock.config.Replica;
import io.penstock.health.HttpProbe.Kind;
import io.penstock.health.HttpProbe.Result;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpClosedException;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** One {@code GET /health} at one address. One use; confined to one event loop. */
final class HealthCall {

    private final Vertx vertx;
    private final Duration timeout;
    private final String address;
    private final Promise<Result> promise = Promise.promise();
    private final long timer;

    private @Nullable HttpClientRequest request;
    private boolean over;

    HealthCall(Vertx vertx, Duration timeout, String address) {
        this.vertx = vertx;
        this.timeout = timeout;
        this.address = address;
        this.timer = vertx.setTimer(HttpProbe.millis(timeout), id -> expire());
    }

    /**
     * Sends it.
     *
     * @param connecting the request, once there is a connection
     * @param replica whom it is for
     * @return a future that never fails
     */
    Future<Result> start(Future<HttpClientRequest> connecting, Replica replica) {
        connecting.onComplete(granted -> send(granted, replica), this::unreachable);
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
        granted.send().onComplete(this::head, this::broken);
    }

    private void head(HttpClientResponse response) {
        // Nobody wants the body, and one that never ends must not hold the connection.
        response.exceptionHandler(ours -> {});
        int status = response.statusCode();
        finish(
                status == 200
                        ? new Result(Kind.PASSED, "200", address)
                        : new Result(Kind.FAILED, "GET /health answered " + status, address));
        response.request().reset();
    }

    private void expire() {
        HttpClientRequest sent = request;
        if (sent == null) {
            finish(new Result(Kind.FAILED, "connecting took longer than " + inWords(timeout), null));
        } else {
            finish(new Result(Kind.NO_HEAD, "GET /health had no answer within " + inWords(timeout), address));
            sent.reset();
        }
    }

    private void unreachable(Throwable failure) {
        finish(
                failure instanceof TimeoutException
                        ? new Result(Kind.FAILED, "connecting took longer than " + inWords(timeout), null)
                        : resultOf(failure));
    }

    private void broken(Throwable failure) {
        finish(resultOf(failure));
    }

    private void finish(Result result) {
        if (!over) {
            over = true;
            vertx.cancelTimer(timer);
            promise.complete(result);
        }
    }

    private static Result resultOf(Throwable failure) {
        String message = String.valueOf(failure.getMessage());
        String lower = message.toLowerCase(Locale.ROOT);
        if (failure instanceof SSLException) {
            return new Result(Kind.FAILED, "TLS failed: " + message, null);
        }
        if (failure instanceof IOException && lower.contains("refused")) {
            return new Result(Kind.REFUSED, "connection refused", null);
        }
        if (failure instanceof IOException && (lower.contains("reset") || lower.contains("broken pipe"))) {
            return new Result(Kind.REFUSED, "connection reset", null);
        }
        // Also what a published container port does while nobody listens behind it.
        if (failure instanceof HttpClosedException || failure instanceof ClosedChannelException) {
            return new Result(Kind.REFUSED, "connection closed without an answer", null);
        }
        return new Result(Kind.FAILED, "probe failed: " + message, null);
    }

    private static String inWords(Duration duration) {
        return duration.toMillis() % 1000 == 0 ? duration.toSeconds() + " s" : duration.toMillis() + " ms";
    }
}
