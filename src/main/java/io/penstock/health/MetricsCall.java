package io.penstock.health;

import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClientResponse;
import java.time.Duration;

/** One {@code GET /metrics}. What is learned is null if it was not an answer with status 200 that ended. */
final class MetricsCall extends ReplicaCall<GaugeScanner> {

    /** A vLLM has 70 kB; what is longer is not read to its end. */
    private static final int MAX_BYTES = 1 << 20;

    private final GaugeScanner scanner = new GaugeScanner();
    private int bytes;

    MetricsCall(Vertx vertx, Duration timeout) {
        super(vertx, timeout, null);
    }

    @Override
    void head(HttpClientResponse response) {
        response.exceptionHandler(failure -> finish(null));
        if (response.statusCode() != 200) {
            finish(null);
            return;
        }
        response.handler(this::part);
        response.endHandler(end -> finish(scanner));
    }

    private void part(Buffer part) {
        if (over()) {
            return;
        }
        bytes += part.length();
        if (bytes > MAX_BYTES) {
            finish(null);
        } else {
            scanner.feed(part.getBytes());
        }
    }
}
