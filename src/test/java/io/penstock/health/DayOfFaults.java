package io.penstock.health;

import io.penstock.admission.Tried;
import io.penstock.admission.WaitingRoom;
import io.penstock.config.Endpoint;
import io.penstock.config.PenstockConfig;
import io.penstock.config.Replica;
import io.penstock.health.ModelledReplica.Truth;
import io.penstock.upstream.Lease;
import io.penstock.upstream.LiveUpstreams;
import io.penstock.upstream.Standing;
import io.penstock.upstream.Upstream;
import io.penstock.upstream.UpstreamState;
import io.vertx.core.Future;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Watches, waiting room and replicas' states as in production, with modelled replicas instead of sockets and on a moved
 * clock. What the probe verticle and the event bus do between them is here, too.
 */
final class DayOfFaults implements Inquiries, ReplicaWatch.Listener {

    static final String ADDRESS = "192.0.2.1";
    static final String MODEL = "demo";
    /** How long a message on the event bus is under way. */
    private static final long BUS = MovedClock.MILLI / 10;

    /** Longer than any replica that is well may be out of rotation. */
    private static final long AT_EASE = 130 * MovedClock.SECOND;

    private static final int MOST_PROMPT_BYTES = 8000;
    private static final int MOST_PARTS = 6;

    final MovedClock time = new MovedClock();
    final Random random;
    final LiveUpstreams live = new LiveUpstreams(time::now);
    final WaitingRoom room;
    final Set<Errand> errands = new LinkedHashSet<>();
    final List<ReplicaChange> changes = new ArrayList<>();

    private final Map<String, ModelledReplica> replicas = new LinkedHashMap<>();
    private final Map<String, ReplicaWatch> watches = new LinkedHashMap<>();
    private final ConductWatch conduct;
    private final Invariants invariants;
    private long lastOutputNanos;
    private int delivering;
    private long answered;
    private long lost;
    private long needlesslyLost;

    DayOfFaults(long seed, int size) {
        random = new Random(seed);
        List<Upstream> upstreams = new ArrayList<>();
        List<Replica> configured = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            String name = "vllm" + i;
            Replica replica = new Replica(name, new Endpoint(name, 8000), false, false, 1, 0, Set.of(), null);
            configured.add(replica);
            upstreams.add(new Upstream(name, name, replica, List.of(ADDRESS)));
            replicas.put(name, new ModelledReplica(name, time, new Random(31 * seed + i)::nextDouble));
        }
        PenstockConfig config = ProbeStage.config(PenstockConfig.Probe.DEFAULT, configured.toArray(Replica[]::new));
        room = new WaitingRoom(live, config, time::now);
        live.apply(upstreams);
        ReplicaWatch.Kit kit = new ReplicaWatch.Kit(
                time.vertx(), this, config::probe, config::progress, live, Pace.DEFAULT, time::now, random::nextDouble);
        conduct = new ConductWatch(time.vertx(), live, config::ejection, time::now, random::nextDouble, this::publish);
        for (UpstreamState member : live.current().members()) {
            ReplicaWatch watch = new ReplicaWatch(member, kit, this);
            watches.put(member.id(), watch);
            watch.probe();
        }
        invariants = new Invariants(this);
        everySecond();
    }

    ModelledReplica replica(UpstreamState state) {
        return replica(state.name());
    }

    ModelledReplica replica(String name) {
        return Objects.requireNonNull(replicas.get(name), name);
    }

    UpstreamState state(String name) {
        return Objects.requireNonNull(live.current().find(name), name);
    }

    List<ModelledReplica> replicas() {
        return List.copyOf(replicas.values());
    }

    /** When a client got something last. */
    long lastOutputNanos() {
        return lastOutputNanos;
    }

    long answered() {
        return answered;
    }

    long lost() {
        return lost;
    }

    /**
     * Of these, those without a cause: nothing was shown though some replica was well and had been for long enough to be
     * back, or an answer broke off at a replica that was well all the time.
     */
    long needlesslyLost() {
        return needlesslyLost;
    }

    /** Lets time pass; what must always be true is checked after everything that happens. */
    void runFor(Duration duration) {
        time.runUntil(time.now() + duration.toNanos(), invariants::check);
    }

    private void everySecond() {
        live.turned();
        conduct.tick();
        List.copyOf(errands).forEach(Errand::look);
        time.after(MovedClock.SECOND, this::everySecond);
    }

    // ---- requests -----------------------------------------------------------------------------------------------

    Errand ask(int parts) {
        Errand errand = new Errand(this, 100 + random.nextInt(MOST_PROMPT_BYTES), parts);
        errands.add(errand);
        errand.start();
        return errand;
    }

    /** A client that may lose its patience. */
    void askAsClientsDo() {
        Errand errand = ask(1 + random.nextInt(MOST_PARTS));
        if (random.nextInt(50) == 0) {
            time.after(random.nextInt(20_000) * MovedClock.MILLI, errand::leave);
        }
    }

    void leased(Lease lease, Tried tried) {
        invariants.leased(lease, tried);
    }

    void released(Lease lease) {
        invariants.released(lease);
    }

    void ended(Errand errand, boolean well) {
        errands.remove(errand);
        if (well) {
            answered++;
        } else {
            lost++;
            if (errand.shown()
                    ? errand.brokeAtOneThatIsWell()
                    : anyGoodFor(time.now() - errand.bornNanos() + AT_EASE)) {
                needlesslyLost++;
            }
        }
    }

    /** On a waiter's own event loop, a moment later. */
    void deliver(Runnable task) {
        delivering++;
        time.after(0, () -> {
            delivering--;
            task.run();
        });
    }

    /** Whether leases are on their way to those who waited. */
    boolean delivers() {
        return delivering > 0;
    }

    void relayed() {
        lastOutputNanos = time.now();
    }

    void doubt(UpstreamState state, String reason) {
        ReplicaWatch watch = Objects.requireNonNull(watches.get(state.id()));
        time.after(BUS, () -> watch.doubt(new Doubt(state, reason)));
    }

    void incident(UpstreamState state) {
        if (state.conduct().tell()) {
            time.after(BUS, () -> conduct.incident(new Incident(state)));
        }
    }

    void booksMustBeZero() {
        invariants.booksMustBeZero();
    }

    // ---- what the probe verticle does ---------------------------------------------------------------------------

    private void publish(ReplicaChange change) {
        changes.add(change);
        time.after(BUS, () -> {
            boolean gone = change.to() == Standing.FAILING
                    || change.to() == Standing.REFUSED
                    || change.to() == Standing.STALLED;
            if (gone && change.probed()) {
                List.copyOf(errands).forEach(errand -> errand.lost(change.upstream()));
            }
            room.wake();
        });
    }

    @Override
    public void returning(UpstreamState state, Standing from) {
        conduct.returning(state, from);
    }

    @Override
    public void changed(ReplicaChange change) {
        conduct.watchPanic();
        publish(change);
    }

    @Override
    public void reached(UpstreamState state, String address) {}

    @Override
    public void modelsRead() {}

    // ---- what replicas answer -----------------------------------------------------------------------------------

    @Override
    public Future<HttpProbe.Result> health(Upstream upstream, Duration timeout) {
        return replica(upstream.name()).health(timeout);
    }

    @Override
    public Future<ModelList> models(Upstream upstream, String address, Duration timeout) {
        return replica(upstream.name()).models(timeout);
    }

    @Override
    public Future<@Nullable GaugeScanner> metrics(Upstream upstream, String address, Duration timeout) {
        return replica(upstream.name()).metrics(timeout);
    }

    @Override
    public Future<TokenCall.Kind> token(Upstream upstream, String address, String path, String body, Duration timeout) {
        return replica(upstream.name()).token(timeout);
    }

    /** Whether it could serve right now, if it were let. */
    boolean anyGoodFor(long nanos) {
        for (ModelledReplica replica : replicas.values()) {
            if (replica.truth() == Truth.GOOD && replica.soFor() >= nanos) {
                return true;
            }
        }
        return false;
    }
}
