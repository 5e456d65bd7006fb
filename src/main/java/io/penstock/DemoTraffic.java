package io.penstock;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.VerticleBase;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.PoolOptions;
import io.vertx.core.http.RequestOptions;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.DoubleSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Something to look at: clients that come at random, ask for streamed answers of many lengths, and share a few long
 * beginnings as users of the same assistants do. They come from its deployment to its end. Counts what they got; any thread
 * may read.
 */
final class DemoTraffic extends VerticleBase {

    private static final int ASSISTANTS = 6;
    private static final String RULE = "Answer in plain words, name your source, and say so if you do not know. ";
    private static final int RULES = 40;
    // Should all replicas be down, those who wait are not joined by more and more.
    private static final int MOST_OPEN = 64;
    private static final String END = "data: [DONE]\n\n";

    private final RequestOptions chat;
    private final double perSecond;
    private final DoubleSupplier random;
    private final AtomicInteger open = new AtomicInteger();
    private final AtomicLong whole = new AtomicLong();
    private final AtomicLong cut = new AtomicLong();
    private final AtomicLong unanswered = new AtomicLong();
    // Made when it is deployed.
    private @Nullable HttpClient client;

    /**
     * Makes the clients; none comes before it is deployed.
     *
     * @param port of the proxy, on loopback
     * @param perSecond how many come in a second, on average
     * @param random from 0 to below 1
     */
    DemoTraffic(int port, double perSecond, DoubleSupplier random) {
        this.perSecond = perSecond;
        this.random = random;
        this.chat = new RequestOptions()
                .setMethod(HttpMethod.POST)
                .setHost("127.0.0.1")
                .setPort(port)
                .setURI("/v1/chat/completions")
                .putHeader("content-type", "application/json");
    }

    @Override
    public Future<?> start() {
        client = vertx.createHttpClient(
                new HttpClientOptions().setKeepAliveTimeout(3), new PoolOptions().setHttp1MaxSize(MOST_OPEN));
        next();
        return Future.succeededFuture();
    }

    private void next() {
        // Independent clients: times between two arrivals are distributed exponentially.
        double seconds = -Math.log(1 - random.getAsDouble()) / perSecond;
        vertx.setTimer(Math.max(1, Math.round(seconds * 1000)), now -> {
            arrive();
            next();
        });
    }

    /** Answers that came to their end. */
    long whole() {
        return whole.get();
    }

    /** Answers that had begun and broke off: what the client has of them it keeps, but nobody can go on with them. */
    long cut() {
        return cut.get();
    }

    /** Requests that got an error and nothing else. */
    long unanswered() {
        return unanswered.get();
    }

    private void arrive() {
        HttpClient here = client;
        if (here == null || open.get() == MOST_OPEN) {
            return;
        }
        open.incrementAndGet();
        here.request(new RequestOptions(chat))
                .compose(request -> request.send(body()))
                .compose(this::read)
                .recover(broken -> Future.succeededFuture(unanswered))
                .onSuccess(outcome -> {
                    open.decrementAndGet();
                    outcome.incrementAndGet();
                });
    }

    /** Reads an answer to its end, and says as what it counts. */
    private Future<AtomicLong> read(HttpClientResponse response) {
        Buffer got = Buffer.buffer();
        Promise<AtomicLong> end = Promise.promise();
        response.handler(got::appendBuffer);
        response.exceptionHandler(broken -> end.tryComplete(outcome(response, got)));
        response.endHandler(last -> end.tryComplete(outcome(response, got)));
        return end.future();
    }

    private AtomicLong outcome(HttpClientResponse response, Buffer got) {
        String text = got.toString(StandardCharsets.UTF_8);
        boolean error = text.contains("data: {\"error\"");
        if (response.statusCode() == 200 && !error && text.endsWith(END)) {
            return whole;
        }
        return text.contains("\"delta\"") ? cut : unanswered;
    }

    private Buffer body() {
        int assistant = (int) (ASSISTANTS * random.getAsDouble());
        // Most answers are short and a few are long.
        long tokens = Math.round(20 * Math.exp(3 * random.getAsDouble()));
        JsonArray messages = new JsonArray()
                .add(new JsonObject()
                        .put("role", "system")
                        .put("content", "You are assistant " + assistant + ". " + RULE.repeat(RULES)))
                .add(new JsonObject().put("role", "user").put("content", "Question " + random.getAsDouble()));
        return new JsonObject()
                .put("model", "demo")
                .put("stream", true)
                .put("max_tokens", tokens)
                .put("messages", messages)
                .toBuffer();
    }
}
