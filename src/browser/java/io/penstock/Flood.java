package io.penstock;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.PoolOptions;
import io.vertx.core.http.RequestOptions;
import java.util.concurrent.atomic.AtomicLong;

/** Clients that ask for one token each, again a moment after they have it. */
final class Flood implements AutoCloseable {

    private static final int CLIENTS = 40;
    // With as many clients some 1,500 requests a second: more would measure how two cores are shared with the browser.
    private static final long PAUSE_MILLIS = 25;
    private static final Buffer BODY = Buffer.buffer(
            "{\"model\":\"demo\",\"max_tokens\":1,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}");

    private final Vertx vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(1));
    private final HttpClient client = vertx.createHttpClient(new PoolOptions().setHttp1MaxSize(CLIENTS));
    private final RequestOptions chat;
    private final AtomicLong answered = new AtomicLong();
    private volatile boolean ends;

    /** Lets them come. */
    Flood(int port) {
        chat = new RequestOptions()
                .setMethod(HttpMethod.POST)
                .setHost("127.0.0.1")
                .setPort(port)
                .setURI("/v1/chat/completions")
                .putHeader("content-type", "application/json");
        for (int i = 0; i < CLIENTS; i++) {
            ask();
        }
    }

    private void ask() {
        client.request(chat)
                .compose(request -> request.send(BODY))
                .compose(Flood::whole)
                .onComplete(answer -> {
                    if (answer.succeeded() && answer.result()) {
                        answered.incrementAndGet();
                    }
                    if (!ends) {
                        vertx.setTimer(PAUSE_MILLIS, now -> ask());
                    }
                });
    }

    private static Future<Boolean> whole(HttpClientResponse response) {
        return response.body().map(body -> response.statusCode() == 200);
    }

    /** Whole answers so far. */
    long answered() {
        return answered.get();
    }

    @Override
    public void close() {
        ends = true;
        Fleet.await(vertx.close());
    }
}
