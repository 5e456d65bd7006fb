package io.penstock.health;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.penstock.config.Replica;
import io.penstock.upstream.Upstream;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClientAgent;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.PoolOptions;
import io.vertx.core.http.RequestOptions;
import io.vertx.core.net.SocketAddress;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Asks a replica over HTTP how it is, apart from the connections that carry requests: a full or broken pool must not
 * look like a broken replica. Confined to the event loop on which it was made.
 */
final class HttpProbe implements Inquiries {

    /** What one probe found. */
    enum Kind {
        /** {@code GET /health} gave 200. */
        PASSED,
        /** The connection was refused, or ended before an answer: nobody is there, or nobody who serves. */
        REFUSED,
        /** No connection in time, or an answer other than 200. */
        FAILED,
        /** Connected, asked, and no head of an answer in time. */
        NO_HEAD
    }

    /**
     * What one probe found.
     *
     * @param kind which of the four
     * @param reason what was seen, in one phrase for people
     * @param address the IP literal that was reached; null if none was
     */
    record Result(Kind kind, String reason, @Nullable String address) {}

    // Not RequestOptions.connectTimeout: once that one has fired, Vert.x 5.0.10 throws when the connection then fails
    // (SharedHttpClientConnectionGroup.Request), and closing the client never ends. The calls have a timer of their
    // own.
    // Connections that hang longer than this are given up, so that they do not pile up: 20 of them at two a second.
    private static final int CONNECT_TIMEOUT_MILLIS = 10_000;
    private static final int CONNECTIONS_PER_ADDRESS = 64;

    private final Vertx vertx;
    private final HttpClientAgent client;
    private final int maxListBytes;

    HttpProbe(Vertx vertx) {
        this(vertx, new HttpClientOptions(), ModelList.MAX_BYTES);
    }

    /**
     * For tests that need other TLS settings or a smaller limit.
     *
     * @param base options to start from
     * @param maxListBytes longer lists of models are not read
     */
    HttpProbe(Vertx vertx, HttpClientOptions base, int maxListBytes) {
        this.vertx = vertx;
        this.maxListBytes = maxListBytes;
        // No keep-alive: a probe is to find out whether the port is open.
        HttpClientOptions options = new HttpClientOptions(base)
                .setKeepAlive(false)
                .setConnectTimeout(CONNECT_TIMEOUT_MILLIS)
                .setDecompressionSupported(false);
        this.client = vertx.createHttpClient(options, new PoolOptions().setHttp1MaxSize(CONNECTIONS_PER_ADDRESS));
    }

    @Override
    public Future<Result> health(Upstream upstream, Duration timeout) {
        return healthAt(upstream, 0, timeout, null);
    }

    private Future<Result> healthAt(Upstream upstream, int index, Duration timeout, @Nullable Result first) {
        String address = upstream.addresses().get(index);
        return new HealthCall(vertx, timeout, address)
                .start(connect(options(upstream, address, "/health")), upstream.replica())
                .compose(result -> {
                    Result decisive = first == null ? result : first;
                    if (result.address() != null) {
                        return Future.succeededFuture(result);
                    }
                    return index + 1 < upstream.addresses().size()
                            ? healthAt(upstream, index + 1, timeout, decisive)
                            : Future.succeededFuture(decisive);
                });
    }

    @Override
    public Future<ModelList> models(Upstream upstream, String address, Duration timeout) {
        return new ModelsCall(vertx, timeout, maxListBytes)
                .start(connect(options(upstream, address, "/v1/models")), upstream.replica());
    }

    @Override
    public Future<@Nullable GaugeScanner> metrics(Upstream upstream, String address, Duration timeout) {
        return new MetricsCall(vertx, timeout)
                .start(connect(options(upstream, address, "/metrics")), upstream.replica());
    }

    @Override
    public Future<TokenCall.Kind> token(Upstream upstream, String address, String path, String body, Duration timeout) {
        RequestOptions post = options(upstream, address, path).setMethod(HttpMethod.POST);
        return new TokenCall(vertx, timeout, body).start(connect(post), upstream.replica());
    }

    /** A client that throws would leave a probe running for ever. */
    private Future<HttpClientRequest> connect(RequestOptions options) {
        try {
            return client.request(options);
        } catch (RuntimeException closedOrMalformed) {
            return Future.failedFuture(closedOrMalformed);
        }
    }

    private static RequestOptions options(Upstream upstream, String address, String path) {
        Replica replica = upstream.replica();
        int port = replica.endpoint().port();
        return new RequestOptions()
                .setMethod(HttpMethod.GET)
                .setServer(SocketAddress.inetSocketAddress(port, address))
                .setHost(replica.endpoint().host())
                .setPort(port)
                .setSsl(replica.tls())
                .setURI(path)
                .setFollowRedirects(false);
    }

    /** What every call says about itself. */
    static void introduce(HttpClientRequest request, Replica replica) {
        request.putHeader(HttpHeaderNames.USER_AGENT, "penstock-probe");
        if (replica.apiKey() != null) {
            request.putHeader(HttpHeaderNames.AUTHORIZATION, "Bearer " + replica.apiKey());
        }
    }

    static long millis(Duration duration) {
        return Math.max(1, duration.toMillis());
    }

    Future<Void> close() {
        return client.close();
    }
}
