package io.penstock.proxy;

/** Where a request is on its way. What a client that leaves was waiting for, in the metrics and the log. */
public enum Phase {
    /** Its body comes in. */
    BODY,
    /** It waits for a replica. */
    QUEUE,
    /** A connection to a replica is being made. */
    CONNECT,
    /** It was sent, and the replica has not answered. */
    HEAD,
    /** The replica has accepted it, and there is no output yet. */
    PREFILL,
    /** It waits before it is tried again. */
    BACK_OFF,
    /** The answer is being passed on. */
    DECODE
}
