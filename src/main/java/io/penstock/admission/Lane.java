package io.penstock.admission;

import io.penstock.selection.ReplicaOutlook;
import io.penstock.upstream.UpstreamState;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Requests that were assigned to one replica and wait until it is open, in the order in which they came. Confined to
 * whoever holds the door.
 */
final class Lane {

    private final ReplicaOutlook outlook;
    private final TreeMap<Long, Ticket> inOrder = new TreeMap<>();
    private final Map<String, TreeMap<Long, Ticket>> byCaller = new HashMap<>();

    Lane(ReplicaOutlook outlook) {
        this.outlook = outlook;
    }

    ReplicaOutlook outlook() {
        return outlook;
    }

    boolean isEmpty() {
        return inOrder.isEmpty();
    }

    /** Those that wait, in order; a view. */
    Collection<Ticket> tickets() {
        return inOrder.values();
    }

    /** Whether one of those who came first, so many, may go to another replica. */
    boolean holdsOneFor(UpstreamState other, int asked) {
        int left = asked;
        for (Ticket ticket : inOrder.values()) {
            if (left-- == 0) {
                return false;
            }
            if (mayGo(ticket, other)) {
                return true;
            }
        }
        return false;
    }

    /** Whether one who waits here may go to another replica: it serves the model, and has not failed the request. */
    boolean mayGo(Ticket ticket, UpstreamState other) {
        String model = ticket.traits().model();
        boolean serves = model == null
                || Boolean.TRUE.equals(other.serves(model))
                // Nobody is known to have it, or it would not have been assigned here: then anyone may get it.
                || !Boolean.TRUE.equals(outlook.upstream().serves(model));
        return serves && ticket.tried().allows(other);
    }

    void add(Ticket ticket) {
        inOrder.put(ticket.rank(), ticket);
        byCaller.computeIfAbsent(ticket.traits().caller(), c -> new TreeMap<>()).put(ticket.rank(), ticket);
    }

    void remove(Ticket ticket) {
        String caller = ticket.traits().caller();
        inOrder.remove(ticket.rank());
        TreeMap<Long, Ticket> hers = byCaller.get(caller);
        if (hers != null && hers.remove(ticket.rank()) != null && hers.isEmpty()) {
            byCaller.remove(caller);
        }
    }

    /** Whoever was put in front, else the first one of the caller that was served least; null if nobody waits. */
    @Nullable
    Ticket first(FairOrder order) {
        if (inOrder.isEmpty()) {
            return null;
        }
        Ticket eldest = inOrder.firstEntry().getValue();
        if (eldest.inFront() || byCaller.size() == 1) {
            return eldest;
        }
        Ticket first = null;
        double least = Double.POSITIVE_INFINITY;
        for (TreeMap<Long, Ticket> hers : byCaller.values()) {
            Ticket candidate = hers.firstEntry().getValue();
            double served = order.served(candidate.traits().caller());
            if (first == null || served < least || (served == least && candidate.rank() < first.rank())) {
                first = candidate;
                least = served;
            }
        }
        return first;
    }
}
