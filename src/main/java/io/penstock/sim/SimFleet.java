package io.penstock.sim;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Several simulated replicas and one control port for them, which also reaches those that are down.
 *
 * <p>Its paths, with replicas counted from 0: {@code GET /replicas}, and {@code POST /replicas/N/} followed by
 * {@code stop}, {@code start[?after=MILLISECONDS]}, {@code fault?name=…&arg=…&count=…} or {@code clear}. Callable from
 * any thread.
 */
public final class SimFleet {

    private static final Logger LOG = LoggerFactory.getLogger(SimFleet.class);

    private final Vertx vertx;
    private final List<Simulator> replicas;
    private final HttpServer control;

    private SimFleet(Vertx vertx, List<Simulator> replicas, HttpServer control) {
        this.vertx = vertx;
        this.replicas = replicas;
        this.control = control;
    }

    /**
     * Starts them all.
     *
     * @param vertx where they live
     * @param options how each behaves, one per replica
     * @param controlHost the address of the control port
     * @param controlPort the control port; 0 takes a free one
     * @return the fleet, once all ports are known; fails, with everything closed again, if one is taken
     */
    public static Future<SimFleet> start(Vertx vertx, List<SimOptions> options, String controlHost, int controlPort) {
        List<Simulator> started = new ArrayList<>();
        Future<Void> all = Future.succeededFuture();
        for (SimOptions each : options) {
            all = all.compose(done -> Simulator.start(vertx, each)).map(simulator -> {
                started.add(simulator);
                return null;
            });
        }
        return all.compose(done -> {
                    HttpServer server = vertx.createHttpServer();
                    SimFleet fleet = new SimFleet(vertx, List.copyOf(started), server);
                    return server.requestHandler(fleet.router())
                            .listen(controlPort, controlHost)
                            .map(fleet);
                })
                .recover(cause -> Future.join(
                                started.stream().map(Simulator::close).toList())
                        .transform(closed -> Future.failedFuture(cause)));
    }

    /**
     * The replicas.
     *
     * @return in the order of the options
     */
    public List<Simulator> replicas() {
        return replicas;
    }

    /**
     * Where the control paths are.
     *
     * @return the port's number
     */
    public int controlPort() {
        return control.actualPort();
    }

    /**
     * Lets all of them go down as {@link Simulator#shutDown} says. The control port stays.
     *
     * @param timeout how long running requests may go on
     * @return when all replicas are down
     */
    public Future<Void> shutDown(Duration timeout) {
        return Future.join(replicas.stream()
                        .map(replica -> replica.shutDown(timeout))
                        .toList())
                .mapEmpty();
    }

    /**
     * Ends everything.
     *
     * @return when all ports are closed
     */
    public Future<Void> close() {
        List<Future<Void>> closing = new ArrayList<>();
        replicas.forEach(replica -> closing.add(replica.close()));
        closing.add(control.close());
        return Future.join(closing).mapEmpty();
    }

    private Router router() {
        Router router = Router.router(vertx);
        router.get("/replicas").handler(context -> {
            JsonArray all = new JsonArray();
            replicas.forEach(replica -> all.add(replica.state()));
            respond(context, 200, all.encode());
        });
        router.post("/replicas/:number/stop").handler(context -> act(context, Simulator::stop));
        router.post("/replicas/:number/start").handler(this::start);
        router.post("/replicas/:number/fault").handler(this::fault);
        router.post("/replicas/:number/clear")
                .handler(context -> act(context, replica -> {
                    replica.faults().clear();
                    return Future.succeededFuture();
                }));
        return router;
    }

    private void start(RoutingContext context) {
        String after = context.request().getParam("after");
        if (after == null) {
            act(context, Simulator::restart);
            return;
        }
        if (!after.matches("[1-9][0-9]{0,8}")) {
            respond(context, 400, problem("want milliseconds in ?after=, got " + after));
            return;
        }
        act(context, replica -> {
            vertx.timer(Long.parseLong(after))
                    .compose(now -> replica.restart())
                    .onFailure(cause -> LOG.warn("simulator {} does not start", replica.name(), cause));
            return Future.succeededFuture();
        });
    }

    private void fault(RoutingContext context) {
        act(context, replica -> {
            Answer answer = SimAdmin.fault(
                    replica.faults(),
                    context.request().getParam("name"),
                    context.request().getParam("arg"),
                    context.request().getParam("count"));
            return answer.status() == 200
                    ? Future.succeededFuture()
                    : Future.failedFuture(
                            new IllegalArgumentException(new JsonObject(answer.body()).getString("error")));
        });
    }

    private void act(RoutingContext context, Function<Simulator, Future<Void>> action) {
        String number = context.pathParam("number");
        if (number == null || !number.matches("[0-9]{1,6}") || Integer.parseInt(number) >= replicas.size()) {
            respond(context, 404, problem("no replica " + number + "; there are 0 to " + (replicas.size() - 1)));
            return;
        }
        Simulator replica = replicas.get(Integer.parseInt(number));
        action.apply(replica)
                .onSuccess(done -> respond(context, 200, replica.state().encode()))
                .onFailure(cause -> respond(
                        context,
                        cause instanceof IllegalArgumentException ? 400 : 500,
                        problem(String.valueOf(cause.getMessage()))));
    }

    private static String problem(String message) {
        return new JsonObject().put("error", message).encode();
    }

    private static void respond(RoutingContext context, int status, String json) {
        context.response()
                .setStatusCode(status)
                .putHeader("content-type", "application/json")
                .end(json + "\n")
                .onFailure(context::fail);
    }
}
