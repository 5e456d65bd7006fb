package io.penstock.proxy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The receipts of the newest requests of this process. Each request has a place in a ring, which it keeps until as many
 * others have come as the ring has places; what it writes after that is dropped. No lock: event loops write, and whoever
 * asks walks along the ring. A receipt is about 1 kB, at most some 7 kB.
 */
public final class Receipts {

    /** Requests that are remembered: about 4 MB, at most 30 MB. */
    public static final int REMEMBERED = 4096;

    private record Entry(long place, Receipt receipt) {}

    private final LongSupplier nanoClock;
    private final AtomicReferenceArray<@Nullable Entry> ring;
    private final AtomicLong next = new AtomicLong();

    /**
     * An empty ring.
     *
     * @param size requests that are remembered
     * @param nanoClock the time, in nanoseconds
     */
    public Receipts(int size, LongSupplier nanoClock) {
        this.ring = new AtomicReferenceArray<>(size);
        this.nanoClock = nanoClock;
    }

    /**
     * A place for one more request. Any thread.
     *
     * @return the place, for {@link #write}
     */
    public long place() {
        return next.getAndIncrement();
    }

    /**
     * Writes a request's receipt in place of its earlier one. Any thread.
     *
     * @param place what {@link #place} gave to this request
     * @param receipt how it stands
     */
    public void write(long place, Receipt receipt) {
        int slot = (int) (place % ring.length());
        Entry mine = new Entry(place, receipt);
        while (true) {
            Entry there = ring.get(slot);
            if (there != null && there.place() > place) {
                return; // Many came since: it has lost its place.
            }
            if (ring.compareAndSet(slot, there, mine)) {
                return;
            }
        }
    }

    /**
     * The receipts that bear an id, which clients choose and may use more than once. Walks along the whole ring.
     *
     * @param requestId the id
     * @return the newest first, perhaps none
     */
    public List<Receipt> find(String requestId) {
        return collect(requestId, ring.length());
    }

    /**
     * The newest receipts.
     *
     * @param most how many at most
     * @return the newest first
     */
    public List<Receipt> newest(int most) {
        return collect(null, most);
    }

    private List<Receipt> collect(@Nullable String requestId, int most) {
        List<Receipt> found = new ArrayList<>();
        long last = next.get() - 1;
        for (long place = last; place >= 0 && place > last - ring.length() && found.size() < most; place--) {
            Entry entry = ring.get((int) (place % ring.length()));
            // Another place: it has written nothing yet.
            if (entry != null
                    && entry.place() == place
                    && (requestId == null || requestId.equals(entry.receipt().requestId()))) {
                found.add(entry.receipt());
            }
        }
        return found;
    }

    /**
     * How long ago a request came.
     *
     * @param receipt its receipt
     * @return nanoseconds
     */
    public long ageNanos(Receipt receipt) {
        return nanoClock.getAsLong() - receipt.arrivedNanos();
    }
}
