package io.penstock.proxy;

import io.netty.channel.ConnectTimeoutException;
import io.penstock.admission.Ticket;
import io.penstock.admission.Tried;
import io.penstock.admission.WaitingRoom;
import io.penstock.config.PenstockConfig;
import io.penstock.config.Replica;
import io.penstock.health.Doubt;
import io.penstock.health.Incident;
import io.penstock.health.ProbeVerticle;
import io.penstock.selection.RequestTraits;
import io.penstock.upstream.Lease;
import io.penstock.upstream.Upstream;
import io.penstock.upstream.UpstreamState;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.PoolOptions;
import io.vertx.core.http.RequestOptions;
import io.vertx.core.net.SocketAddress;
import java.net.ConnectException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What one proxy event loop has of its own: its client, its view of the configuration, its open exchanges. Confined to
 * that loop.
 */
final class Loop {

    private static final Logger LOG = LoggerFactory.getLogger(Loop.class);

    /** More than a loop can ever hold to one replica: a limit here would be a queue that nobody sees. */
    private static final int MOST_CONNECTIONS = 1 << 16;

    /** When the operating system gives a connection up; how long a request waits for one is {@code timeouts.connect}. */
    private static final int LONGEST_CONNECT_MILLIS = 60_000;

    private static final long ROOM_MILLIS = 10;
    private static final long LAG_MILLIS = 100;

    private final Vertx vertx;
    private final Context context;
    private final Shared shared;
    private final HttpClient client;
    // For requests whose body is not at hand a second time: a kept connection may turn out to be dead.
    private final HttpClient freshClient;
    private final Set<Exchange> exchanges = new LinkedHashSet<>();
    // Connections that have carried a request: one of them that closes unanswered was closed before we sent.
    private final Set<HttpConnection> used = Collections.newSetFromMap(new WeakHashMap<>());
    private PenstockConfig config;
    private boolean watchingRoom;

    Loop(Vertx vertx, Context context, Shared shared, PenstockConfig config) {
        this.vertx = vertx;
        this.context = context;
        this.shared = shared;
        this.config = config;
        this.client = vertx.createHttpClient(clientOptions(config), poolOptions());
        this.freshClient = vertx.createHttpClient(clientOptions(config).setKeepAlive(false), poolOptions());
    }

    private static HttpClientOptions clientOptions(PenstockConfig config) {
        return new HttpClientOptions()
                .setConnectTimeout(LONGEST_CONNECT_MILLIS)
                .setKeepAliveTimeout(
                        (int) Math.max(1, config.timeouts().upstreamIdle().toSeconds()))
                .setMaxHeaderSize(64 << 10)
                .setMaxInitialLineLength(16 << 10)
                .setMaxChunkSize(64 << 10);
    }

    /** One connection per request in flight and no queue of the pool's own: waiting happens in the waiting room. */
    private static PoolOptions poolOptions() {
        return new PoolOptions()
                .setHttp1MaxSize(MOST_CONNECTIONS)
                .setMaxWaitQueueSize(0)
                .setCleanerPeriod(500);
    }

    Vertx vertx() {
        return vertx;
    }

    Shared shared() {
        return shared;
    }

    PenstockConfig config() {
        return config;
    }

    void reconfigure(PenstockConfig next) {
        config = next;
    }

    HttpClient freshClient() {
        return freshClient;
    }

    long now() {
        return shared.nanoClock().getAsLong();
    }

    /** Runs on this loop, from any thread. */
    void execute(Runnable task) {
        context.runOnContext(v -> task.run());
    }

    void opened(Exchange exchange) {
        exchanges.add(exchange);
    }

    void closed(Exchange exchange) {
        exchanges.remove(exchange);
    }

    /** Tells the observer that a request is over. */
    void report(ExchangeReport report) {
        tell(observer -> observer.exchangeEnded(report));
    }

    /** Tells the observer that a request went on to another replica. */
    void moved(Move move) {
        tell(observer -> observer.moved(move));
    }

    /** Tells the observer that a stream's first output leaves. */
    void firstOutput(String replica, long arrivedNanos, long askedNanos) {
        tell(observer -> observer.firstOutput(replica, arrivedNanos, askedNanos));
    }

    /** One that throws must not break the request path. */
    private void tell(Consumer<ExchangeObserver> news) {
        try {
            news.accept(shared.observer());
        } catch (RuntimeException e) {
            LOG.error("an observer failed", e);
        }
    }

    /** As {@link WaitingRoom#await}; the lease is delivered on this loop. */
    @Nullable
    Ticket await(RequestTraits traits, Tried tried, boolean front, Consumer<Lease> granted) {
        Ticket ticket = shared.room().await(traits, tried, front, this::execute, granted);
        watchRoom();
        return ticket;
    }

    /** Why a request may not even wait. */
    ProxyFailure turnedAway(RequestTraits traits) {
        return shared.room().aboveTarget(traits)
                ? overloaded(FailureKind.ABOVE_TARGET, "one more would make everybody's tokens too slow", traits)
                : overloaded(FailureKind.WAITING_ROOM_FULL, "too many requests are waiting for a replica", traits);
    }

    /** Why a request that waited as long as it may was given to nobody. */
    ProxyFailure waitedInVain(RequestTraits traits) {
        return shared.live().current().anyAccepting()
                ? overloaded(FailureKind.QUEUE_DEADLINE, "no replica had room while this request could wait", traits)
                : new ProxyFailure(FailureKind.NO_REPLICA, "no replica is available at the moment; try again later");
    }

    private ProxyFailure overloaded(FailureKind kind, String what, RequestTraits traits) {
        int seconds = shared.room().retryAfterSeconds(traits, shared.retries().chance());
        return new ProxyFailure(kind, what + "; try again in " + seconds + " s", seconds);
    }

    /** A request of this loop waits: if time alone may let it go, somebody has to look at the clock. */
    private void watchRoom() {
        if (watchingRoom || !shared.room().predicts()) {
            return;
        }
        watchingRoom = true;
        vertx.setTimer(ROOM_MILLIS, tick -> {
            watchingRoom = false;
            if (shared.room().waiting() > 0) {
                shared.room().wake();
                watchRoom();
            }
        });
    }

    /** Tells the observer how late this loop is with what is due, again and again. To be called on this loop. */
    void measureLag() {
        long dueNanos = now() + LAG_MILLIS * 1_000_000;
        vertx.setTimer(LAG_MILLIS, tick -> {
            long lateNanos = now() - dueNanos;
            measureLag();
            shared.observer().loopTurned(Thread.currentThread().getName(), lateNanos);
        });
    }

    /** A copy, since whoever walks it may end some of them. */
    List<Exchange> exchanges() {
        return new ArrayList<>(exchanges);
    }

    /**
     * Whether a connection has carried a request before. Asked once per request, and remembered.
     */
    boolean reused(HttpConnection connection) {
        return !used.add(connection);
    }

    /**
     * A request had trouble there. Whoever says that it takes no more work gets none; whoever may be dead is looked at
     * now. One that only leaves is not: it passes its probes as it goes.
     */
    void suspect(UpstreamState upstream, ProxyFailure failure) {
        switch (failure.kind()) {
            case UPSTREAM_BUSY ->
                upstream.conduct().busy().begin(now(), shared.retries().chance());
            case TOLD_TO_STOP -> upstream.leave("says that it was told to stop");
            case ENGINE_DEAD -> {
                upstream.leave("says that its engine is dead");
                doubt(upstream, failure.text());
            }
            case DIED_BEFORE_OUTPUT,
                    CUT_BEFORE_RELAY,
                    DIED_MID_STREAM,
                    ENDED_WITHOUT_MARKER,
                    IN_BAND_ERROR_MID_STREAM -> doubt(upstream, failure.text());
            default -> {}
        }
    }

    /** Tells the probe verticle that a request failed there, or was on trial, unless it has yet to hear of an earlier one. */
    void incident(UpstreamState upstream) {
        if (upstream.conduct().tell()) {
            ProbeVerticle.INCIDENTS.publish(vertx.eventBus(), new Incident(upstream));
        }
    }

    /** Tells the probe verticle that a replica should be looked at now. */
    void doubt(UpstreamState upstream, String reason) {
        ProbeVerticle.DOUBTS.publish(vertx.eventBus(), new Doubt(upstream, reason));
    }

    /**
     * Opens a request on a replica, at the first of its addresses that answers. A refusal takes the replica out of
     * rotation at once. The connection may be a kept one that the replica has closed meanwhile.
     *
     * @return an unsent request, or a {@link ProxyFailure}: CONNECT_REFUSED or CONNECT_TIMEOUT
     */
    Future<HttpClientRequest> dial(UpstreamState upstream, HttpMethod method, String uri) {
        return dial(client, upstream, method, uri);
    }

    /** As {@link #dial}, on a connection of its own, for requests that cannot be sent twice. */
    Future<HttpClientRequest> dialFresh(UpstreamState upstream, HttpMethod method, String uri) {
        return dial(freshClient, upstream, method, uri);
    }

    private Future<HttpClientRequest> dial(HttpClient by, UpstreamState upstream, HttpMethod method, String uri) {
        return dial(by, upstream.identity(), method, uri, 0).onFailure(cause -> {
            if (cause instanceof ProxyFailure failure && upstream.refuse(failure.text())) {
                doubt(upstream, failure.text());
            }
        });
    }

    private Future<HttpClientRequest> dial(HttpClient by, Upstream identity, HttpMethod method, String uri, int nth) {
        List<String> addresses = identity.addresses();
        if (addresses.isEmpty()) {
            return Future.failedFuture(new ProxyFailure(
                    FailureKind.CONNECT_REFUSED, "replica " + identity.name() + " has no address at the moment"));
        }
        Replica replica = identity.replica();
        RequestOptions options = new RequestOptions()
                .setMethod(method)
                .setURI(uri)
                .setServer(SocketAddress.inetSocketAddress(replica.endpoint().port(), addresses.get(nth)))
                .setHost(replica.endpoint().host())
                .setPort(replica.endpoint().port())
                .setSsl(replica.tls());
        return connect(by, options)
                .recover(cause -> nth + 1 < addresses.size()
                        ? dial(by, identity, method, uri, nth + 1)
                        : Future.failedFuture(unreachable(identity, cause)));
    }

    /**
     * A request's own timer, not {@link RequestOptions#setConnectTimeout}: once that one of Vert.x 5.0.10 has fired, the
     * connection's later failure throws inside the pool and a close of the client hangs.
     */
    private Future<HttpClientRequest> connect(HttpClient by, RequestOptions options) {
        Promise<HttpClientRequest> promise = Promise.promise();
        long timer = vertx.setTimer(
                Math.max(1, config.timeouts().connect().toMillis()),
                late -> promise.tryFail(new ConnectTimeoutException("no connection in time")));
        by.request(options).onComplete(opened -> {
            vertx.cancelTimer(timer);
            HttpClientRequest request = opened.result();
            if (request == null) {
                promise.tryFail(opened.cause());
                return;
            }
            request.exceptionHandler(Loop::quiet);
            request.connection().exceptionHandler(Loop::quiet);
            if (!promise.tryComplete(request)) {
                request.reset(); // Too late: unsent, so the connection goes to the pool unharmed.
            }
        });
        return promise.future();
    }

    /** Failures reach us through the futures; without a handler Vert.x logs each of them a second time, as an error. */
    private static void quiet(Throwable alreadyKnown) {}

    private ProxyFailure unreachable(Upstream identity, Throwable cause) {
        if (cause instanceof ConnectTimeoutException || cause instanceof TimeoutException) {
            return new ProxyFailure(
                    FailureKind.CONNECT_TIMEOUT,
                    "replica " + identity.name() + " did not accept a connection within "
                            + config.timeouts().connect().toMillis() + " ms");
        }
        String what = cause instanceof ConnectException
                ? " refused the connection"
                : " cannot be connected to (" + cause.getClass().getSimpleName() + ")";
        return new ProxyFailure(FailureKind.CONNECT_REFUSED, "replica " + identity.name() + what);
    }
}
