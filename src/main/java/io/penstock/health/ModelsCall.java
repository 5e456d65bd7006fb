package io.penstock.health;

import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClientResponse;
import java.time.Duration;

/** One {@code GET /v1/models}, bounded in size, too. */
final class ModelsCall extends ReplicaCall<ModelList> {

    private final Buffer body = Buffer.buffer();
    private final int maxBytes;

    ModelsCall(Vertx vertx, Duration timeout, int maxBytes) {
        super(vertx, timeout, ModelList.SILENT);
        this.maxBytes = maxBytes;
    }

    @Override
    void head(HttpClientResponse response) {
        response.exceptionHandler(failure -> finish(ModelList.SILENT));
        if (response.statusCode() != 200) {
            finish(ModelList.UNREADABLE);
            return;
        }
        response.handler(this::part);
        response.endHandler(end -> finish(ModelList.of(body.getBytes())));
    }

    private void part(Buffer part) {
        if (over()) {
            return;
        }
        if (body.length() + part.length() > maxBytes) {
            finish(ModelList.UNREADABLE);
        } else {
            body.appendBuffer(part);
        }
    }
}
