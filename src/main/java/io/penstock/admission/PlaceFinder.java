package io.penstock.admission;

import io.penstock.admission.WaitingRoom.Ticket;
import io.penstock.config.PenstockConfig.Policy;
import io.penstock.selection.Candidates;
import io.penstock.selection.RequestTraits;
import io.penstock.selection.SelectionPolicy;
import io.penstock.selection.Selector;
import io.penstock.upstream.Lease;
import io.penstock.upstream.LiveUpstreams;
import io.penstock.upstream.UpstreamState;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Finds a place for one request: who may get it, whom the policy chooses, and who has room. Any event loop may ask at any
 * time, without a lock unless predictions are made.
 */
final class PlaceFinder {

    private final LiveUpstreams live;
    private final LongSupplier nanoClock;
    private final Runnable wake;
    private final Selector inPanic = SelectionPolicy.selector(Policy.LEAST_IN_FLIGHT);
    // Written by the config verticle's news, read by every event loop.
    private volatile Selector selector;

    /** Finds by this policy; {@code wake} is run whenever a place has become free. */
    PlaceFinder(LiveUpstreams live, LongSupplier nanoClock, Policy policy, Runnable wake) {
        this.live = live;
        this.nanoClock = nanoClock;
        this.wake = wake;
        this.selector = SelectionPolicy.selector(policy);
    }

    void become(Policy policy) {
        selector = SelectionPolicy.selector(policy);
    }

    /**
     * Takes a place, if there is one.
     *
     * @param inUse makes predictions, if the policy wants that; then the door is held
     * @param traits what is known of the request
     * @param tried who has failed it
     * @param ticket where it waits; null if it does not
     * @return the lease; null if there is no place at the moment, or if the ticket is in a lane now
     */
    @Nullable
    Lease find(@Nullable Lanes inUse, RequestTraits traits, Tried tried, @Nullable Ticket ticket) {
        Candidates candidates = live.blind()
                ? Candidates.blindly(live.current(), traits.model(), tried::allows)
                : Candidates.among(live.current(), traits.model(), tried::allows);
        Lanes predicting = Lanes.concerns(traits) ? inUse : null;
        long now = nanoClock.getAsLong();
        UpstreamState onTrial = candidates.onTrial();
        // What is not understood (a path that is passed on, say) may not be sent twice, and proves little.
        if (onTrial != null
                && !traits.equals(RequestTraits.NONE)
                && !onTrial.conduct().busy().holds(now)) {
            Lease trial = take(predicting, onTrial, traits, /* panic= */ false, now);
            if (trial != null) {
                return trial;
            }
        }
        // Rather a busy one than to wait, since nobody would say when its pause is over.
        List<UpstreamState> busy = candidates.setBusyAside(now);
        List<UpstreamState> members = candidates.members();
        if (predicting != null && !candidates.panic()) {
            List<UpstreamState> some = members.isEmpty() ? busy : members;
            return some.isEmpty() ? null : predicting.place(some, traits, tried, ticket, now);
        }
        Lease lease = leaseAmong(predicting, members, traits, candidates.panic(), now);
        return lease != null || busy.isEmpty() ? lease : leaseAmong(predicting, busy, traits, candidates.panic(), now);
    }

    private @Nullable Lease take(
            @Nullable Lanes predicting, UpstreamState chosen, RequestTraits traits, boolean panic, long now) {
        return predicting == null
                ? chosen.lease(now, traits.bodyBytes(), wake, panic)
                : predicting.take(chosen, traits, now, panic);
    }

    private @Nullable Lease leaseAmong(
            @Nullable Lanes predicting, List<UpstreamState> members, RequestTraits traits, boolean panic, long now) {
        UpstreamState onRamp = null;
        while (!members.isEmpty()) {
            UpstreamState chosen = (panic ? inPanic : selector).choose(members, traits);
            Lease lease = take(predicting, chosen, traits, panic, now);
            if (lease != null) {
                return lease;
            }
            onRamp = chosen.conduct().ramp().active() ? chosen : onRamp;
            members.remove(chosen); // Full, by its maxInFlight or because it has just come back.
        }
        if (onRamp == null) {
            return null;
        }
        onRamp.conduct().ramp().lift();
        return take(predicting, onRamp, traits, panic, now);
    }
}
