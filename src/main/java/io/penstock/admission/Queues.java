package io.penstock.admission;

import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * Requests that nobody can take at the moment: one queue per model, in order of rank; ranks below zero were put in front,
 * in order too. Guarded by the waiting room's door.
 */
final class Queues {

    private final Map<String, TreeMap<Long, Ticket>> queues = new HashMap<>();

    boolean isEmpty() {
        return queues.isEmpty();
    }

    /** Whether somebody waits who asked for this model, as {@link Ticket#model} has it. */
    boolean hold(String model) {
        return queues.containsKey(model);
    }

    void add(Ticket ticket) {
        queues.computeIfAbsent(ticket.model(), m -> new TreeMap<>()).put(ticket.rank(), ticket);
    }

    /** Whether it was there. */
    boolean remove(Ticket ticket) {
        TreeMap<Long, Ticket> queue = queues.get(ticket.model());
        if (queue == null || queue.remove(ticket.rank()) == null) {
            return false;
        }
        if (queue.isEmpty()) {
            queues.remove(ticket.model());
        }
        return true;
    }

    /**
     * Whoever came first is asked first, across all queues: models that share replicas must not starve each other.
     *
     * @param place finds a place for one, and says whether it may leave the queue
     */
    void serve(Predicate<Ticket> place) {
        PriorityQueue<Line> lines = new PriorityQueue<>(Comparator.comparingLong(Line::rank));
        for (TreeMap<Long, Ticket> queue : queues.values()) {
            lines.add(new Line(queue.values().iterator()));
        }
        while (!lines.isEmpty()) {
            Line line = lines.remove();
            // Whoever stands behind one who has tried nobody asks for the same model and is no easier to please.
            boolean placed = place.test(line.first);
            if (placed) {
                line.rest.remove();
            }
            boolean goesOn = placed || line.first.tried() != Tried.NOBODY;
            if (goesOn && line.next()) {
                lines.add(line);
            }
        }
        queues.values().removeIf(TreeMap::isEmpty);
    }

    /** A queue that is walked along. */
    private static final class Line {

        private final Iterator<Ticket> rest;
        private Ticket first;

        private Line(Iterator<Ticket> tickets) {
            rest = tickets;
            first = tickets.next();
        }

        private long rank() {
            return first.rank();
        }

        private boolean next() {
            if (!rest.hasNext()) {
                return false;
            }
            first = rest.next();
            return true;
        }
    }
}
