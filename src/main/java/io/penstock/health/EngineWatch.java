package io.penstock.health;

import io.penstock.config.PenstockConfig;
import io.penstock.health.ProgressWatch.Turn;
import io.penstock.upstream.EngineActivity.Suspicion;
import io.penstock.upstream.EngineGauges;
import io.penstock.upstream.Standing;
import io.penstock.upstream.Upstream;
import io.penstock.upstream.UpstreamState;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.Collections;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the {@code /metrics} of one replica while it has work of ours, asks it for a token if it is strangely silent, and
 * tells what {@link ProgressWatch} makes of it. Confined to one event loop.
 */
final class EngineWatch {

    private static final Logger LOG = LoggerFactory.getLogger(EngineWatch.class);

    private static final Duration LONGEST_INTERVAL = Duration.ofSeconds(2);
    private static final Duration SHORTEST_INTERVAL = Duration.ofMillis(100);
    /** A share of the shorter limit, so that some readings fall into it. */
    private static final int READINGS_PER_LIMIT = 5;

    private static final int VALID_INTERVALS = 3;
    private static final Duration READ_TIMEOUT = Duration.ofSeconds(2);
    /** Long, since the answer of an engine that goes on comes at once to a request that is already there. */
    private static final Duration TOKEN_TIMEOUT = Duration.ofSeconds(10);

    private static final String[] TOKEN_PATHS = {"/v1/completions", "/v1/embeddings"};

    private final UpstreamState state;
    private final ReplicaWatch.Kit kit;
    private final ReplicaWatch.Listener listener;
    private final ProgressWatch watch;

    private long timer;
    private boolean stopped;
    private boolean reading;
    private boolean asking;
    private int tokenPath;
    private boolean everWorked;
    private long lastWorkNanos;
    private long lastReadNanos;
    private long outSinceNanos;

    EngineWatch(UpstreamState state, ReplicaWatch.Kit kit, ReplicaWatch.Listener listener) {
        this.state = state;
        this.kit = kit;
        this.listener = listener;
        this.watch = new ProgressWatch(state, now());
        this.lastReadNanos = now() - LONGEST_INTERVAL.toNanos();
        // It may have been known before, to an earlier watch.
        state.engine().suspect(null);
        schedule();
    }

    /** Ends it. What is running comes to nothing. */
    void stop() {
        stopped = true;
        kit.vertx().cancelTimer(timer);
    }

    private void schedule() {
        timer = kit.vertx().setTimer(HttpProbe.millis(interval().dividedBy(2)), id -> {
            tick();
            schedule();
        });
    }

    private void tick() {
        long now = now();
        if (state.engine().working() > 0) {
            everWorked = true;
            lastWorkNanos = now;
        }
        Upstream identity = state.identity();
        if (!passesProbes() || identity.addresses().isEmpty()) {
            watch.unwatched(now);
            return;
        }
        look(now);
        boolean suspected = watch.standing() != Standing.READY;
        if (suspected || (watched() && everWorked && now - lastWorkNanos <= LONGEST_INTERVAL.toNanos())) {
            read(identity, now);
        }
        if (watch.wantsToken(now, kit.progress().get())) {
            ask(identity);
        }
    }

    /** Whether its probes say that it could work: then its progress decides. */
    private boolean passesProbes() {
        return switch (state.standing()) {
            case STARTING, REFUSED, LEAVING, FAILING -> false;
            default -> true;
        };
    }

    private void look(long now) {
        Turn turn = watch.look(now, kit.progress().get(), othersCanServe());
        if (turn != null) {
            turned(turn, now);
        } else if (watch.standing() != Standing.READY) {
            state.engine().suspect(new Suspicion(watch.standing(), watch.evidence(now)));
        }
    }

    private void turned(Turn turn, long now) {
        boolean back = turn.to() == Standing.READY;
        Standing from = shown(turn.from());
        Standing to = shown(turn.to());
        if (back && turn.from() == Standing.STALLED) {
            // Before it is usable: it has nothing in flight, so it would look best to everyone, and what hung there
            // until
            // it was given up must not be held against it now.
            state.conduct().returned();
            listener.returning(state, from);
        }
        state.engine().suspect(back ? null : new Suspicion(turn.to(), turn.reason()));
        if (from == to) {
            LOG.info("replica {} stays {} ({})", state.name(), to, turn.reason());
        } else if (back) {
            String seconds = String.format(Locale.ROOT, "%.1f", (now - outSinceNanos) / 1e9);
            LOG.info("replica {}: {} → {} ({}, after {} s)", state.name(), from, to, turn.reason(), seconds);
        } else {
            LOG.warn("replica {}: {} → {} ({})", state.name(), from, to, turn.reason());
        }
        if (turn.from() == Standing.READY) {
            outSinceNanos = now;
        }
        listener.changed(new ReplicaChange(state, from, to, turn.reason(), true));
    }

    /** What people see of a standing that its progress gives it. */
    private Standing shown(Standing byProgress) {
        return byProgress != Standing.STALLED && state.conduct().ejection() != null ? Standing.EJECTED : byProgress;
    }

    private void read(Upstream identity, long now) {
        if (reading || now - lastReadNanos < interval().toNanos()) {
            return;
        }
        reading = true;
        lastReadNanos = now;
        int epoch = state.epoch();
        kit.http().metrics(identity, identity.addresses().get(0), READ_TIMEOUT).onSuccess(scanner -> {
            reading = false;
            // What the process said that ran before is not what this one says.
            if (scanner != null && !stopped && state.epoch() == epoch) {
                wasRead(scanner);
            }
        });
    }

    private void wasRead(GaugeScanner scanner) {
        long now = now();
        EngineGauges gauges = scanner.end(now, interval().toNanos() * VALID_INTERVALS);
        if (gauges == null) {
            return;
        }
        EngineGauges before = state.engine().gauges();
        if (before != null && gauges.isOtherProcessThan(before)) {
            restarted(now);
        }
        watch.read(gauges, now);
    }

    /** It was so quick that no probe found its port closed. */
    private void restarted(long now) {
        Standing from = watch.standing();
        Standing shownFrom = shown(from);
        LOG.info("replica {}: another process runs there", state.name());
        state.restarted();
        look(now);
        if (from != Standing.READY) {
            turned(new Turn(from, Standing.READY, "another process runs there"), now);
        } else if (shownFrom != Standing.READY) {
            listener.changed(new ReplicaChange(state, shownFrom, Standing.READY, "another process runs there", true));
        }
    }

    private void ask(Upstream identity) {
        if (asking) {
            return;
        }
        asking = true;
        int epoch = state.epoch();
        String path = TOKEN_PATHS[tokenPath];
        kit.http()
                .token(identity, identity.addresses().get(0), path, tokenRequest(path), TOKEN_TIMEOUT)
                .onSuccess(kind -> {
                    asking = false;
                    if (!stopped && state.epoch() == epoch) {
                        told(kind);
                    }
                });
    }

    private void told(TokenCall.Kind kind) {
        switch (kind) {
            case MADE -> {
                watch.madeToken(now());
                if (passesProbes()) {
                    look(now());
                }
            }
            case NOT_TAKEN -> {
                tokenPath = (tokenPath + 1) % TOKEN_PATHS.length;
                if (tokenPath == 0) {
                    watch.cannotBeAsked();
                }
            }
            case NOTHING -> {}
        }
    }

    /** The least there is to do. A replica that is asked for no model by name takes the one it was started with. */
    private String tokenRequest(String path) {
        JsonObject request = new JsonObject();
        Set<String> models = state.knownModels();
        if (models != null && !models.isEmpty()) {
            request.put("model", Collections.min(models));
        }
        return path.equals(TOKEN_PATHS[0])
                ? request.put("prompt", "1").put("max_tokens", 1).encode()
                : request.put("input", "1").encode();
    }

    /** Whether for each model that it serves there is another replica, so that it is not the last one. */
    private boolean othersCanServe() {
        Set<String> models = state.knownModels();
        if (models == null || models.isEmpty()) {
            return anotherServes(null);
        }
        return models.stream().allMatch(this::anotherServes);
    }

    private boolean anotherServes(@Nullable String model) {
        for (UpstreamState other : kit.live().current().members()) {
            boolean takesWork = other != state && (other.usable() || other.lastResort());
            if (takesWork && (model == null || !Boolean.FALSE.equals(other.serves(model)))) {
                return true;
            }
        }
        return false;
    }

    private boolean watched() {
        return !kit.progress().get().suspect().isZero();
    }

    private Duration interval() {
        PenstockConfig.Progress settings = kit.progress().get();
        Duration limit = settings.suspect();
        if (!settings.stalled().isZero() && settings.stalled().compareTo(limit) < 0) {
            limit = settings.stalled();
        }
        Duration share = limit.isZero() ? LONGEST_INTERVAL : limit.dividedBy(READINGS_PER_LIMIT);
        if (share.compareTo(LONGEST_INTERVAL) > 0) {
            return LONGEST_INTERVAL;
        }
        return share.compareTo(SHORTEST_INTERVAL) < 0 ? SHORTEST_INTERVAL : share;
    }

    private long now() {
        return kit.nanoClock().getAsLong();
    }
}
