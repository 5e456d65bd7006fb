package io.penstock;

import io.penstock.admin.AdminVerticle;
import io.penstock.admin.RunningInstance;
import io.penstock.admin.TrafficRecorder;
import io.penstock.admission.BodyBudget;
import io.penstock.admission.WaitingRoom;
import io.penstock.bus.Topic;
import io.penstock.config.ConfigFile;
import io.penstock.config.ConfigState;
import io.penstock.config.ConfigVerticle;
import io.penstock.config.PenstockConfig;
import io.penstock.config.Reading;
import io.penstock.health.ProbeVerticle;
import io.penstock.health.ReplicaChange;
import io.penstock.metrics.AccessLog;
import io.penstock.metrics.DroppingAppender;
import io.penstock.metrics.OpenTelemetryTracing;
import io.penstock.metrics.PrometheusMetrics;
import io.penstock.proxy.ExchangeObserver;
import io.penstock.proxy.ExchangeTracer;
import io.penstock.proxy.Lifecycle;
import io.penstock.proxy.PoisonBodies;
import io.penstock.proxy.ProxyVerticle;
import io.penstock.proxy.Receipts;
import io.penstock.proxy.RetryPolicy;
import io.penstock.proxy.Shared;
import io.penstock.upstream.Discovery;
import io.penstock.upstream.LiveUpstreams;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One Penstock, wired in order: configuration, replicas, front, admin port. Its methods may be called from any thread. */
final class Penstock {

    private static final Logger LOG = LoggerFactory.getLogger(Penstock.class);
    /** An event loop that has not turned for so long is stuck. */
    private static final Duration STUCK = Duration.ofSeconds(10);
    /** A handshake that has begun is over after one round trip, and its connection accepted. Below TCP's first second. */
    private static final long HANDSHAKE_MILLIS = 500;

    private final Vertx vertx;
    private final Chance chance;
    private final boolean sharesPort;
    private final PenstockConfig initial;
    private final ConfigVerticle config;
    private final LiveUpstreams live;
    private final WaitingRoom room;
    private final BodyBudget bodies;
    private final RetryPolicy retries;
    private final Lifecycle lifecycle = new Lifecycle();
    private final LongAdder lostSpans = new LongAdder();
    private final ExchangeTracer tracer;
    private final PrometheusMetrics metrics;
    private final TrafficRecorder traffic;
    private final ProbeVerticle probes;
    private final AdminVerticle admin;
    private final Shared shared;
    private final List<ProxyVerticle> fronts = Collections.synchronizedList(new ArrayList<>());

    private Penstock(
            Vertx vertx, ConfigFile file, Reading first, PenstockConfig initial, Chance chance, boolean sharesPort) {
        this.vertx = vertx;
        this.chance = chance;
        this.sharesPort = sharesPort;
        this.initial = initial;
        this.config = new ConfigVerticle(file, first);
        this.live = new LiveUpstreams(chance.nanoClock());
        this.room = new WaitingRoom(live, initial, chance.nanoClock());
        this.bodies = new BodyBudget(bodyMemory(initial));
        this.retries = new RetryPolicy(initial.retry(), chance.nanoClock(), chance.random());
        this.metrics = new PrometheusMetrics(metricSources());
        this.traffic = new TrafficRecorder(chance.nanoClock());
        this.tracer = tracer(initial.tracing());
        AccessLog accessLog = new AccessLog(() -> config.state().current().log().access(), chance.epochMillis());
        this.probes = new ProbeVerticle(
                initial, ConfigVerticle.CHANGES, live, Discovery.system(), chance.nanoClock(), chance.random());
        this.shared = new Shared(
                live,
                room,
                bodies,
                retries,
                new PoisonBodies(chance.nanoClock()),
                ExchangeObserver.all(List.of(metrics, accessLog, traffic)),
                tracer,
                new Receipts(Receipts.REMEMBERED, chance.nanoClock()),
                lifecycle,
                chance.nanoClock(),
                chance.requestIds(),
                (long) (chance.random().getAsDouble() * Long.MAX_VALUE));
        this.admin = new AdminVerticle(initial.admin().listen(), instance());
    }

    private PrometheusMetrics.Sources metricSources() {
        return new PrometheusMetrics.Sources(
                live,
                config::state,
                room::waiting,
                bodies::reservedBytes,
                () -> bodyMemory(config.state().current()),
                DroppingAppender::droppedLines,
                lostSpans::sum,
                chance.nanoClock(),
                Version.current());
    }

    private ExchangeTracer tracer(PenstockConfig.Tracing wanted) {
        return wanted.off()
                ? ExchangeTracer.OFF
                : OpenTelemetryTracing.start(
                        wanted, Version.current(), chance.nanoClock(), chance.epochMillis(), lostSpans);
    }

    /**
     * Starts one.
     *
     * @param vertx where it runs; {@link Topic#carryOn} was called on it
     * @param file where the configuration comes from
     * @param first a good reading of it
     * @param chance time and randomness
     * @return the running Penstock; fails if a port cannot be opened
     */
    static Future<Penstock> start(Vertx vertx, ConfigFile file, Reading first, Chance chance) {
        return start(vertx, file, first, chance, false);
    }

    /**
     * Starts one that may stand beside another on the same port.
     *
     * @param vertx where it runs; {@link Topic#carryOn} was called on it
     * @param file where the configuration comes from
     * @param first a good reading of it
     * @param chance time and randomness
     * @param sharesPort whether other processes of the same user may listen on the clients' port, too
     * @return the running Penstock; fails if a port cannot be opened
     */
    static Future<Penstock> start(Vertx vertx, ConfigFile file, Reading first, Chance chance, boolean sharesPort) {
        PenstockConfig initial = first.config();
        if (initial == null) {
            return Future.failedFuture(new IllegalArgumentException("the configuration is not good"));
        }
        Penstock penstock = new Penstock(vertx, file, first, initial, chance, sharesPort);
        return penstock.deploy().map(penstock);
    }

    private Future<Void> deploy() {
        AtomicInteger connections = new AtomicInteger();
        ConfigVerticle.CHANGES.subscribe(vertx.eventBus(), this::reconfigured);
        ProbeVerticle.CHANGES.subscribe(vertx.eventBus(), this::replicaChanged);
        ProbeVerticle.SETS.subscribe(vertx.eventBus(), set -> room.wake());
        DeploymentOptions onePerLoop = new DeploymentOptions().setInstances(eventLoops());
        return vertx.deployVerticle(config)
                .compose(id -> vertx.deployVerticle(probes))
                .compose(id -> vertx.deployVerticle(() -> front(connections), onePerLoop))
                .compose(id -> vertx.deployVerticle(admin))
                .onSuccess(id -> LOG.info(
                        "serving on http://{}:{} with {} replicas",
                        initial.listen().host(),
                        port(),
                        live.current().members().size()))
                .mapEmpty();
    }

    static int eventLoops() {
        return Runtime.getRuntime().availableProcessors();
    }

    private ProxyVerticle front(AtomicInteger connections) {
        ProxyVerticle front =
                new ProxyVerticle(shared, initial, ConfigVerticle.CHANGES, connections, Version.current(), sharesPort);
        fronts.add(front);
        return front;
    }

    private void replicaChanged(ReplicaChange change) {
        room.wake();
        metrics.replicaChanged(change);
    }

    private void reconfigured(PenstockConfig next) {
        room.reconfigure(next);
        bodies.resize(bodyMemory(next));
        retries.reconfigure(next.retry());
    }

    private static long bodyMemory(PenstockConfig config) {
        return Runtime.getRuntime().maxMemory() / 100 * config.limits().bodyMemoryPercent();
    }

    private RunningInstance instance() {
        return new RunningInstance(
                Version.current(),
                live,
                () -> true,
                this::configAsJson,
                room::waiting,
                lifecycle::leaving,
                this::stuckLoops,
                room::wake,
                room::learned,
                shared.receipts(),
                traffic,
                this::port,
                () -> config.state().current().admin().key(),
                chance.nanoClock(),
                metrics::scrape);
    }

    private JsonObject configAsJson() {
        ConfigState state = config.state();
        return new JsonObject()
                .put("source", state.source())
                .put("policy", state.current().selection().policy().name().toLowerCase(Locale.ROOT))
                .put("ok", state.problems().isEmpty())
                .put("applied", state.appliedCount())
                .put("rejected", state.rejectedCount())
                .put("problems", new JsonArray(state.problems()))
                .put("warnings", new JsonArray(state.warnings()))
                .put("lastChange", new JsonArray(state.lastChange()))
                .put("pendingRestart", new JsonArray(state.pendingRestart()));
    }

    private List<String> stuckLoops() {
        List<String> problems = new ArrayList<>();
        long now = chance.nanoClock().getAsLong();
        for (int i = 0; i < fronts.size(); i++) {
            long silentNanos = now - fronts.get(i).beatNanos();
            if (silentNanos > STUCK.toNanos()) {
                problems.add("proxy event loop " + i + " has not turned for " + silentNanos / 1_000_000_000 + " s");
            }
        }
        if (probes.silentFor().compareTo(STUCK) > 0) {
            problems.add("the probes have been silent for " + probes.silentFor().toSeconds() + " s");
        }
        return problems;
    }

    /**
     * The port that clients connect to.
     *
     * @return the real port, also when 0 was configured
     */
    int port() {
        return fronts.get(0).port();
    }

    /**
     * The operator's port.
     *
     * @return the real port, also when 0 was configured
     */
    int adminPort() {
        return admin.address().port();
    }

    /**
     * The replicas.
     *
     * @return the holder of the current set
     */
    LiveUpstreams upstreams() {
        return live;
    }

    /**
     * Requests that wait for a replica.
     *
     * @return zero or more
     */
    int waiting() {
        return room.waiting();
    }

    /**
     * Memory held by request bodies.
     *
     * @return bytes
     */
    long bodyBytes() {
        return bodies.reservedBytes();
    }

    /**
     * What is wrong with the configuration as it is in the file now.
     *
     * @return problems in words; empty while it is in force
     */
    List<String> configProblems() {
        return config.state().problems();
    }

    /**
     * Goes down in order, as after SIGTERM. The Vert.x instance stays open.
     *
     * @return completes when the last request has ended
     */
    Future<Void> drain() {
        return new Drain(vertx, lifecycle, this::handOver, this::closeFronts)
                .run(config.state().current().drain())
                .eventually(() -> vertx.undeploy(admin.deploymentID()))
                .eventually(() -> vertx.executeBlocking(Executors.callable(tracer::close)));
    }

    /** Without another process on the port this would only make clients wait before they are refused. */
    private Future<?> handOver() {
        if (!sharesPort) {
            return Future.succeededFuture();
        }
        List<Future<Boolean>> turning = new ArrayList<>();
        List.copyOf(fronts).forEach(front -> turning.add(front.turnAway()));
        return Future.join(turning).compose(turned -> {
            if (turned.<Boolean>list().stream().noneMatch(Boolean::booleanValue)) {
                LOG.warn("closing the shared port may reset connections that are being made"
                        + " (unless net.ipv4.tcp_migrate_req is 1)");
                return Future.succeededFuture();
            }
            return vertx.timer(HANDSHAKE_MILLIS, TimeUnit.MILLISECONDS);
        });
    }

    private Future<?> closeFronts(Duration deadline) {
        List<Future<Void>> closing = new ArrayList<>();
        for (ProxyVerticle front : List.copyOf(fronts)) {
            closing.add(front.close(deadline));
        }
        return Future.join(closing);
    }
}
