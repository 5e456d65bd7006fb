package io.penstock.health;

import io.penstock.health.HttpProbe.Kind;
import io.penstock.health.HttpProbe.Result;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpClosedException;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLException;

/** One {@code GET /health}. Whatever goes wrong is a result, too. */
final class HealthCall extends ReplicaCall<HttpProbe.Result> {

    private final Duration timeout;
    private final String address;

    HealthCall(Vertx vertx, Duration timeout, String address) {
        super(vertx, timeout, null);
        this.timeout = timeout;
        this.address = address;
    }

    @Override
    void head(HttpClientResponse response) {
        response.exceptionHandler(ours -> {});
        int status = response.statusCode();
        finish(
                status == 200
                        ? new Result(Kind.PASSED, "200", address)
                        : new Result(Kind.FAILED, "GET /health answered " + status, address));
    }

    @Override
    void expired(boolean sent) {
        finish(
                sent
                        ? new Result(Kind.NO_HEAD, "GET /health had no answer within " + inWords(timeout), address)
                        : tooLate());
    }

    @Override
    void unreachable(Throwable failure) {
        finish(failure instanceof TimeoutException ? tooLate() : resultOf(failure));
    }

    @Override
    void broken(Throwable failure) {
        finish(resultOf(failure));
    }

    private Result tooLate() {
        return new Result(Kind.FAILED, "connecting took longer than " + inWords(timeout), null);
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
