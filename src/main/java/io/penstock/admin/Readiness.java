package io.penstock.admin;

import io.penstock.upstream.UpstreamSet;
import io.penstock.upstream.UpstreamState;
import io.vertx.core.Handler;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.healthchecks.HealthChecks;
import io.vertx.ext.healthchecks.Status;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.healthchecks.HealthCheckHandler;
import java.util.HashSet;
import java.util.Set;

/**
 * Answers {@code GET /readyz}: 200 while new requests would be served, else 503, with every reason in the body.
 *
 * <p>Three procedures decide: {@code configuration} (one is in force), {@code rotation} (at least one replica is usable)
 * and {@code staying} (Penstock is not on its way down). Health checks are joined by "and", and one dead replica of two
 * must not take the whole service out, so the procedures of single replicas, under {@code replicas}, are always up and
 * carry what is known as their data. All of them read the cached verdict; none asks a replica.
 *
 * <p>Confined to the admin verticle's event loop.
 */
final class Readiness implements Handler<RoutingContext> {

    private static final String REPLICAS = "replicas/";

    private final RunningInstance instance;
    private final HealthChecks checks;
    private final HealthCheckHandler handler;
    private final Set<String> registered = new HashSet<>();

    Readiness(Vertx vertx, RunningInstance instance) {
        this.instance = instance;
        this.checks = HealthChecks.create(vertx);
        this.handler = HealthCheckHandler.createWithHealthChecks(checks);
        checks.register("configuration", this::configuration);
        checks.register("rotation", this::rotation);
        checks.register("staying", this::staying);
    }

    @Override
    public void handle(RoutingContext context) {
        follow(instance.upstreams().current());
        context.response().putHeader("cache-control", "no-store");
        handler.handle(context);
    }

    /** Anew for each request: a handful of map entries, and a replica may change its name in a set that stays. */
    private void follow(UpstreamSet current) {
        registered.forEach(checks::unregister);
        registered.clear();
        for (UpstreamState member : current.members()) {
            // A slash would make a group.
            String procedure = REPLICAS + member.name().replace('/', '_');
            checks.register(procedure, promise -> promise.complete(Status.OK(describe(member))));
            registered.add(procedure);
        }
    }

    private void configuration(Promise<Status> promise) {
        promise.complete(
                instance.configLoaded().getAsBoolean()
                        ? Status.OK()
                        : Status.KO(new JsonObject().put("reason", "no configuration is in force yet")));
    }

    private void rotation(Promise<Status> promise) {
        UpstreamSet current = instance.upstreams().current();
        int usable = 0;
        for (UpstreamState member : current.members()) {
            usable += member.usable() ? 1 : 0;
        }
        JsonObject counts = new JsonObject()
                .put("usable", usable)
                .put("replicas", current.members().size());
        // Where nobody better is left, suspected ones serve, in a panic ejected ones, and all that may when the probes
        // are silent.
        promise.complete(instance.upstreams().anyOpen() ? Status.OK(counts) : Status.KO(counts));
    }

    private void staying(Promise<Status> promise) {
        promise.complete(
                instance.lameDuck().getAsBoolean()
                        ? Status.KO(new JsonObject().put("reason", "Penstock is going down"))
                        : Status.OK());
    }

    private static JsonObject describe(UpstreamState member) {
        return new JsonObject()
                .put("standing", UpstreamListing.wordFor(member.standing()))
                .put("reason", member.reason())
                .put("usable", member.usable())
                .put("draining", member.draining())
                .put("inFlight", member.inFlight());
    }
}
