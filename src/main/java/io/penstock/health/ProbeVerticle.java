package io.penstock.health;

import io.penstock.bus.Topic;
import io.penstock.config.Endpoint;
import io.penstock.config.PenstockConfig;
import io.penstock.upstream.Discovery;
import io.penstock.upstream.LiveUpstreams;
import io.penstock.upstream.Standing;
import io.penstock.upstream.Upstream;
import io.penstock.upstream.UpstreamSet;
import io.penstock.upstream.UpstreamState;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the replicas up to date: which there are, where they are, and how they stand. The only writer of
 * {@link LiveUpstreams}, and the only one that brings a replica back. Deploy one instance.
 *
 * <p>Its start completes once every name was looked up or 2 s are over; nothing that a replica or a name service does
 * makes it fail.
 */
public final class ProbeVerticle extends VerticleBase implements ReplicaWatch.Listener {

    /**
     * Every change of standing, and the outcome of every probe that a doubt asked for, even if nothing changed: whoever
     * waits for a replica looks again.
     */
    public static final Topic<ReplicaChange> CHANGES = new Topic<>("penstock.replica.changes", ReplicaChange.class);

    /** What the request path publishes when a replica let it down: it is probed at once. */
    public static final Topic<Doubt> DOUBTS = new Topic<>("penstock.replica.doubts", Doubt.class);

    /** What the request path publishes when a request failed at a replica, or ended there on trial. */
    public static final Topic<Incident> INCIDENTS = new Topic<>("penstock.replica.incidents", Incident.class);

    /** The replicas, each time that one came, went, moved or was configured otherwise. */
    public static final Topic<UpstreamSet> SETS = new Topic<>("penstock.replica.sets", UpstreamSet.class);

    private static final Logger LOG = LoggerFactory.getLogger(ProbeVerticle.class);

    private final Topic<PenstockConfig> configChanges;
    private final LiveUpstreams live;
    private final Discovery discovery = new Discovery();
    private final Discovery.Resolver resolver;
    private final LongSupplier nanoClock;
    private final DoubleSupplier random;
    private final Pace pace;
    private final Map<String, ReplicaWatch> watches = new HashMap<>();

    private PenstockConfig config;
    private boolean saidModelsUnreadable;
    // Written by its event loop, read by anyone.
    private volatile long lastTurnNanos;

    @SuppressWarnings("NullAway.Init") // Made by start().
    private HttpProbe http;

    @SuppressWarnings("NullAway.Init") // Made by start().
    private NameLookup lookup;

    @SuppressWarnings("NullAway.Init") // Made by start().
    private ReplicaWatch.Kit kit;

    @SuppressWarnings("NullAway.Init") // Made by start().
    private ConductWatch conduct;

    /**
     * Makes it; it acts once it is deployed.
     *
     * @param initial the configuration to start with
     * @param configChanges where later ones are published
     * @param live where the replicas are kept for everyone
     * @param resolver who is asked for addresses, on worker threads; {@link Discovery#system()} in production
     * @param nanoClock the time, in nanoseconds
     * @param random chance, from 0 to below 1
     */
    public ProbeVerticle(
            PenstockConfig initial,
            Topic<PenstockConfig> configChanges,
            LiveUpstreams live,
            Discovery.Resolver resolver,
            LongSupplier nanoClock,
            DoubleSupplier random) {
        this(initial, configChanges, live, resolver, nanoClock, random, Pace.DEFAULT);
    }

    ProbeVerticle(
            PenstockConfig initial,
            Topic<PenstockConfig> configChanges,
            LiveUpstreams live,
            Discovery.Resolver resolver,
            LongSupplier nanoClock,
            DoubleSupplier random,
            Pace pace) {
        this.config = initial;
        this.configChanges = configChanges;
        this.live = live;
        this.resolver = resolver;
        this.nanoClock = nanoClock;
        this.random = random;
        this.pace = pace;
        this.lastTurnNanos = nanoClock.getAsLong();
    }

    /**
     * How long the verticle has shown no sign of life. Up to a second is normal; if it is much more, verdicts are stale.
     * Callable from any thread.
     *
     * @return zero or more
     */
    public Duration silentFor() {
        return Duration.ofNanos(Math.max(0, nanoClock.getAsLong() - lastTurnNanos));
    }

    @Override
    public Future<?> start() {
        http = new HttpProbe(vertx);
        lookup = new NameLookup(vertx, resolver, discovery, pace.resolveBound(), this::apply);
        kit = new ReplicaWatch.Kit(
                vertx, http, () -> config.probe(), () -> config.progress(), live, pace, nanoClock, random);
        conduct = new ConductWatch(vertx, live, () -> config.ejection(), nanoClock, random, this::publish);
        configChanges.subscribe(vertx.eventBus(), this::reconfigure);
        DOUBTS.subscribe(vertx.eventBus(), this::doubt);
        INCIDENTS.subscribe(vertx.eventBus(), conduct::incident);
        vertx.setPeriodic(HttpProbe.millis(pace.beat()), id -> {
            lastTurnNanos = nanoClock.getAsLong();
            live.turned();
            conduct.tick();
        });
        // Only after the first look-up, so that no replica is shown without the address that is just being found.
        return discover().onSuccess(done -> resolveLater());
    }

    @Override
    public Future<?> stop() {
        watches.values().forEach(ReplicaWatch::stop);
        return Future.join(http.close(), lookup.close());
    }

    private void resolveLater() {
        vertx.setTimer(HttpProbe.millis(pace.resolveEvery()), id -> discover().onComplete(done -> resolveLater()));
    }

    private Future<Void> discover() {
        return lookup.ask(discovery.names(config.upstreams())).onSuccess(done -> apply());
    }

    private void reconfigure(PenstockConfig next) {
        config = next;
        watches.values().forEach(ReplicaWatch::reconfigured);
        conduct.tick();
        discover().onFailure(failure -> LOG.error("cannot look names up", failure));
    }

    private void doubt(Doubt doubt) {
        ReplicaWatch watch = watches.get(doubt.upstream().id());
        LOG.debug("replica {} is doubted: {}", doubt.upstream().name(), doubt.reason());
        if (watch != null) {
            watch.doubt(doubt);
        }
    }

    /** Makes the replicas what configuration and names say, if that is another set than now. */
    private void apply() {
        Map<String, Upstream> before = new LinkedHashMap<>();
        for (UpstreamState member : live.current().members()) {
            before.put(member.id(), member.identity());
        }
        List<Upstream> next = discovery.upstreams(config.upstreams());
        if (new ArrayList<>(before.values()).equals(next)) {
            return;
        }
        UpstreamSet leaving = live.current();
        UpstreamSet set = live.apply(next);
        leaving.members().stream().filter(UpstreamState::removed).forEach(this::left);
        for (UpstreamState member : set.members()) {
            Upstream was = before.get(member.id());
            if (was == null) {
                joined(member);
            } else {
                stayed(member, was);
            }
        }
        SETS.publish(vertx.eventBus(), set);
    }

    private void left(UpstreamState member) {
        LOG.info("replica {} left ({} requests still running)", member.name(), member.inFlight());
        conduct.left(member);
        ReplicaWatch watch = watches.remove(member.id());
        if (watch != null) {
            watch.stop();
        }
    }

    private void joined(UpstreamState member) {
        LOG.info("replica {} joined ({})", member.name(), place(member.identity()));
        ReplicaWatch watch = new ReplicaWatch(member, kit, this);
        watches.put(member.id(), watch);
        watch.probe();
    }

    private void stayed(UpstreamState member, Upstream was) {
        Upstream is = member.identity();
        ReplicaWatch watch = watches.get(member.id());
        if (watch == null || !elsewhere(was, is)) {
            return;
        }
        if (was.addresses().isEmpty()) {
            LOG.info("replica {} found ({})", member.name(), place(is));
        } else {
            LOG.info("replica {} moved ({} → {})", member.name(), place(was), place(is));
        }
        watch.moved(place(is));
    }

    /** Whether the place where it was reached last is no longer its own. */
    private static boolean elsewhere(Upstream was, Upstream is) {
        return !was.replica().endpoint().equals(is.replica().endpoint())
                || was.replica().tls() != is.replica().tls()
                || (was.addresses().isEmpty()
                        ? !is.addresses().isEmpty()
                        : !is.addresses().contains(was.addresses().get(0)));
    }

    private static String place(Upstream upstream) {
        if (upstream.addresses().isEmpty()) {
            return upstream.replica().endpoint().host() + " does not resolve yet";
        }
        return new Endpoint(
                        upstream.addresses().get(0),
                        upstream.replica().endpoint().port())
                .toString();
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

    private void publish(ReplicaChange change) {
        CHANGES.publish(vertx.eventBus(), change);
    }

    @Override
    public void reached(UpstreamState state, String address) {
        List<String> addresses = state.identity().addresses();
        if (addresses.indexOf(address) > 0) {
            LOG.info("replica {} is reached at {} instead of {}", state.name(), address, addresses.get(0));
            discovery.prefer(state.id(), address);
            apply();
        }
    }

    @Override
    public void modelsRead() {
        List<String> unreadable = new ArrayList<>();
        boolean anyKnown = false;
        for (UpstreamState member : live.current().members()) {
            ReplicaWatch watch = watches.get(member.id());
            if (watch != null && watch.modelsUnreadable()) {
                unreadable.add(member.name());
            }
            anyKnown |= member.knownModels() != null;
        }
        boolean mixed = anyKnown && !unreadable.isEmpty();
        if (mixed && !saidModelsUnreadable) {
            LOG.warn(
                    "the models of {} are unknown (GET /v1/models cannot be read), those of others are known;"
                            + " set apiKey or models there if it needs one",
                    unreadable);
        }
        saidModelsUnreadable = mixed;
    }
}
