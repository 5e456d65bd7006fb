package io.penstock.sim;

import io.netty.channel.EventLoop;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A stand-in for one vLLM server, true to it on the wire, with faults on demand. It lives on one event loop of the
 * given Vert.x, and ends with it; its public methods may be called from any thread.
 */
public final class Simulator {

    private static final Logger LOG = LoggerFactory.getLogger(Simulator.class);
    private static final DateTimeFormatter DATE = DateTimeFormatter.ofPattern(
                    "EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.ROOT)
            .withZone(ZoneOffset.UTC);
    /** So that the answer to a stop has left before the reset. */
    private static final Duration LAST_WORDS = Duration.ofMillis(20);

    private final VertxInternal vertx;
    private final String deploymentId;
    private final SimOptions options;
    private final String fingerprint;
    private final EventLoop loop;
    private final Timers timers;
    private final Faults faults;
    private final Traffic traffic = new Traffic();
    private final SimRoutes routes;
    private final ListeningPort listening;
    private volatile int port;
    private volatile boolean running;
    private volatile Departure departure;
    // From here on confined to the event loop.
    private final Set<SimConnection> connections = new HashSet<>();
    private Engine engine;
    private SimMetrics metrics;
    private boolean loading;
    private @Nullable Fault refusal;

    private Simulator(ContextInternal context, SimOptions options, InetSocketAddress address) {
        this.vertx = context.owner();
        this.deploymentId = context.deploymentID();
        this.options = options;
        this.fingerprint = String.format("vllm-0.32.0-%08x", (int) SimText.seedOf(options.name()));
        this.loop = context.nettyEventLoop();
        this.timers = Timers.on(loop);
        this.faults = new Faults(new Random(options.seed()));
        this.routes = new SimRoutes(options, this, new Intake(options, fingerprint, new Random(~options.seed())));
        this.listening = new ListeningPort(
                loop, vertx.transport().serverChannelFactory(false), address, () -> new SimConnection(new Server()));
        this.departure = new Departure(traffic, timers);
        this.engine = newEngine();
        this.metrics = newMetrics();
        options.rates().forEach(faults::set);
        faults.onChange(() -> loop.execute(this::apply));
    }

    /**
     * Starts one. With a slow start among its faults the port is closed at first.
     *
     * @param vertx where it lives
     * @param options how it behaves
     * @return the simulator, once its port is known; fails if the port is taken
     */
    public static Future<Simulator> start(Vertx vertx, SimOptions options) {
        Deployment deployment = new Deployment(options, new InetSocketAddress(options.host(), options.port()));
        return vertx.deployVerticle(deployment).map(id -> deployment.simulator());
    }

    /**
     * Which replica this is.
     *
     * @return the name from the options
     */
    public String name() {
        return options.name();
    }

    /**
     * Where it listens, now or when its port opens again.
     *
     * @return the port's number
     */
    public int port() {
        return port;
    }

    /**
     * What marks this replica's answers in every API that has the field.
     *
     * @return the value of {@code system_fingerprint}, a function of the name
     */
    public String fingerprint() {
        return fingerprint;
    }

    /**
     * What goes wrong, to be changed at any time.
     *
     * @return the live list
     */
    public Faults faults() {
        return faults;
    }

    /**
     * What reached it.
     *
     * @return the live counters; a restart does not reset them
     */
    public Traffic traffic() {
        return traffic;
    }

    /**
     * Whether it lives, with its port open or not.
     *
     * @return false between {@link #stop} and {@link #restart}
     */
    public boolean isRunning() {
        return running;
    }

    /**
     * Dies as a killed process does: the port closes and every connection is reset. Does nothing if it is dead.
     *
     * @return when that is done
     */
    public Future<Void> stop() {
        return onLoop(this::die);
    }

    /**
     * Lives again on the same port, with empty metrics and a new start time; after its time if a slow start is on. Does
     * nothing if it lives.
     *
     * @return when the port is open, or at once with a slow start; fails if the port was taken meanwhile
     */
    public Future<Void> restart() {
        return onLoop(() -> running ? Future.succeededFuture() : begin());
    }

    /**
     * Goes down as vLLM does on SIGTERM with {@code --shutdown-timeout}: running requests go on, the port stays open,
     * {@code /health} says 200, and every new request for output gets 500. Unlike vLLM it does not wait for the time to
     * be over when its last request is. Does nothing if it is dead.
     *
     * @param timeout how long requests may go on; those that are left are cut
     * @return when the port and every connection are closed
     */
    public Future<Void> shutDown(Duration timeout) {
        return onLoop(() -> running ? departure.begin(timeout).compose(over -> leave()) : Future.succeededFuture());
    }

    /**
     * Ends for good.
     *
     * @return when the port is closed and every connection reset
     */
    public Future<Void> close() {
        return vertx.undeploy(deploymentId);
    }

    /** What {@code /sim/state} says. */
    JsonObject state() {
        JsonObject paths = new JsonObject();
        traffic.paths().forEach((path, count) -> paths.put(path, count.get()));
        return new JsonObject()
                .put("name", name())
                .put("port", port)
                .put("model", options.model())
                .put("fingerprint", fingerprint)
                .put("running", running)
                .put("shuttingDown", departure.isUnderway())
                .put("faults", new JsonArray(faults.active()))
                .put("inFlight", traffic.inFlight())
                .put("finished", traffic.finished())
                .put("aborted", traffic.aborted())
                .put("cut", traffic.cut())
                .put("openConnections", traffic.openConnections())
                .put("acceptedConnections", traffic.acceptedConnections())
                .put("requests", paths);
    }

    Engine engine() {
        return engine;
    }

    SimMetrics metrics() {
        return metrics;
    }

    Timers timers() {
        return timers;
    }

    private Future<Void> begin() {
        running = true;
        departure = new Departure(traffic, timers);
        engine = newEngine();
        metrics = newMetrics();
        Fault slow = faults.standing(Fault.Kind.SLOW_START);
        loading = slow != null;
        if (slow != null) {
            timers.after(Duration.ofMillis(slow.argument()), () -> {
                loading = false;
                apply();
            });
        }
        // A free port has to be taken once to know its number, even if it closes again at once.
        Future<Void> known = listening.number() == 0 ? listening.open(true) : Future.succeededFuture();
        return known.compose(done -> adjust()).onSuccess(done -> port = listening.number());
    }

    private Future<Void> die() {
        running = false;
        Future<Void> closed = listening.open(false);
        List.copyOf(connections).forEach(SimConnection::kill);
        return closed;
    }

    /** Closes what is unused in peace, so that the last bytes of an answer arrive; then dies. */
    private Future<Void> leave() {
        Promise<Void> gone = Promise.promise();
        connections.stream().filter(SimConnection::isUnused).toList().forEach(SimConnection::close);
        timers.after(LAST_WORDS, () -> die().onComplete(gone));
        return gone.future();
    }

    private void apply() {
        adjust().onFailure(cause -> LOG.warn("simulator {}: port {} does not open", name(), port, cause));
    }

    /** Makes port and engine what the standing faults say. */
    private Future<Void> adjust() {
        if (faults.standing(Fault.Kind.HANG) == null) {
            metrics.thaw();
            engine.thaw();
        } else {
            metrics.freeze(engine);
            engine.freeze();
        }
        Fault found = faults.standing(Fault.Kind.REFUSE);
        if (found != null && !found.equals(refusal) && found.argument() > 0) {
            timers.after(Duration.ofMillis(found.argument()), () -> {
                if (found.equals(faults.standing(Fault.Kind.REFUSE))) {
                    faults.clear(Fault.Kind.REFUSE);
                }
            });
        }
        refusal = found;
        return listening.open(running && !loading && found == null);
    }

    private Engine newEngine() {
        EngineProfile profile = options.profile();
        if (profile != null) {
            return new StepEngine(profile, timers, options.nanoClock(), 1 / options.speed());
        }
        return new FixedPace(timers, options.nanoClock(), options.firstToken(), options.step());
    }

    private SimMetrics newMetrics() {
        return new SimMetrics(
                options.model(), options.nanoClock(), options.wallClockMillis().getAsLong());
    }

    /** Runs something on the event loop; the caller learns of its end on the caller's own context. */
    private Future<Void> onLoop(Supplier<Future<Void>> action) {
        Promise<Void> done = vertx.promise();
        loop.execute(() -> action.get().onComplete(done));
        return done.future();
    }

    /** The verticle that gives the simulator its event loop, and ends it with Vert.x. */
    private static final class Deployment extends VerticleBase {

        private final SimOptions options;
        private final InetSocketAddress address;
        private @Nullable Simulator simulator;

        Deployment(SimOptions options, InetSocketAddress address) {
            this.options = options;
            this.address = address;
        }

        @Override
        public Future<?> start() {
            Simulator made = new Simulator((ContextInternal) context, options, address);
            simulator = made;
            return made.begin();
        }

        @Override
        public Future<?> stop() {
            return simulator().die();
        }

        Simulator simulator() {
            Simulator made = simulator;
            if (made == null) {
                throw new IllegalStateException("not deployed");
            }
            return made;
        }
    }

    /** What connections ask of their server. */
    private final class Server implements SimConnection.Owner {

        @Override
        public void onOpen(SimConnection connection) {
            connections.add(connection);
            traffic.opened();
        }

        @Override
        public void onClosed(SimConnection connection) {
            connections.remove(connection);
            traffic.closed();
        }

        @Override
        public void onExchange(Exchange exchange) {
            SimRequest request = exchange.request();
            if (!isControl(request)) {
                traffic.arrived(request, SimRoutes.generates(request));
                if (departure.isUnderway() && SimRoutes.generates(request)) {
                    exchange.answerAndClose(Refusal.draining());
                } else {
                    routes.handle(exchange);
                }
            } else if (request.path().equals("/sim/stop") && request.method().equals("POST")) {
                exchange.answer(Answer.json(200, "{\"running\":false}"));
                timers.after(LAST_WORDS, () -> die().onFailure(cause -> LOG.warn("simulator {}: {}", name(), cause)));
            } else {
                exchange.answer(SimAdmin.answer(Simulator.this, request));
            }
        }

        @Override
        public void onEnd(Exchange exchange) {
            SimRequest request = exchange.request();
            if (isControl(request)) {
                return;
            }
            if (SimRoutes.generates(request)) {
                traffic.ended(exchange.end());
                departure.requestEnded();
            }
            if (exchange.status() != 0) {
                metrics.http(routes.handlerName(request), request.method(), exchange.status());
            }
        }

        @Override
        public String date() {
            return DATE.format(Instant.ofEpochMilli(options.wallClockMillis().getAsLong()));
        }

        @Override
        public Duration keepAlive() {
            return options.keepAlive();
        }

        @Override
        public Timers timers() {
            return timers;
        }

        private static boolean isControl(SimRequest request) {
            return request.path().startsWith("/sim/");
        }
    }
}
