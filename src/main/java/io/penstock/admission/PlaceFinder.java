package io.penstock.admission;

import io.penstock.config.PenstockConfig.Policy;
import io.penstock.selection.Candidates;
import io.penstock.selection.LoadChoice;
import io.penstock.selection.RequestTraits;
import io.penstock.selection.SelectionPolicy;
import io.penstock.selection.Selector;
import io.penstock.upstream.Choice.Reason;
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
    private volatile Rule rule;

    private record Rule(Selector selector, Reason reason) {
        static Rule of(Policy policy) {
            return new Rule(
                    SelectionPolicy.selector(policy),
                    policy == Policy.ROUND_ROBIN ? Reason.IN_TURN : Reason.LEAST_IN_FLIGHT);
        }
    }

    /** Finds by this policy; {@code wake} is run whenever a place has become free. */
    PlaceFinder(LiveUpstreams live, LongSupplier nanoClock, Policy policy, Runnable wake) {
        this.live = live;
        this.nanoClock = nanoClock;
        this.wake = wake;
        this.rule = Rule.of(policy);
    }

    void become(Policy policy) {
        rule = Rule.of(policy);
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
                explain(trial, Reason.TRIAL, List.of(onTrial), now);
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
        Rule used = rule;
        Reason reason = panic ? Reason.PANIC : used.reason();
        while (!members.isEmpty()) {
            UpstreamState chosen = (panic ? inPanic : used.selector()).choose(members, traits);
            Lease lease = take(predicting, chosen, traits, panic, now);
            if (lease != null) {
                explain(lease, reason, members, now);
                return lease;
            }
            onRamp = chosen.conduct().ramp().active() ? chosen : onRamp;
            members.remove(chosen); // Full, by its maxInFlight or because it has just come back.
        }
        if (onRamp == null) {
            return null;
        }
        onRamp.conduct().ramp().lift();
        Lease lease = take(predicting, onRamp, traits, panic, now);
        if (lease != null) {
            explain(lease, reason, List.of(onRamp), now);
        }
        return lease;
    }

    /** Whoever predicted has said so already. */
    private static void explain(Lease lease, Reason reason, List<UpstreamState> members, long now) {
        if (lease.choice() == null) {
            lease.because(LoadChoice.of(reason, members, lease.upstream(), now));
        }
    }
}
