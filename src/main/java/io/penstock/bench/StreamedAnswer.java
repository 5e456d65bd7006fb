package io.penstock.bench;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.RequestOptions;
import java.nio.charset.StandardCharsets;
import java.util.function.LongSupplier;

/** One answer as a client sees it: when its first event came, and whether it came whole. Confined to one event loop. */
final class StreamedAnswer {

    private static final String END = "data: [DONE]";
    private static final int REMEMBERED = 64;
    private static final long LONGEST_SILENCE_MILLIS = 60_000;

    private final LongSupplier nanoClock;
    private final Promise<Long> whole = Promise.promise();
    private String tail = "\n";
    private long firstNanos;
    private boolean begun;

    private StreamedAnswer(LongSupplier nanoClock) {
        this.nanoClock = nanoClock;
    }

    /** Asks, and tells when the first event came; fails if the answer is an error, or is not whole. */
    static Future<Long> to(Buffer body, Contender at, HttpClient client, LongSupplier nanoClock) {
        RequestOptions options = new RequestOptions()
                .setMethod(HttpMethod.POST)
                .setHost(at.host())
                .setPort(at.port())
                .setURI("/v1/chat/completions")
                .setIdleTimeout(LONGEST_SILENCE_MILLIS)
                .putHeader("content-type", "application/json");
        StreamedAnswer answer = new StreamedAnswer(nanoClock);
        return client.request(options).compose(request -> request.send(body)).compose(answer::read);
    }

    private Future<Long> read(HttpClientResponse response) {
        if (response.statusCode() != 200) {
            return response.body().compose(body -> Future.failedFuture("status " + response.statusCode()));
        }
        response.handler(this::take);
        response.exceptionHandler(whole::tryFail);
        response.endHandler(end -> {
            if (begun && tail.stripTrailing().endsWith(END)) {
                whole.tryComplete(firstNanos);
            } else {
                whole.tryFail("an answer without its end");
            }
        });
        return whole.future();
    }

    /** Comments are no output. */
    private void take(Buffer chunk) {
        String seen = tail + chunk.toString(StandardCharsets.ISO_8859_1);
        if (!begun && seen.contains("\ndata:")) {
            begun = true;
            firstNanos = nanoClock.getAsLong();
        }
        tail = seen.substring(Math.max(0, seen.length() - REMEMBERED));
    }
}
