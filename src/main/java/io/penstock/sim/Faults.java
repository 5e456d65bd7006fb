package io.penstock.sim;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * What is going wrong at one simulator now. Any thread may change it; a change is seen by the next request, and by
 * running ones where a fault is about the whole replica.
 */
public final class Faults {

    private static final int ALWAYS = -1;

    private final RandomGenerator random;
    private final List<Entry> entries = new ArrayList<>();
    private Runnable listener = () -> {};

    Faults(RandomGenerator random) {
        this.random = random;
    }

    /** Called, on the thread that made it, after every change. */
    synchronized void onChange(Runnable action) {
        listener = action;
    }

    /**
     * Makes the next requests fail, those of the kind that the fault is about; they are counted when they arrive.
     *
     * @param count how many
     * @param fault what happens to them
     */
    public void next(int count, Fault fault) {
        if (count < 1) {
            throw new IllegalArgumentException("want at least one request, got " + count);
        }
        add(new Entry(fault, fault.kind().scope() == Fault.Scope.PORT ? ALWAYS : count, 1));
    }

    /**
     * Switches a fault on until it is cleared. One of the same kind is replaced.
     *
     * @param fault what goes wrong
     */
    public void set(Fault fault) {
        add(new Entry(fault, ALWAYS, 1));
    }

    /**
     * Lets a fault hit a share of the requests until it is cleared.
     *
     * @param rated the fault and the share
     */
    public void set(RatedFault rated) {
        add(new Entry(rated.fault(), ALWAYS, rated.rate()));
    }

    /** Ends everything. A request that was already hit stays as it is; a hung engine goes on. */
    public void clear() {
        Runnable told;
        synchronized (this) {
            entries.clear();
            told = listener;
        }
        told.run();
    }

    /**
     * Ends the faults of one kind.
     *
     * @param kind which
     */
    public void clear(Fault.Kind kind) {
        Runnable told;
        synchronized (this) {
            entries.removeIf(entry -> entry.fault.kind() == kind);
            told = listener;
        }
        told.run();
    }

    /**
     * What is on, for people.
     *
     * @return one text per fault, such as {@code reset-after:3 x2} or {@code status:503@0.1}
     */
    public synchronized List<String> active() {
        return entries.stream().map(Entry::toString).toList();
    }

    /** The fault of this kind that is on until cleared, or null. */
    synchronized @Nullable Fault standing(Fault.Kind kind) {
        for (Entry entry : entries) {
            if (entry.fault.kind() == kind && entry.remaining == ALWAYS) {
                return entry.fault;
            }
        }
        return null;
    }

    /** The first fault of this scope that is due, or null; a counted one is used up by this. */
    synchronized @Nullable Fault take(Fault.Scope scope) {
        for (Iterator<Entry> each = entries.iterator(); each.hasNext(); ) {
            Entry entry = each.next();
            if (!entry.concerns(scope) || (entry.rate < 1 && random.nextDouble() >= entry.rate)) {
                continue;
            }
            if (entry.remaining > 0 && --entry.remaining == 0) {
                each.remove();
            }
            return entry.fault;
        }
        return null;
    }

    private void add(Entry entry) {
        Runnable told;
        synchronized (this) {
            if (entry.remaining == ALWAYS) {
                entries.removeIf(old -> old.remaining == ALWAYS && old.fault.kind() == entry.fault.kind());
            }
            entries.add(entry);
            told = listener;
        }
        told.run();
    }

    /** One line of the list. Guarded by the list's owner. */
    private static final class Entry {

        private final Fault fault;
        private final double rate;
        private int remaining;

        Entry(Fault fault, int remaining, double rate) {
            this.fault = fault;
            this.remaining = remaining;
            this.rate = rate;
        }

        boolean concerns(Fault.Scope scope) {
            // A counted hang is about single requests; a standing one stops the engine and needs no request to be hit.
            return fault.kind() == Fault.Kind.HANG
                    ? scope == Fault.Scope.REQUEST && remaining != ALWAYS
                    : fault.kind().scope() == scope;
        }

        @Override
        public String toString() {
            return remaining == ALWAYS ? new RatedFault(fault, rate).toString() : fault + " x" + remaining;
        }
    }
}
