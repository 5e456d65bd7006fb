package io.penstock.faults;

import org.jspecify.annotations.Nullable;

/**
 * What happens to the first try of one request. Later tries pass, so whoever tries again gets the whole answer.
 *
 * @param simFault what the simulated replica does itself, in its own words; null if the wire does it
 * @param cut where the wire ends the answer; null if the replica does it
 * @param manner how the wire ends it
 */
record Strike(@Nullable String simFault, @Nullable Cut cut, Manner manner) {

    /** Places in an answer where the wire can end it. */
    enum Cut {
        /** Before the first byte. */
        NOTHING,
        /** In the middle of the head. */
        HALF_HEAD,
        /** Right after the head. */
        HEAD,
        /** After half of a body that comes in chunks. */
        HALF_CHUNKED_BODY,
        /** Before the last chunk, which is all that is missing. */
        LAST_CHUNK,
        /** The replica's process is killed by the request. */
        KILL
    }

    /** Ways to end a connection. */
    enum Manner {
        FIN,
        RESET
    }

    /** By the replica. */
    static Strike sim(String fault) {
        return new Strike(fault, null, Manner.FIN);
    }

    /** By the wire. */
    static Strike wire(Cut cut, Manner manner) {
        return new Strike(null, cut, manner);
    }
}
