package io.penstock.admission;

import java.util.concurrent.atomic.AtomicLong;

/** The memory that all request bodies together may take. Any thread may reserve and give back. */
public final class BodyBudget {

    private final AtomicLong reserved = new AtomicLong();
    // Written by the config verticle's news, read by every event loop.
    private volatile long capacityBytes;

    /**
     * Makes an empty budget.
     *
     * @param capacityBytes what may be reserved at once
     */
    public BodyBudget(long capacityBytes) {
        this.capacityBytes = capacityBytes;
    }

    /**
     * Changes the capacity. What is reserved beyond a smaller one stays until it is given back.
     *
     * @param bytes what may be reserved at once
     */
    public void resize(long bytes) {
        capacityBytes = bytes;
    }

    /**
     * Reserves memory if there is room.
     *
     * @param bytes zero or more
     * @return true if it is reserved, to be given back by {@link #release}; false if there is no room now
     */
    public boolean tryReserve(long bytes) {
        while (true) {
            long now = reserved.get();
            if (bytes > capacityBytes - now) { // Not now + bytes: that may overflow.
                return false;
            }
            if (reserved.compareAndSet(now, now + bytes)) {
                return true;
            }
        }
    }

    /**
     * Gives memory back.
     *
     * @param bytes what was reserved
     */
    public void release(long bytes) {
        reserved.addAndGet(-bytes);
    }

    /**
     * What is reserved now.
     *
     * @return bytes
     */
    public long reservedBytes() {
        return reserved.get();
    }
}
