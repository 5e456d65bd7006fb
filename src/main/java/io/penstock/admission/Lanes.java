package io.penstock.admission;

import io.penstock.selection.Assignment;
import io.penstock.selection.Candidates;
import io.penstock.selection.LearnedSpeed;
import io.penstock.selection.PredictedDelay;
import io.penstock.selection.PredictionTerms;
import io.penstock.selection.ReplicaOutlook;
import io.penstock.selection.RequestTraits;
import io.penstock.upstream.Choice;
import io.penstock.upstream.Choice.Reason;
import io.penstock.upstream.Lease;
import io.penstock.upstream.LeaseListener;
import io.penstock.upstream.LiveUpstreams;
import io.penstock.upstream.Outcome;
import io.penstock.upstream.UpstreamState;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * How requests wait while replicas are chosen by predicted delay: each is assigned a replica when it comes and sent when
 * that one has little left to read before it. Until then it can still go elsewhere, so a wrong prediction costs little, and
 * callers take turns. Guarded by the waiting room's door, all of it; what leases tell takes the door by itself.
 */
final class Lanes {

    /** How many of a lane are asked whether they would rather go elsewhere. */
    private static final int ASKED = 32;

    private final LiveUpstreams live;
    private final LongSupplier nanoClock;
    private final Object door;
    private final Runnable wake;
    private final DoubleSupplier targetSeconds;
    private final PredictedDelay predictor;
    private final FairOrder order = new FairOrder();
    // Those in which somebody waits.
    private final Map<UpstreamState, Lane> lanes = new LinkedHashMap<>();
    private @Nullable RuntimeException broken;

    /**
     * Makes empty lanes.
     *
     * @param live the replicas
     * @param nanoClock the time
     * @param terms what predictions take into account
     * @param targetSeconds the longest from token to token up to which a replica gets one more; 0: no matter how long
     * @param door the lock
     * @param wake run, without the lock, when somebody may have become able to go
     */
    Lanes(
            LiveUpstreams live,
            LongSupplier nanoClock,
            PredictionTerms terms,
            DoubleSupplier targetSeconds,
            Object door,
            Runnable wake) {
        this.targetSeconds = targetSeconds;
        this.live = live;
        this.nanoClock = nanoClock;
        this.predictor = new PredictedDelay(terms);
        this.door = door;
        this.wake = wake;
    }

    /** What went wrong inside, so that nothing here is to be believed any more; null if nothing did. */
    @Nullable
    RuntimeException broken() {
        return broken;
    }

    PredictedDelay predictor() {
        return predictor;
    }

    FairOrder order() {
        return order;
    }

    /** What was learned of each replica, and how many wait in its lane, by its id. Takes the door by itself. */
    Map<String, LearnedSpeed> learned() {
        Map<String, LearnedSpeed> learned = new HashMap<>();
        synchronized (door) {
            for (ReplicaOutlook each : predictor.outlooks()) {
                Lane lane = lanes.get(each.upstream());
                int waiting = lane == null ? 0 : lane.tickets().size();
                learned.put(each.upstream().id(), each.learned().withLane(waiting));
            }
        }
        return learned;
    }

    /** Whether a request gives an engine something to do that can be predicted. */
    static boolean concerns(RequestTraits traits) {
        return traits.bodyBytes() > 0 || traits.prompt().tokens() > 0;
    }

    /**
     * Assigns a request to one of these: sends it if that one is open, else puts it into the lane.
     *
     * @param members who may be chosen, at least one
     * @param ticket its place; null if it does not wait: then nothing is changed unless it can be sent
     * @return the lease; null if it waits in a lane, would have to, or had better go to nobody now
     */
    @Nullable
    Lease place(List<UpstreamState> members, RequestTraits traits, Tried tried, @Nullable Ticket ticket, long now) {
        predictor.refresh(live.current().members(), now);
        // Whoever was sent in vain has waited its turn.
        boolean again = tried != Tried.NOBODY || (ticket != null && ticket.inFront());
        List<UpstreamState> able = again ? members : within(members, targetSeconds.getAsDouble(), now);
        if (able.isEmpty()) {
            return null;
        }
        List<UpstreamState> free = withRoom(able);
        Assignment chosen = predictor.choose(traits, free.isEmpty() ? able : free, now);
        UpstreamState upstream = chosen.outlook().upstream();
        // A lane is only for those that can be counted on.
        boolean urgent = again || !upstream.usable();
        if (!free.isEmpty()
                && (urgent || (!lanes.containsKey(upstream) && chosen.outlook().open(now)))) {
            order.arrives(traits.caller());
            Lease lease = send(chosen, traits, now, /* panic= */ false, /* laneNanos= */ 0);
            if (lease != null) {
                return lease;
            }
            order.leaves(traits.caller());
        }
        if (ticket != null) {
            enter(ticket, chosen);
        }
        return null;
    }

    /** Whether a new request would make the tokens of others too slow wherever it went. */
    boolean aboveTarget(RequestTraits traits, long now) {
        double target = targetSeconds.getAsDouble();
        if (target == 0 || !concerns(traits)) {
            return false;
        }
        predictor.refresh(live.current().members(), now);
        Candidates candidates = Candidates.among(live.current(), traits.model(), any -> true);
        return !candidates.panic()
                && !candidates.isEmpty()
                && within(candidates.members(), target, now).isEmpty();
    }

    /** Who can take one more without becoming too slow for those that are being answered there. */
    private List<UpstreamState> within(List<UpstreamState> members, double target, long now) {
        return target == 0
                ? members
                : members.stream()
                        .filter(each -> predictor.outlook(each, now).gapWithOneMore() <= target)
                        .toList();
    }

    /** How long one that came now would wait for its first output where it would wait least; 0 if nobody could take it. */
    double waitSeconds(RequestTraits traits, long now) {
        predictor.refresh(live.current().members(), now);
        List<UpstreamState> members =
                Candidates.among(live.current(), traits.model(), any -> true).members();
        return predictor.leastWaitSeconds(traits, members, targetSeconds.getAsDouble(), now);
    }

    /** Those that are not full. If all are, one that was limited because it has just come back no longer is. */
    private static List<UpstreamState> withRoom(List<UpstreamState> members) {
        List<UpstreamState> free = new ArrayList<>(members);
        free.removeIf(UpstreamState::full);
        for (int i = 0; free.isEmpty() && i < members.size(); i++) {
            members.get(i).conduct().ramp().lift();
            if (!members.get(i).full()) {
                free.add(members.get(i));
            }
        }
        return free;
    }

    /** Sends a request to a replica that was chosen otherwise. Null if it is full, or not to be had. */
    @Nullable
    Lease take(UpstreamState upstream, RequestTraits traits, long now, boolean panic) {
        predictor.refresh(live.current().members(), now);
        Reason reason = panic ? Reason.PANIC : Reason.TRIAL;
        order.arrives(traits.caller());
        Lease lease = send(predictor.assign(traits, upstream, reason, now), traits, now, panic, /* laneNanos= */ 0);
        if (lease == null) {
            order.leaves(traits.caller());
        }
        return lease;
    }

    private @Nullable Lease send(Assignment assignment, RequestTraits traits, long now, boolean panic, long laneNanos) {
        UpstreamState upstream = assignment.outlook().upstream();
        Lease lease = upstream.lease(now, traits.bodyBytes(), new Sent(assignment), panic);
        if (lease != null) {
            Choice choice = assignment.choice();
            lease.because(laneNanos == 0 ? choice : choice.afterLane(laneNanos));
            note(() -> {
                assignment.sent(now);
                order.sent(traits.caller(), assignment.charge());
                return true;
            });
        }
        return lease;
    }

    private void enter(Ticket ticket, Assignment assignment) {
        ReplicaOutlook outlook = assignment.outlook();
        Lane lane = lanes.computeIfAbsent(outlook.upstream(), u -> new Lane(outlook));
        lane.add(ticket);
        ticket.assign(assignment);
        order.arrives(ticket.traits().caller());
        assignment.lined();
    }

    /** Takes a request out of its lane, if it is in one. */
    boolean remove(Ticket ticket) {
        Assignment assignment = ticket.assignment();
        if (assignment == null) {
            return false;
        }
        order.leaves(ticket.traits().caller());
        leave(ticket, assignment);
        return true;
    }

    private void leave(Ticket ticket, Assignment assignment) {
        UpstreamState upstream = assignment.outlook().upstream();
        Lane lane = lanes.get(upstream);
        if (lane != null) {
            lane.remove(ticket);
            if (lane.isEmpty()) {
                lanes.remove(upstream);
            }
        }
        ticket.assign(null);
        note(() -> {
            assignment.unlined();
            return true;
        });
    }

    /** Takes everyone out of the lanes of those that are no longer to be counted on; they have to be placed again. */
    List<Ticket> vacate(long now) {
        List<Ticket> homeless = new ArrayList<>();
        for (Lane lane : new ArrayList<>(lanes.values())) {
            UpstreamState upstream = lane.outlook().upstream();
            if (!upstream.usable() || (upstream.conduct().busy().holds(now) && anyRested(lane, now))) {
                List<Ticket> here = new ArrayList<>(lane.tickets());
                here.forEach(this::remove);
                homeless.addAll(here);
            }
        }
        return homeless;
    }

    /** Whether somebody else could take one of a lane. */
    private boolean anyRested(Lane lane, long now) {
        for (UpstreamState member : live.current().members()) {
            if (member.usable() && !member.conduct().busy().holds(now) && lane.holdsOneFor(member, Integer.MAX_VALUE)) {
                return true;
            }
        }
        return false;
    }

    /** Everyone who waits in a lane and was not sent. */
    List<Ticket> tickets() {
        List<Ticket> all = new ArrayList<>();
        lanes.values()
                .forEach(lane -> lane.tickets().stream()
                        .filter(ticket -> ticket.lease() == null)
                        .forEach(all::add));
        return all;
    }

    /** Sends those whose replica is open, and those who do better at another one that is. Adds them to {@code served}. */
    void serve(long now, List<Ticket> served) {
        if (lanes.isEmpty()) {
            return;
        }
        predictor.refresh(live.current().members(), now);
        for (UpstreamState member : live.current().members()) {
            ReplicaOutlook outlook = predictor.outlook(member, now);
            while (broken == null && member.usable() && !member.full() && outlook.open(now)) {
                Lane lane = lanes.get(member);
                Ticket next = lane == null ? mover(outlook, now) : lane.first(order);
                if (next == null || !dispatch(next, outlook, now, served)) {
                    break;
                }
            }
        }
    }

    private boolean dispatch(Ticket ticket, ReplicaOutlook to, long now, List<Ticket> served) {
        Assignment waiting = ticket.assignment();
        if (waiting == null) {
            return false;
        }
        // Before it leaves the lane: whoever is in none when a prediction fails would be forgotten.
        Assignment going = waiting.outlook() == to ? waiting : predictor.move(waiting, to, now);
        leave(ticket, waiting);
        long laneNanos = now - waiting.choice().madeNanos();
        Lease lease = send(going, ticket.traits(), now, /* panic= */ false, laneNanos);
        if (lease == null) { // Something came in between: it waits on.
            order.leaves(ticket.traits().caller());
            enter(ticket, waiting);
            return false;
        }
        ticket.lease(lease);
        served.add(ticket);
        return true;
    }

    /** Whoever stands near the front of the longest lane from which one may come here and would be served sooner here; null if nobody would. */
    private @Nullable Ticket mover(ReplicaOutlook here, long now) {
        if (here.upstream().conduct().busy().holds(now)) {
            return null;
        }
        Lane longest = null;
        for (Lane lane : lanes.values()) {
            boolean longer = longest == null
                    || lane.outlook().lineSeconds(now) > longest.outlook().lineSeconds(now);
            longest = longer && lane.holdsOneFor(here.upstream(), ASKED) ? lane : longest;
        }
        if (longest == null) {
            return null;
        }
        long before = 0;
        int asked = 0;
        for (Ticket ticket : longest.tickets()) {
            Assignment waiting = ticket.assignment();
            if (waiting == null || asked++ == ASKED) {
                break;
            }
            if (longest.mayGo(ticket, here.upstream()) && predictor.worthMoving(waiting, before, here, now)) {
                return ticket;
            }
            before += PredictedDelay.weight(waiting);
        }
        return null;
    }

    /** What becomes of a request that was sent. */
    private final class Sent implements LeaseListener {

        private final Assignment assignment;

        private Sent(Assignment assignment) {
            this.assignment = assignment;
        }

        @Override
        public void output(long nanos) {
            if (assignment.output(nanos) && note(() -> assignment.noted(nanos))) {
                wake.run();
            }
        }

        @Override
        public void ended(Outcome outcome) {
            note(() -> {
                if (outcome == Outcome.COMPLETED) {
                    predictor.finished(assignment);
                }
                assignment.ended(nanoClock.getAsLong());
                return true;
            });
            wake.run();
        }
    }

    /** Changes the books. If they turn out to be wrong that is noted, and whatever it was about goes on without them. */
    private boolean note(BooleanSupplier change) {
        synchronized (door) {
            try {
                return change.getAsBoolean();
            } catch (RuntimeException e) {
                broken = broken == null ? e : broken;
                return true;
            }
        }
    }
}
