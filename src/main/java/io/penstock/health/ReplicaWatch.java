package io.penstock.health;

import io.penstock.config.PenstockConfig;
import io.penstock.health.HttpProbe.Kind;
import io.penstock.health.HttpProbe.Result;
import io.penstock.upstream.LiveUpstreams;
import io.penstock.upstream.Standing;
import io.penstock.upstream.Upstream;
import io.penstock.upstream.UpstreamState;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.Locale;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks one replica again and again, one probe at a time, and writes how it stands by them. Confined to one event loop.
 *
 * <p>The request path may take the replica out by itself ({@link UpstreamState#refuse}, {@link UpstreamState#leave}). That is noticed before every
 * probe and every result; a probe that began before says nothing, whatever it found.
 */
final class ReplicaWatch {

    private static final Logger LOG = LoggerFactory.getLogger(ReplicaWatch.class);

    /** Share of an interval by which it varies either way, so that probes of many do not march in step. */
    private static final double JITTER = 0.1;

    /**
     * What every watch uses.
     *
     * @param vertx timers
     * @param http what replicas are asked with
     * @param settings the operator's settings of this moment
     * @param progress the operator's settings for judging by progress, of this moment
     * @param live all replicas
     * @param pace the other times
     * @param nanoClock the time, in nanoseconds
     * @param random chance, from 0 to below 1
     */
    record Kit(
            Vertx vertx,
            Inquiries http,
            Supplier<PenstockConfig.Probe> settings,
            Supplier<PenstockConfig.Progress> progress,
            LiveUpstreams live,
            Pace pace,
            LongSupplier nanoClock,
            DoubleSupplier random) {}

    /** Who wants to know. */
    interface Listener {

        /** It is about to become ready. */
        void returning(UpstreamState state, Standing from);

        /** The standing changed, or a doubt was looked into. */
        void changed(ReplicaChange change);

        /** It was reached at this address. */
        void reached(UpstreamState state, String address);

        /** Its list of models was read, or not. */
        void modelsRead();
    }

    private final UpstreamState state;
    private final Kit kit;
    private final Listener listener;
    private final Verdict verdict;
    private final EngineWatch engine;

    private @Nullable Long timer;
    private boolean running;
    private boolean stopped;
    private boolean again;
    private boolean doubted;
    private boolean offsetTaken;
    private boolean readingModels;
    private boolean modelsUnreadable;
    private Duration interval;
    private long lastStartNanos;
    private boolean modelsAsked;
    private long modelsReadNanos;
    private long outSinceNanos;
    // What was asked before this moment counts for nothing.
    private long evidenceFromNanos;

    ReplicaWatch(UpstreamState state, Kit kit, Listener listener) {
        this.state = state;
        this.kit = kit;
        this.listener = listener;
        PenstockConfig.Probe settings = kit.settings().get();
        this.verdict = new Verdict(settings.fall(), settings.rise(), state.passedProbes() > 0);
        this.engine = new EngineWatch(state, kit, listener);
        this.interval = settings.interval();
        long now = now();
        this.evidenceFromNanos = now;
        this.outSinceNanos = now;
    }

    /** Probes now, or right after the running probe. */
    void probe() {
        if (stopped) {
            return;
        }
        if (running) {
            again = true;
            return;
        }
        cancelTimer();
        noteWithdrawal();
        Upstream identity = state.identity();
        if (identity.addresses().isEmpty()) {
            // Its name does not resolve; it is asked once it does.
            show("its name does not resolve");
            return;
        }
        running = true;
        again = false;
        boolean forDoubt = doubted;
        doubted = false;
        lastStartNanos = now();
        long startNanos = lastStartNanos;
        kit.http()
                .health(identity, kit.settings().get().timeout())
                .onSuccess(result -> concluded(result, identity, startNanos, forDoubt));
    }

    /** The request path had trouble there: looks at once, or as soon as the gap between probes allows. */
    void doubt(Doubt doubt) {
        noteWithdrawal();
        doubted = true;
        if (running || stopped) {
            return;
        }
        long gapNanos = kit.pace().doubtGap().toNanos() - (now() - lastStartNanos);
        if (gapNanos <= 0 || lastStartNanos == 0) {
            probe();
        } else {
            schedule(Duration.ofNanos(gapNanos));
        }
    }

    /** It is reached elsewhere now: what was seen before does not count. */
    void moved(String where) {
        noteWithdrawal();
        evidenceFromNanos = now();
        announce(verdict.reset("now at " + where + ", not probed yet"), /* probed= */ false);
        probe();
    }

    /** The operator's settings changed. Thresholds hold at once, a new interval from now on. */
    void reconfigured() {
        PenstockConfig.Probe settings = kit.settings().get();
        verdict.thresholds(settings.fall(), settings.rise());
        if (!settings.interval().equals(interval)) {
            interval = settings.interval();
            if (timer != null) {
                schedule(pause());
            }
        }
    }

    /** Ends it. What is running comes to nothing. */
    void stop() {
        stopped = true;
        engine.stop();
        cancelTimer();
    }

    /** Whether it is ready, has to be asked for its models, and does not say. */
    boolean modelsUnreadable() {
        return modelsUnreadable && state.standing() == Standing.READY && asksModels();
    }

    private void concluded(Result result, Upstream identity, long startNanos, boolean forDoubt) {
        if (stopped) {
            return;
        }
        noteWithdrawal();
        if (outdated(startNanos)) {
            startOver(forDoubt);
            return;
        }
        String address = result.address();
        if (result.kind() == Kind.PASSED && address != null) {
            passed(identity, address, startNanos, forDoubt);
            return;
        }
        Verdict.Flip flip = switch (result.kind()) {
            case PASSED -> verdict.passed();
            case REFUSED -> verdict.refused(result.reason());
            case FAILED -> verdict.failed(result.reason());
            // Busy to the point of being mute, but its tokens come: it lives.
            case NO_HEAD -> state.progressedSince(startNanos) ? null : verdict.failed(result.reason());
        };
        finish(flip, forDoubt);
    }

    private void passed(Upstream identity, String address, long startNanos, boolean forDoubt) {
        state.probePassed();
        listener.reached(state, address);
        if (stopped) {
            return;
        }
        if (outdated(startNanos)) {
            startOver(forDoubt);
            return;
        }
        if (verdict.nextPassRaises() && asksModels()) {
            // Before it gets work: a request must not be sent to a replica that lacks its model.
            kit.http().models(identity, address, kit.pace().modelsTimeout()).onSuccess(list -> {
                if (stopped) {
                    return;
                }
                if (outdated(startNanos)) {
                    startOver(forDoubt);
                    return;
                }
                learn(new ModelList(list.ids(), /* answered= */ true));
                finish(verdict.passed(), forDoubt);
                listener.modelsRead();
            });
            return;
        }
        finish(verdict.passed(), forDoubt);
        if (modelsDue()) {
            readingModels = true;
            kit.http().models(identity, address, kit.pace().modelsTimeout()).onSuccess(list -> {
                readingModels = false;
                if (!stopped) {
                    learn(list);
                    listener.modelsRead();
                }
            });
        }
    }

    private boolean outdated(long startNanos) {
        return startNanos - evidenceFromNanos < 0;
    }

    private boolean asksModels() {
        return state.identity().replica().models().isEmpty();
    }

    private boolean modelsDue() {
        long every = kit.settings().get().modelsInterval().toNanos();
        return asksModels()
                && !readingModels
                && verdict.standing() == Standing.READY
                && (!modelsAsked || now() - modelsReadNanos >= every);
    }

    /** A busy replica that is silent keeps the models it had; one that answers otherwise does not. */
    private void learn(ModelList list) {
        modelsAsked = true;
        modelsReadNanos = now();
        if (list.answered()) {
            state.learnModels(list.ids());
            modelsUnreadable = list.ids() == null;
        }
    }

    private void startOver(boolean forDoubt) {
        doubted |= forDoubt;
        running = false;
        probe();
    }

    private void finish(Verdict.@Nullable Flip flip, boolean forDoubt) {
        announce(flip, /* probed= */ true);
        if (flip == null && forDoubt) {
            // Requests wait to hear what came of it.
            listener.changed(new ReplicaChange(state, state.standing(), state.standing(), state.reason(), true));
        }
        running = false;
        if (again) {
            probe();
        } else if (doubted) {
            long gapNanos = kit.pace().doubtGap().toNanos() - (now() - lastStartNanos);
            schedule(Duration.ofNanos(Math.max(0, gapNanos)));
        } else {
            schedule(rest(pause()));
        }
    }

    /** Catches up with the request path, which took the replica out and told nobody but the replica's state. */
    private void noteWithdrawal() {
        Standing now = state.standing();
        boolean withdrawn = now == Standing.REFUSED || now == Standing.LEAVING;
        if (withdrawn && verdict.standing() == Standing.READY) {
            evidenceFromNanos = now();
            String reason = state.reason();
            announce(now == Standing.LEAVING ? verdict.leaves(reason) : verdict.refused(reason), /* probed= */ false);
            // Also if nobody says so: what the next probe finds is news, a refusal that is confirmed included.
            doubted = true;
        }
    }

    private void announce(Verdict.@Nullable Flip flip, boolean probed) {
        if (flip == null) {
            show(verdict.reason());
            return;
        }
        if (flip.restarted()) {
            state.restarted();
        }
        if (flip.to() == Standing.READY) {
            state.conduct().returned();
            listener.returning(state, flip.from());
        }
        state.judge(flip.to(), flip.reason());
        if (flip.to() == Standing.READY) {
            String seconds = String.format(Locale.ROOT, "%.1f", (now() - outSinceNanos) / 1e9);
            LOG.info("replica {}: {} → READY (after {} s)", state.name(), flip.from(), seconds);
        } else {
            LOG.info("replica {}: {} → {} ({})", state.name(), flip.from(), flip.to(), flip.reason());
        }
        if (flip.from() == Standing.READY) {
            outSinceNanos = now();
        }
        listener.changed(new ReplicaChange(state, flip.from(), flip.to(), flip.reason(), probed));
    }

    /** Lets people read the latest reason of a replica that is out. A ready one is left to the request path. */
    private void show(String reason) {
        if (verdict.standing() != Standing.READY && !reason.equals(state.reason())) {
            state.judge(verdict.standing(), reason);
        }
    }

    private Duration pause() {
        double jitter = 1 - JITTER + 2 * JITTER * kit.random().getAsDouble();
        Duration eager = kit.pace().eagerInterval();
        // One that leaves may be another process before two ordinary probes have passed.
        boolean hurry = switch (verdict.standing()) {
            case STARTING, REFUSED, FAILING, LEAVING -> true;
            default -> false;
        };
        if (hurry && eager.compareTo(interval) < 0) {
            return scaled(eager, jitter);
        }
        if (!offsetTaken) {
            // Once, so that replicas that were first asked together are asked apart from now on.
            offsetTaken = true;
            return scaled(interval, kit.random().getAsDouble());
        }
        return scaled(interval, jitter);
    }

    /** The interval is from one probe to the next: one that waited for an answer in vain has used it up. */
    private Duration rest(Duration pause) {
        Duration left = pause.minusNanos(now() - lastStartNanos);
        Duration least =
                kit.pace().eagerInterval().compareTo(pause) < 0 ? kit.pace().eagerInterval() : pause;
        return left.compareTo(least) < 0 ? least : left;
    }

    private static Duration scaled(Duration duration, double factor) {
        return Duration.ofNanos((long) (duration.toNanos() * factor));
    }

    private void schedule(Duration delay) {
        cancelTimer();
        timer = kit.vertx().setTimer(HttpProbe.millis(delay), id -> {
            timer = null;
            probe();
        });
    }

    private void cancelTimer() {
        if (timer != null) {
            kit.vertx().cancelTimer(timer);
            timer = null;
        }
    }

    private long now() {
        return kit.nanoClock().getAsLong();
    }
}
