package io.penstock.admission;

import java.util.concurrent.atomic.AtomicLong;

/**
 * The memory that all request bodies together may take, shared so that large bodies never crowd out small ones: a body is
 * let in only if, beside itself, {@value #HEADROOM} times its own size stays free, or a quarter of the whole, whichever is
 * less. So however many large ones come, they stop at three quarters; those of a megabyte stop a few megabytes before the
 * end, and one of a few kilobytes finds room until there is next to none.
 *
 * <p>One rule over one counter, rather than a pool for each size: nobody has to say where "large" begins, and what no
 * large body needs is there for small ones. Any thread may reserve and give back; nothing here waits.
 */
public final class BodyBudget {

    private static final int HEADROOM = 8;
    private static final int LARGEST_HEADROOM_SHARE = 4;

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
     * The largest body that can ever get in: three quarters of the capacity.
     *
     * @return bytes
     */
    public long largestBodyBytes() {
        return largest(capacityBytes);
    }

    private static long largest(long capacity) {
        return capacity - capacity / LARGEST_HEADROOM_SHARE;
    }

    /**
     * Reserves memory for a whole body if there is room.
     *
     * @param bytes the body's length, zero or more
     * @return true if it is reserved, to be given back by {@link #release}; false if there is no room now
     */
    public boolean tryReserve(long bytes) {
        return tryGrow(0, bytes);
    }

    /**
     * Reserves more memory for a body that has some already, if there is room for one of the size that it then has.
     *
     * @param heldBytes what this body has reserved so far
     * @param moreBytes what it needs beside, zero or more
     * @return true if {@code moreBytes} are reserved; false if there is no room now, and what it held it still holds
     */
    public boolean tryGrow(long heldBytes, long moreBytes) {
        while (true) {
            long capacity = capacityBytes;
            if (moreBytes > largest(capacity) - heldBytes) { // Not their sum: that may overflow.
                return moreBytes == 0;
            }
            long now = reserved.get();
            long mustStayFree = headroom(heldBytes + moreBytes, capacity);
            if (moreBytes > 0 && moreBytes > capacity - now - mustStayFree) {
                return false;
            }
            if (reserved.compareAndSet(now, now + moreBytes)) {
                return true;
            }
        }
    }

    private static long headroom(long bodyBytes, long capacity) {
        return Math.min(HEADROOM * bodyBytes, capacity / LARGEST_HEADROOM_SHARE);
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
