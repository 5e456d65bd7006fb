package io.penstock.proxy;

import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import io.penstock.bus.Topic;
import io.penstock.config.PenstockConfig;
import io.penstock.health.ProbeVerticle;
import io.penstock.health.ReplicaChange;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.VerticleBase;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.tracing.TracingPolicy;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.net.BindException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The front, once per event loop: all instances share one listening port, and each has its own client, so that a
 * request never leaves its loop. Owns the server, the subscriptions and the sweep; everything else is elsewhere.
 */
public final class ProxyVerticle extends VerticleBase {

    private static final Logger LOG = LoggerFactory.getLogger(ProxyVerticle.class);
    private static final long SWEEP_MILLIS = 1_000;

    /** On the way down: how often to look who has gone. */
    private static final long FAREWELL_MILLIS = 50;

    /** After the deadline: what is unsent may still be taken. */
    private static final long LAST_WORDS_MILLIS = 2_000;

    private final Shared shared;
    private final PenstockConfig initial;
    private final Topic<PenstockConfig> configChanges;
    private final AtomicInteger connections;
    private final String version;
    private final boolean sharesPort;

    // Set in start(), on the event loop; the port and the beat are read by other threads afterwards.
    private volatile int port;
    private volatile long beatNanos;
    private boolean blind;
    private @org.jspecify.annotations.Nullable Front front;

    /** What start() makes. */
    private record Front(
            Loop loop,
            Edge edge,
            FrontConnections connections,
            PlainProxy plain,
            ModelList models,
            LocalAnswers local,
            HttpServer server) {}

    /**
     * Makes one of several equal instances.
     *
     * @param shared what they have in common
     * @param initial the configuration to start with
     * @param configChanges where new ones are published
     * @param connections counts the clients of all instances
     * @param version Penstock's version
     */
    public ProxyVerticle(
            Shared shared,
            PenstockConfig initial,
            Topic<PenstockConfig> configChanges,
            AtomicInteger connections,
            String version) {
        this(shared, initial, configChanges, connections, version, false);
    }

    /**
     * Makes one of several equal instances.
     *
     * @param shared what they have in common
     * @param initial the configuration to start with
     * @param configChanges where new ones are published
     * @param connections counts the clients of all instances
     * @param version Penstock's version
     * @param sharesPort whether other processes of the same user may listen on the same port at the same time; fails to
     *     start where the operating system does not spread connections over them
     */
    public ProxyVerticle(
            Shared shared,
            PenstockConfig initial,
            Topic<PenstockConfig> configChanges,
            AtomicInteger connections,
            String version,
            boolean sharesPort) {
        this.shared = shared;
        this.initial = initial;
        this.configChanges = configChanges;
        this.connections = connections;
        this.version = version;
        this.sharesPort = sharesPort;
    }

    @Override
    public Future<?> start() {
        if (sharesPort && !vertx.isNativeTransportEnabled()) {
            return Future.failedFuture(new IllegalStateException(
                    "cannot share the port: this needs Linux on x86-64 or AArch64, and its epoll"));
        }
        Loop loop = new Loop(vertx, context, shared, initial);
        Edge edge = new Edge(loop);
        HttpServer server = vertx.createHttpServer(options(initial).setReusePort(sharesPort));
        Front made = new Front(
                loop,
                edge,
                new FrontConnections(loop, connections),
                new PlainProxy(loop),
                new ModelList(loop, edge),
                new LocalAnswers(loop, edge, version),
                server);
        front = made;
        configChanges.subscribe(vertx.eventBus(), next -> {
            loop.reconfigure(next);
            edge.reconfigure(next);
        });
        ProbeVerticle.CHANGES.subscribe(vertx.eventBus(), change -> replicaChanged(loop, change));
        loop.measureLag();
        beatNanos = loop.now();
        vertx.setPeriodic(SWEEP_MILLIS, tick -> {
            beatNanos = loop.now();
            made.connections().sweep();
            loop.exchanges().forEach(Exchange::look);
            lookForProbes();
        });
        return server.connectionHandler(made.connections()::opened)
                .invalidRequestHandler(request -> malformed(made, request))
                .requestHandler(router(made))
                .listen()
                .onSuccess(listening -> port = listening.actualPort())
                .recover(failure -> Future.failedFuture(new IllegalStateException(notListening(failure), failure)));
    }

    private String notListening(Throwable failure) {
        String what = "cannot listen on " + initial.listen() + ": " + failure.getMessage();
        // The native transport has an exception of its own for this, with the system's words in it.
        if (!(failure instanceof BindException) && !what.endsWith("Address already in use")) {
            return what;
        }
        return what
                + (sharesPort
                        ? "; whoever has the port does not share it: only a Penstock of the same user that was started"
                                + " with --share-port does"
                        : "; stop what listens there, choose another port (--listen), or start both with --share-port"
                                + " if it is a Penstock that this one takes over from");
    }

    /** If nobody watches the replicas any more, those who wait may go where nobody was let. */
    private void lookForProbes() {
        boolean now = shared.live().blind();
        if (now != blind) {
            blind = now;
            if (now) {
                LOG.warn("the probes are silent: every replica that does not refuse connections gets work");
            } else {
                LOG.info("the probes are back");
            }
            shared.room().wake();
        }
    }

    private static HttpServerOptions options(PenstockConfig config) {
        return new HttpServerOptions()
                .setHost(config.listen().host())
                .setPort(config.listen().port())
                .setMaxHeaderSize(config.limits().headerBytes())
                .setMaxInitialLineLength(config.limits().requestLineBytes())
                .setMaxChunkSize(64 << 10)
                .setAcceptBacklog(1024)
                .setHttp2ClearTextEnabled(false)
                .setTracingPolicy(TracingPolicy.IGNORE);
    }

    private Router router(Front made) {
        Router router = Router.router(vertx);
        router.route().handler(context -> serve(made, context));
        router.errorHandler(400, context -> fallback(made, context, FailureKind.MALFORMED, "the request is malformed"));
        router.errorHandler(404, context -> fallback(made, context, FailureKind.NOT_FOUND, "no such path"));
        router.errorHandler(
                500,
                context ->
                        fallback(made, context, FailureKind.INTERNAL, "something went wrong in Penstock; see its log"));
        return router;
    }

    /** The request path, top to bottom. */
    private void serve(Front made, RoutingContext context) {
        HttpServerRequest request = context.request();
        boolean unaware = made.connections().busy(request.connection());
        request.response().endHandler(v -> made.connections().free(request.connection(), told(request)));
        Edge.Admitted admitted = made.edge().admit(request, unaware);
        if (admitted == null) {
            return;
        }
        switch (admitted.route().kind()) {
            case INFERENCE -> new Exchange(made.loop(), admitted).start();
            case PLAIN -> made.plain().pass(context, admitted);
            case MODELS, MODEL -> made.models().answer(admitted);
            case HEALTH -> made.local().health(admitted);
            case VERSION -> made.local().version(admitted);
            case LOAD -> made.local().load(admitted);
        }
    }

    /** Whether both ends know that the connection ends with this answer. */
    private static boolean told(HttpServerRequest request) {
        return request.response().headers().contains("connection", "close", true)
                || request.headers().contains("connection", "close", true)
                || request.version() == HttpVersion.HTTP_1_0;
    }

    private void malformed(Front made, HttpServerRequest request) {
        Throwable cause = request.decoderResult().cause();
        FailureKind kind = cause instanceof TooLongHttpLineException
                ? FailureKind.REQUEST_LINE_TOO_LONG
                : cause instanceof TooLongHttpHeaderException ? FailureKind.HEADERS_TOO_LARGE : FailureKind.MALFORMED;
        String text = switch (kind) {
            case REQUEST_LINE_TOO_LONG -> "the request line is too long; see limits.requestLine";
            case HEADERS_TOO_LARGE -> "the headers are too large; see limits.headers";
            default -> "this is not HTTP/1.1 as RFC 9112 has it";
        };
        made.edge().refuseUnread(request, new ProxyFailure(kind, text));
    }

    private static void fallback(Front made, RoutingContext context, FailureKind kind, String text) {
        if (!context.response().headWritten()) {
            made.edge().refuseUnread(context.request(), new ProxyFailure(kind, text));
        }
    }

    private static void replicaChanged(Loop loop, ReplicaChange change) {
        if (!change.probed()) {
            return;
        }
        switch (change.to()) {
            case FAILING, REFUSED -> lost(loop, change, FailureKind.LEFT_BEFORE_OUTPUT);
            case STALLED -> lost(loop, change, FailureKind.STALLED_BEFORE_OUTPUT);
            case SUSPECT -> loop.exchanges().forEach(Exchange::look);
            default -> {}
        }
    }

    private static void lost(Loop loop, ReplicaChange change, FailureKind kind) {
        loop.exchanges().forEach(exchange -> exchange.replicaLost(change.upstream(), kind, change.reason()));
    }

    /**
     * The port that clients connect to.
     *
     * @return the real port, also when 0 was asked for; 0 before the start
     */
    public int port() {
        return port;
    }

    /**
     * When this event loop last turned, for {@code /livez}.
     *
     * @return nanoseconds of the injected clock
     */
    public long beatNanos() {
        return beatNanos;
    }

    /**
     * Leaves the clients that connect from now on to the other processes on the port, without closing it. Callable from
     * any thread.
     *
     * @return completes at once: false if the operating system cannot do that, or nobody has ever connected here
     */
    public Future<Boolean> turnAway() {
        Promise<Boolean> done = Promise.promise();
        context.runOnContext(v -> {
            Front made = front;
            ListeningSocket listener = made == null ? null : made.connections().listener();
            done.complete(listener != null && listener.turnAway());
        });
        return done.future();
    }

    /**
     * Stops taking connections, closes idle ones and lets the others finish. Callable from any thread.
     *
     * @param deadline how long running requests may take; after it they are ended honestly
     * @return completes when the last connection is gone
     */
    public Future<Void> close(Duration deadline) {
        Front made = front;
        if (made == null) {
            return Future.succeededFuture();
        }
        Promise<Void> done = Promise.promise();
        context.runOnContext(v -> {
            long end = made.loop().now() + deadline.toNanos();
            ListeningSocket listener = made.connections().listener();
            if (listener != null) {
                listener.close();
            }
            farewell(made, end, done);
        });
        return done.future();
    }

    /**
     * Looks again and again until all are gone. Vert.x's own shutdown comes last: it would close a connection with its
     * answer, told or not.
     */
    private void farewell(Front made, long end, Promise<Void> done) {
        made.connections().closeIdle();
        boolean late = made.loop().now() >= end;
        if (!late && !made.connections().isEmpty()) {
            vertx.setTimer(FAREWELL_MILLIS, again -> farewell(made, end, done));
            return;
        }
        made.loop()
                .exchanges()
                .forEach(exchange ->
                        exchange.end(new ProxyFailure(FailureKind.SHUTTING_DOWN, "Penstock is shutting down")));
        made.server().shutdown(LAST_WORDS_MILLIS, TimeUnit.MILLISECONDS).onComplete(ended -> done.tryComplete());
    }
}
