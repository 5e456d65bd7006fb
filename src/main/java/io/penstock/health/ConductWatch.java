package io.penstock.health;

import io.penstock.config.PenstockConfig;
import io.penstock.upstream.LiveUpstreams;
import io.penstock.upstream.Standing;
import io.penstock.upstream.UpstreamState;
import io.vertx.core.Vertx;
import java.util.function.Consumer;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at how replicas treat requests, when one of them says so and every second, and lets {@link OutlierEjection}
 * decide. Confined to the probe verticle's event loop.
 */
final class ConductWatch {

    private static final Logger LOG = LoggerFactory.getLogger(ConductWatch.class);

    private final Vertx vertx;
    private final LiveUpstreams live;
    private final OutlierEjection ejection;
    private final Consumer<ReplicaChange> listener;
    private boolean panic;

    ConductWatch(
            Vertx vertx,
            LiveUpstreams live,
            Supplier<PenstockConfig.Ejection> settings,
            LongSupplier nanoClock,
            DoubleSupplier random,
            Consumer<ReplicaChange> listener) {
        this.vertx = vertx;
        this.live = live;
        this.ejection = new OutlierEjection(settings, nanoClock, random);
        this.listener = listener;
    }

    /** The request path met something there. */
    void incident(Incident incident) {
        // First, so that what happens from now on is told again.
        incident.upstream().conduct().heard();
        review(incident.upstream());
    }

    /** A second has passed, or the settings have changed. */
    void tick() {
        for (UpstreamState member : live.current().members()) {
            review(member);
        }
        ejection.tally(live.current());
        watchPanic();
    }

    /** A replica went. */
    void left(UpstreamState member) {
        ejection.forget(member);
    }

    /**
     * Probes are about to bring one back. If others work it begins with little; at the start, when all come together,
     * there is nothing to be careful about.
     */
    void returning(UpstreamState state, Standing from) {
        boolean again = from != Standing.STARTING;
        for (UpstreamState member : live.current().members()) {
            if (member != state && member.usable() && (again || member.inFlight() > 0)) {
                state.conduct().ramp().begin();
            }
        }
    }

    private void review(UpstreamState state) {
        OutlierEjection.Turn turn = state.removed() ? null : ejection.review(state, live.current());
        if (turn == null) {
            return;
        }
        if (turn.to() == turn.from()
                && turn.to() == Standing.EJECTED
                && turn.rest().isZero()) {
            LOG.info("replica {} gets one request on trial", state.name());
        } else if (turn.to() == turn.from()) {
            LOG.info("replica {} stays {} ({})", state.name(), turn.to(), turn.reason());
        } else {
            LOG.info("replica {}: {} → {} ({})", state.name(), turn.from(), turn.to(), turn.reason());
        }
        if (!turn.rest().isZero()) {
            // One more, so that its time is up for certain.
            vertx.setTimer(HttpProbe.millis(turn.rest()) + 1, id -> review(state));
        }
        watchPanic();
        listener.accept(new ReplicaChange(state, turn.from(), turn.to(), turn.reason(), /* probed= */ false));
    }

    /** Something changed: says when only ejected ones are left, and when that is over. */
    void watchPanic() {
        boolean now = live.current().inPanic();
        if (now && !panic) {
            LOG.warn("panic: no replica is usable, so those that are only ejected get the work");
        } else if (panic && !now) {
            LOG.info("the panic is over");
        }
        panic = now;
    }
}
