package io.penstock.proxy.front;

import io.penstock.admission.BodyBudget;
import io.penstock.admission.WaitingRoom;
import io.penstock.bus.Topic;
import io.penstock.config.PenstockConfig;
import io.penstock.health.ProbeVerticle;
import io.penstock.health.ReplicaChange;
import io.penstock.proxy.ExchangeObserver;
import io.penstock.proxy.ExchangeReport;
import io.penstock.proxy.Lifecycle;
import io.penstock.proxy.PoisonBodies;
import io.penstock.proxy.ProxyVerticle;
import io.penstock.proxy.Receipts;
import io.penstock.proxy.RetryPolicy;
import io.penstock.proxy.Shared;
import io.penstock.upstream.EngineActivity;
import io.penstock.upstream.LiveUpstreams;
import io.penstock.upstream.Standing;
import io.penstock.upstream.UpstreamState;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The real front on a free port: replicas, probes, waiting room, body budget and two event loops of proxy, wired as in
 * production. {@link #close} looks at the books: whatever a test did, nothing may be left in them.
 */
public final class Stage implements AutoCloseable {

    // Before whoever asks for the time.
    private final AtomicLong aheadNanos = new AtomicLong();
    /** All replicas. */
    public final LiveUpstreams live = new LiveUpstreams(this::now);
    /** How far it is on its way down. */
    public final Lifecycle lifecycle = new Lifecycle();
    /** Why requests went where they did. */
    public final Receipts receipts = new Receipts(64, System::nanoTime);
    /** Clients that are connected. */
    public final AtomicInteger clients = new AtomicInteger();

    private final Vertx vertx;
    private final WaitingRoom room;
    private final BodyBudget bodies;
    private final Books books = new Books();
    private final Topic<PenstockConfig> changes = new Topic<>("stage.config", PenstockConfig.class);
    private final List<ProxyVerticle> fronts = Collections.synchronizedList(new ArrayList<>());

    /** What the observer was told. */
    private static final class Books implements ExchangeObserver {
        private final AtomicLong started = new AtomicLong();
        private final AtomicInteger connections = new AtomicInteger();
        private final AtomicLong held = new AtomicLong();
        private final List<String> firstOutputs = new CopyOnWriteArrayList<>();
        private final Set<String> loops = ConcurrentHashMap.newKeySet();
        private final List<ExchangeReport> ended = new CopyOnWriteArrayList<>();

        @Override
        public void connectionOpened() {
            connections.incrementAndGet();
        }

        @Override
        public void connectionClosed() {
            connections.decrementAndGet();
        }

        @Override
        public void exchangeStarted() {
            started.incrementAndGet();
        }

        @Override
        public void firstOutput(String replica, long arrivedNanos, long askedNanos) {
            firstOutputs.add(replica);
        }

        @Override
        public void answerHeld(long bytes) {
            held.addAndGet(bytes);
        }

        @Override
        public void loopTurned(String loop, long lateNanos) {
            loops.add(loop);
        }

        @Override
        public void exchangeEnded(ExchangeReport report) {
            ended.add(report);
        }
    }

    private final Setting setting;
    private String probes = "";

    Stage(Setting setting) {
        PenstockConfig config = setting.config();
        vertx = Vertx.builder()
                .with(new VertxOptions().setEventLoopPoolSize(2).setPreferNativeTransport(true))
                .build();
        Topic.carryOn(vertx);
        room = new WaitingRoom(live, config, System::nanoTime);
        bodies = new BodyBudget(setting.bodyMemory);
        AtomicLong ids = new AtomicLong();
        Shared shared = new Shared(
                live,
                room,
                bodies,
                new RetryPolicy(config.retry(), System::nanoTime, () -> setting.chance),
                new PoisonBodies(System::nanoTime),
                books,
                setting.tracer,
                receipts,
                lifecycle,
                System::nanoTime,
                () -> "id-" + ids.incrementAndGet(),
                /* seed= */ 7);
        ProbeVerticle.CHANGES.subscribe(vertx.eventBus(), change -> room.wake());
        ProbeVerticle.SETS.subscribe(vertx.eventBus(), set -> room.wake());
        this.setting = setting;
        startProbes();
        await(vertx.deployVerticle(
                () -> {
                    ProxyVerticle front = new ProxyVerticle(shared, config, changes, clients, "1.2.3");
                    fronts.add(front);
                    return front;
                },
                new DeploymentOptions().setInstances(2)));
        int wanted = setting.readyReplicas < 0 ? config.upstreams().size() : setting.readyReplicas;
        Eventually.that(wanted + " replicas are ready", () -> ready() == wanted);
    }

    private static void await(Future<?> future) {
        future.toCompletionStage()
                .toCompletableFuture()
                .orTimeout(10, TimeUnit.SECONDS)
                .join();
    }

    /** Puts another configuration in force, as a reload does. */
    public void reconfigure(Setting next) {
        changes.publish(vertx.eventBus(), next.config());
    }

    private long now() {
        return System.nanoTime() + aheadNanos.get();
    }

    private void startProbes() {
        ProbeVerticle verticle =
                new ProbeVerticle(setting.config(), changes, live, setting.resolver, System::nanoTime, () -> 0.5);
        probes = vertx.deployVerticle(verticle)
                .toCompletionStage()
                .toCompletableFuture()
                .orTimeout(10, TimeUnit.SECONDS)
                .join();
    }

    /** Takes the probes away, and moves the clock on by so much. */
    public void silenceProbes(Duration silence) {
        await(vertx.undeploy(probes));
        aheadNanos.addAndGet(silence.toNanos());
    }

    /** Has them back. */
    public void bringProbesBack() {
        startProbes();
    }

    /** Where clients connect. */
    public int port() {
        return fronts.get(0).port();
    }

    /** Replicas that get work. */
    public long ready() {
        return live.current().members().stream().filter(UpstreamState::usable).count();
    }

    /** One replica. */
    public UpstreamState replica(String name) {
        UpstreamState found = live.current().find(name);
        if (found == null) {
            throw new AssertionError("no replica " + name);
        }
        return found;
    }

    /** Says that an engine stands still, as the probe verticle does: {@link Standing#SUSPECT} or STALLED. */
    public void suspect(String name, Standing to) {
        UpstreamState state = replica(name);
        Standing from = state.standing();
        state.engine().suspect(new EngineActivity.Suspicion(to, "no token"));
        ProbeVerticle.CHANGES.publish(vertx.eventBus(), new ReplicaChange(state, from, to, "no token", true));
    }

    /** Waits until a replica stands so. */
    public void awaitStanding(String name, Standing standing) {
        Eventually.that(name + " is " + standing, () -> replica(name).standing() == standing);
    }

    /** Requests that wait for a replica. */
    public int waiting() {
        return room.waiting();
    }

    /** Memory held by bodies. */
    public long bodyBytes() {
        return bodies.reservedBytes();
    }

    /** Memory for bodies, for a test that wants to take some. */
    public BodyBudget bodies() {
        return bodies;
    }

    /** Connections as the observer counts them. */
    public int connections() {
        return books.connections.get();
    }

    /** Requests that were begun. */
    public long started() {
        return books.started.get();
    }

    /** Bytes of answers that are held back. */
    public long held() {
        return books.held.get();
    }

    /** The replicas whose streams have begun to be passed on, one entry for each. */
    public List<String> firstOutputs() {
        return books.firstOutputs;
    }

    /** The event loops that have told how late they are. */
    public Set<String> loops() {
        return books.loops;
    }

    /** The reports so far, in the order of the ends. */
    public List<ExchangeReport> reports() {
        return List.copyOf(books.ended);
    }

    /** The n-th report, from 0, once it is there. */
    public ExchangeReport report(int n) {
        Eventually.that(() -> "report " + n + ", have " + books.ended, () -> books.ended.size() > n);
        return books.ended.get(n);
    }

    /** Stops taking work, on all event loops. */
    public Future<?> closeFronts(Duration deadline) {
        lifecycle.enter(Lifecycle.Phase.CLOSING);
        List<Future<Void>> closing = new ArrayList<>();
        for (ProxyVerticle front : List.copyOf(fronts)) {
            closing.add(front.close(deadline));
        }
        return Future.join(closing);
    }

    /** Waits until nothing is left in the books. */
    public void settle() {
        Eventually.that(
                () -> "the books are at zero: started " + started() + ", ended " + books.ended.size() + ", waiting "
                        + waiting() + ", bodies " + bodyBytes() + ", held " + held() + ", in flight "
                        + live.current().members().stream()
                                .map(each -> each.name() + "=" + each.inFlight())
                                .toList(),
                this::settled);
    }

    private boolean settled() {
        return started() == books.ended.size()
                && waiting() == 0
                && bodyBytes() == 0
                && held() == 0
                && live.current().members().stream().allMatch(each -> each.inFlight() == 0);
    }

    @Override
    public void close() {
        try {
            settle();
        } finally {
            await(vertx.close());
        }
    }
}
