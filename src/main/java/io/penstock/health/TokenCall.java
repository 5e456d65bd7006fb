package io.penstock.health;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import java.time.Duration;

/** One request for the least that an engine can make. */
final class TokenCall extends ReplicaCall<TokenCall.Kind> {

    /** What came of it. */
    enum Kind {
        /** Status 200: the engine made what was asked for, since only then is it sent. */
        MADE,
        /** Any other 4xx: the server in front of the engine does not take this request. Says nothing of the engine. */
        NOT_TAKEN,
        /** No answer in time, or an error: says nothing for it. */
        NOTHING
    }

    private final String body;

    /** {@code body} is the request, as JSON. */
    TokenCall(Vertx vertx, Duration timeout, String body) {
        super(vertx, timeout, Kind.NOTHING);
        this.body = body;
    }

    @Override
    Future<HttpClientResponse> send(HttpClientRequest granted) {
        granted.putHeader(HttpHeaderNames.CONTENT_TYPE, "application/json");
        return granted.send(Buffer.buffer(body));
    }

    @Override
    void head(HttpClientResponse response) {
        response.exceptionHandler(ours -> {});
        int status = response.statusCode();
        boolean refused = status >= 400 && status < 500 && status != 408 && status != 429;
        finish(status == 200 ? Kind.MADE : refused ? Kind.NOT_TAKEN : Kind.NOTHING);
    }
}
