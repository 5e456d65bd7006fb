package io.penstock.admission;

import io.penstock.selection.Assignment;
import io.penstock.selection.RequestTraits;
import io.penstock.upstream.Lease;
import io.penstock.upstream.Outcome;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A place in the {@link WaitingRoom}. Any thread may {@link #cancel} it; everything else is the room's. */
public final class Ticket {

    private static final String NO_MODEL = "";

    private static final int OPEN = 0;
    private static final int DELIVERED = 1;
    private static final int CANCELLED = 2;

    private final WaitingRoom room;
    private final RequestTraits traits;
    private final Tried tried;
    private final long rank;
    private final Executor executor;
    private final Consumer<Lease> granted;
    private final AtomicInteger state = new AtomicInteger();
    private @Nullable Lease lease; // Set once under the door, before delivery.
    private @Nullable Assignment assignment; // Under the door; null unless it waits in a lane.

    Ticket(WaitingRoom room, RequestTraits traits, Tried tried, long rank, Executor executor, Consumer<Lease> granted) {
        this.room = room;
        this.traits = traits;
        this.tried = tried;
        this.rank = rank;
        this.executor = executor;
        this.granted = granted;
    }

    long rank() {
        return rank;
    }

    boolean inFront() {
        return rank < 0;
    }

    RequestTraits traits() {
        return traits;
    }

    Tried tried() {
        return tried;
    }

    @Nullable
    Assignment assignment() {
        return assignment;
    }

    void assign(@Nullable Assignment to) {
        assignment = to;
    }

    @Nullable
    Lease lease() {
        return lease;
    }

    void lease(Lease found) {
        lease = found;
    }

    String model() {
        return model(traits);
    }

    /** What a request asks for; an empty text if it names no model. */
    static String model(RequestTraits traits) {
        String model = traits.model();
        return model == null ? NO_MODEL : model;
    }

    /** Hands the lease over, on the waiter's own executor. Not under the door. */
    void deliver() {
        Lease mine = lease;
        if (mine == null) {
            throw new IllegalStateException("delivered without a lease");
        }
        if (state.compareAndSet(OPEN, DELIVERED)) {
            executor.execute(() -> granted.accept(mine));
        } else {
            mine.end(Outcome.IGNORED); // Cancelled meanwhile; this also wakes the next.
        }
    }

    /** Leaves the queue. A lease that is on its way already is still delivered, and must be ended. Any thread. */
    public void cancel() {
        if (state.compareAndSet(OPEN, CANCELLED)) {
            room.forget(this);
        }
    }
}
