package io.penstock.health;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import io.penstock.bus.Topic;
import io.penstock.config.Endpoint;
import io.penstock.config.PenstockConfig;
import io.penstock.config.Replica;
import io.penstock.upstream.Discovery;
import io.penstock.upstream.LiveUpstreams;
import io.penstock.upstream.UpstreamSet;
import io.penstock.upstream.UpstreamState;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.slf4j.LoggerFactory;

/** A probe verticle over real sockets, with short times, and all that it says. */
@Timeout(60)
abstract class ProbeStage {

    static final Topic<PenstockConfig> CONFIGS = new Topic<>("test.configs", PenstockConfig.class);
    static final Duration NEVER = Duration.ofHours(1);
    static final PenstockConfig.Probe QUICK =
            new PenstockConfig.Probe(Duration.ofMillis(20), Duration.ofSeconds(5), 3, 2, NEVER);
    static final PenstockConfig.Probe SLOW = new PenstockConfig.Probe(NEVER, Duration.ofSeconds(5), 3, 2, NEVER);
    static final Pace PACE = new Pace(
            Duration.ofMillis(30),
            Duration.ofMillis(300),
            Duration.ofMillis(20),
            Duration.ZERO,
            Duration.ofSeconds(5),
            Duration.ofMillis(20));
    /** Nothing happens by itself: neither look-ups nor eager probes. */
    static final Pace STILL =
            new Pace(NEVER, Duration.ofMillis(300), NEVER, Duration.ZERO, Duration.ofSeconds(5), NEVER);

    static final class Lines extends AppenderBase<ILoggingEvent> {

        final List<String> lines = new CopyOnWriteArrayList<>();

        @Override
        protected void append(ILoggingEvent event) {
            lines.add(event.getLevel() + " " + event.getFormattedMessage());
        }
    }

    final Vertx vertx = Vertx.vertx();
    final LiveUpstreams live = new LiveUpstreams(System::nanoTime);
    final Map<String, List<String>> names = new ConcurrentHashMap<>();
    final List<ReplicaChange> changes = new CopyOnWriteArrayList<>();
    final List<UpstreamSet> sets = new CopyOnWriteArrayList<>();
    final Lines log = new Lines();
    final Logger logger = (Logger) LoggerFactory.getLogger("io.penstock");
    final List<ScriptedReplica> servers = new ArrayList<>();
    Discovery.Resolver resolver = host -> {
        List<String> addresses = names.get(host);
        if (addresses == null) {
            throw new UnknownHostException(host);
        }
        return addresses;
    };

    @BeforeEach
    void listen() {
        Topic.carryOn(vertx);
        ProbeVerticle.CHANGES.subscribe(vertx.eventBus(), changes::add);
        ProbeVerticle.SETS.subscribe(vertx.eventBus(), sets::add);
        log.start();
        logger.addAppender(log);
    }

    @AfterEach
    void close() throws Exception {
        await(vertx.close());
        logger.detachAppender(log);
        for (ScriptedReplica server : servers) {
            server.close();
        }
    }

    ScriptedReplica server() throws Exception {
        ScriptedReplica server = new ScriptedReplica();
        servers.add(server);
        return server;
    }

    ProbeVerticle deploy(PenstockConfig config, Pace pace) throws Exception {
        Random seed7 = new Random(7);
        ProbeVerticle verticle =
                new ProbeVerticle(config, CONFIGS, live, resolver, System::nanoTime, seed7::nextDouble, pace);
        await(vertx.deployVerticle(verticle));
        return verticle;
    }

    UpstreamState state(String name) {
        UpstreamState state = live.current().find(name);
        return Objects.requireNonNull(state, name);
    }

    List<String> flips() {
        return changes.stream().map(change -> change.from() + ">" + change.to()).toList();
    }

    static PenstockConfig.Probe withTimeout(Duration timeout) {
        return new PenstockConfig.Probe(QUICK.interval(), timeout, 3, 2, NEVER);
    }

    static Replica plain(String name, int port) {
        return named(name, "127.0.0.1", port);
    }

    static Replica named(String name, String host, int port) {
        return new Replica(name, new Endpoint(host, port), false, false, 1, 0, Set.of(), null);
    }

    static Replica every(String host, int port) {
        return new Replica(host, new Endpoint(host, port), false, true, 1, 0, Set.of(), null);
    }

    static PenstockConfig config(PenstockConfig.Probe probe, Replica... replicas) {
        return config(probe, PenstockConfig.Progress.DEFAULT, PenstockConfig.Ejection.DEFAULT, replicas);
    }

    static PenstockConfig config(PenstockConfig.Probe probe, PenstockConfig.Progress progress, Replica... replicas) {
        return config(probe, progress, PenstockConfig.Ejection.DEFAULT, replicas);
    }

    static PenstockConfig config(PenstockConfig.Probe probe, PenstockConfig.Ejection ejection, Replica... replicas) {
        return config(probe, PenstockConfig.Progress.DEFAULT, ejection, replicas);
    }

    private static PenstockConfig config(
            PenstockConfig.Probe probe,
            PenstockConfig.Progress progress,
            PenstockConfig.Ejection ejection,
            Replica... replicas) {
        return new PenstockConfig(
                new Endpoint("127.0.0.1", 0),
                new PenstockConfig.Admin(new Endpoint("127.0.0.1", 0), null),
                List.of(replicas),
                PenstockConfig.Selection.DEFAULT,
                PenstockConfig.Admission.DEFAULT,
                probe,
                progress,
                ejection,
                PenstockConfig.Retry.DEFAULT,
                PenstockConfig.Heartbeat.DEFAULT,
                PenstockConfig.Timeouts.DEFAULT,
                PenstockConfig.Limits.DEFAULT,
                PenstockConfig.Drain.DEFAULT,
                PenstockConfig.Routes.DEFAULT,
                PenstockConfig.Trust.DEFAULT,
                PenstockConfig.Log.DEFAULT,
                PenstockConfig.Tracing.DEFAULT,
                PenstockConfig.Explain.DEFAULT);
    }

    static <T> T await(Future<T> future) throws Exception {
        return future.toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
    }

    static void eventually(BooleanSupplier condition) throws InterruptedException {
        int attempts = 2000;
        while (!condition.getAsBoolean()) {
            assertThat(attempts--).as("attempts left").isPositive();
            TimeUnit.MILLISECONDS.sleep(10);
        }
    }
}
