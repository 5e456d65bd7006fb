package io.penstock.proxy;

import io.penstock.upstream.Lease;

/** One request in a trace, from its head to its end. Confined to one event loop; never blocks, never throws. */
public interface ExchangeSpan {

    /** Of a request that nobody follows. */
    ExchangeSpan NONE = new ExchangeSpan() {};

    /** It begins to wait for a replica. It may do so more than once. */
    default void waits() {}

    /** It waits no longer, because it has a replica or because it is over. Follows each {@link #waits} once. */
    default void leased() {}

    /**
     * It is tried at a replica.
     *
     * @param lease its place there
     * @param number which try this is, from 1
     * @param hedge whether another try goes on beside it
     * @return the try's span, which ends before this one
     */
    default AttemptSpan attempt(Lease lease, int number, boolean hedge) {
        return AttemptSpan.NONE;
    }

    /** The first output is on its way to the client. At most once. */
    default void firstOutput() {}

    /**
     * It is over. The last call.
     *
     * @param report everything about it
     */
    default void ended(ExchangeReport report) {}
}
