package io.penstock.admin;

import io.penstock.config.ConfigVerticle;
import io.penstock.config.Endpoint;
import io.penstock.health.ProbeVerticle;
import io.penstock.upstream.UpstreamSet;
import io.penstock.upstream.UpstreamState;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.Route;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.BodyHandler;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The operator's port: the live page, is it alive, is it ready, what does it count, how do the replicas stand, and drain
 * this one. Reads memory only; the one thing that it changes is a replica's drain mark.
 */
public final class AdminVerticle extends VerticleBase {

    private static final Logger LOG = LoggerFactory.getLogger(AdminVerticle.class);

    private static final List<String> ENDPOINTS = List.of(
            "GET / (in a browser: the live page)",
            "GET /live",
            "GET /livez",
            "GET /readyz",
            "GET /metrics",
            "GET /upstreams",
            "GET /explain",
            "GET /explain/ID",
            "POST /drain/NAME",
            "POST /undrain/NAME");
    private static final String JSON = "application/json";
    private static final String PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8";
    // Nothing that is asked here has a body; what comes anyway is read and thrown away, up to this.
    private static final int MAX_BODY_BYTES = 1024;
    private static final int IDLE_SECONDS = 60;
    private static final long SNAPSHOT_MILLIS = 1000;

    private final Endpoint listen;
    private final RunningInstance instance;
    private final ChangeGuard guard;
    private final Chronicle chronicle;
    private final LiveSnapshot snapshot;

    @SuppressWarnings("NullAway.Init") // Made by start().
    private LiveFeed feed;

    // Written once when the port is open; read by whoever deployed the verticle.
    private volatile @Nullable Endpoint bound;

    /**
     * Makes the verticle; it listens once deployed.
     *
     * @param listen where; port 0 picks a free one
     * @param instance what it tells about
     */
    public AdminVerticle(Endpoint listen, RunningInstance instance) {
        this.listen = listen;
        this.instance = instance;
        this.guard = new ChangeGuard(listen, instance.adminKey());
        this.chronicle = new Chronicle(instance.nanoClock(), instance.traffic());
        this.snapshot = new LiveSnapshot(instance, chronicle);
    }

    /**
     * Where it listens, with the port that was picked. Callable from any thread once deployment has succeeded.
     *
     * @return the configured host and the actual port
     * @throws IllegalStateException if it does not listen yet
     */
    public Endpoint address() {
        Endpoint address = bound;
        if (address == null) {
            throw new IllegalStateException("the admin port is not open");
        }
        return address;
    }

    @Override
    public Future<?> start() {
        HttpServerOptions options = new HttpServerOptions()
                .setHttp2ClearTextEnabled(false)
                .setMaxInitialLineLength(4096)
                .setMaxHeaderSize(8192)
                .setIdleTimeout(IDLE_SECONDS)
                .setIdleTimeoutUnit(TimeUnit.SECONDS);
        feed = new LiveFeed(vertx, SNAPSHOT_MILLIS, snapshot::now, snapshot::rest);
        ProbeVerticle.CHANGES.subscribe(vertx.eventBus(), chronicle::changed);
        ConfigVerticle.CHANGES.subscribe(vertx.eventBus(), config -> chronicle.reconfigured());
        return vertx.executeBlocking(PageFiles::read)
                .compose(page -> vertx.createHttpServer(options)
                        .requestHandler(router(page))
                        .listen(listen.port(), listen.host()))
                .onSuccess(this::opened)
                .recover(failure -> Future.failedFuture(new IllegalStateException(
                        "cannot listen on admin " + listen + ": " + failure.getMessage(), failure)));
    }

    @Override
    public Future<?> stop() {
        feed.close();
        return Future.succeededFuture();
    }

    private void opened(HttpServer server) {
        Endpoint address = new Endpoint(listen.host(), server.actualPort());
        bound = address;
        LOG.info("admin on http://{}", address);
    }

    private Router router(PageFiles page) {
        Router router = Router.router(vertx);
        get(router, "/").handler(context -> front(context, page));
        get(router, "/page/:file").handler(context -> file(context, page));
        get(router, "/live").handler(this::watch);
        get(router, "/livez").handler(this::live);
        // With the star the rest of the path names a group or a procedure, as in /readyz/replicas/vllm0.
        get(router, "/readyz/*").handler(new Readiness(vertx, instance));
        get(router, "/metrics").handler(this::metrics);
        get(router, "/upstreams").handler(context -> answer(context, 200, UpstreamListing.of(instance)));
        get(router, "/explain")
                .handler(context ->
                        answer(context, 200, ReceiptListing.newest(instance.receipts(), ReceiptListing.LISTED)));
        get(router, "/explain/:id").handler(this::explain);
        BodyHandler tinyBody = BodyHandler.create(false).setBodyLimit(MAX_BODY_BYTES);
        router.post("/drain/:name").handler(tinyBody).handler(context -> change(context, true));
        router.post("/undrain/:name").handler(tinyBody).handler(context -> change(context, false));
        router.errorHandler(
                404,
                context -> answer(context, 404, error("nothing is here").put("endpoints", new JsonArray(ENDPOINTS))));
        router.errorHandler(405, context -> {
            context.response().putHeader(HttpHeaders.ALLOW, isChange(context) ? "POST" : "GET, HEAD");
            answer(context, 405, error("this endpoint is asked with " + (isChange(context) ? "POST" : "GET")));
        });
        router.errorHandler(400, context -> answer(context, 400, error("malformed request")));
        router.errorHandler(413, context -> answer(context, 413, error("this endpoint takes no body")));
        router.errorHandler(500, this::bug);
        return router;
    }

    private static Route get(Router router, String path) {
        return router.route(path).method(HttpMethod.GET).method(HttpMethod.HEAD);
    }

    private static boolean isChange(RoutingContext context) {
        String path = context.normalizedPath();
        return path.startsWith("/drain/") || path.startsWith("/undrain/");
    }

    /** Browsers get the page, everyone else the list of what there is. */
    private void front(RoutingContext context, PageFiles page) {
        String accept = context.request().getHeader(HttpHeaders.ACCEPT);
        if (accept != null && accept.contains("text/html")) {
            page.answer(context.request(), "index.html");
        } else {
            answer(context, 200, "text/plain; charset=utf-8", frontPage());
        }
    }

    private static void file(RoutingContext context, PageFiles page) {
        String name = context.pathParam("file");
        if (page.has(name)) {
            page.answer(context.request(), name);
        } else {
            context.fail(404);
        }
    }

    private void watch(RoutingContext context) {
        if (!feed.hasRoom()) {
            context.response().putHeader(HttpHeaders.RETRY_AFTER, "10");
            answer(context, 503, error("there are " + LiveFeed.MOST_VIEWERS + " viewers of the live page already"));
        } else if (context.request().method().equals(HttpMethod.HEAD)) {
            answer(context, 200, "text/event-stream; charset=utf-8", "");
        } else {
            feed.show(context.response());
        }
    }

    private void live(RoutingContext context) {
        List<String> problems = instance.loopProblems().get();
        answer(
                context,
                problems.isEmpty() ? 200 : 503,
                new JsonObject()
                        .put("status", problems.isEmpty() ? "UP" : "DOWN")
                        .put("problems", new JsonArray(problems)));
    }

    private void metrics(RoutingContext context) {
        vertx.executeBlocking(instance.scrape()::get)
                .onSuccess(text -> answer(context, 200, PROMETHEUS, text))
                .onFailure(context::fail);
    }

    private void explain(RoutingContext context) {
        JsonObject receipt = ReceiptListing.of(instance.receipts(), context.pathParam("id"));
        answer(context, receipt == null ? 404 : 200, receipt == null ? error(ReceiptListing.NONE) : receipt);
    }

    private void change(RoutingContext context, boolean drain) {
        HttpServerRequest request = context.request();
        ChangeGuard.Objection objection = guard.objection(
                request.connection().remoteAddress().hostAddress(),
                request.headers().getAll(HttpHeaders.HOST),
                request.getHeader(HttpHeaders.ORIGIN),
                request.getHeader("sec-fetch-site"),
                request.getHeader(HttpHeaders.AUTHORIZATION));
        if (objection != null) {
            if (objection.status() == 401) {
                context.response().putHeader("www-authenticate", "Bearer realm=\"penstock admin\"");
            }
            answer(context, objection.status(), error(objection.reason()));
            return;
        }
        UpstreamSet current = instance.upstreams().current();
        UpstreamState replica = current.find(context.pathParam("name"));
        if (replica == null) {
            JsonArray known = new JsonArray();
            current.members().forEach(member -> known.add(member.name()));
            answer(context, 404, error("no such replica").put("replicas", known));
            return;
        }
        mark(replica, drain);
        answer(context, 200, UpstreamListing.of(replica));
    }

    private void mark(UpstreamState replica, boolean drain) {
        if (replica.draining() != drain) {
            replica.drain(drain);
            chronicle.drained(replica, drain);
            if (drain) {
                LOG.info(
                        "{} drains: no new work, {} in flight there; asked for by the operator",
                        replica.name(),
                        replica.inFlight());
            } else {
                LOG.info("{} may take work again ({}); asked for by the operator", replica.name(), replica.reason());
            }
        }
        if (!drain) {
            instance.wakeWaiting().run();
        }
    }

    private void bug(RoutingContext context) {
        LOG.error("admin: {} failed", context.normalizedPath(), context.failure());
        answer(context, 500, error("internal error; the log has the reason"));
    }

    private String frontPage() {
        return "Penstock " + instance.version() + ", operator's port\n\n" + String.join("\n", ENDPOINTS) + "\n";
    }

    private static JsonObject error(String message) {
        return new JsonObject().put("error", message);
    }

    private static void answer(RoutingContext context, int status, JsonObject body) {
        answer(context, status, JSON, body.encode() + "\n");
    }

    private static void answer(RoutingContext context, int status, String contentType, String body) {
        if (context.response().ended() || context.response().closed()) {
            return;
        }
        context.response()
                .setStatusCode(status)
                .putHeader(HttpHeaders.CONTENT_TYPE, contentType)
                .putHeader(HttpHeaders.CACHE_CONTROL, "no-store")
                .putHeader("x-content-type-options", "nosniff")
                .end(body)
                .onFailure(gone -> LOG.debug("admin: the caller left before its answer", gone));
    }
}
