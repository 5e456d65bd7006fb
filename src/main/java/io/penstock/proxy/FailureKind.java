package io.penstock.proxy;

/**
 * Everything that can go wrong with a request: what the client gets, whether the replica is charged, whether it is tried
 * again. This table is the contract; each row has a test. "Before output" means before the first output event was
 * relayed; after it nothing is ever tried again.
 *
 * <p>Rows marked <em>not reachable yet</em> belong to parts that are still to come.
 */
public enum FailureKind {
    // ---- the request itself is refused -----------------------------------------------------------------------------
    /** Malformed HTTP, both framings, bad Host (RFC 9112, sections 3.2 and 6.3). The connection is closed. */
    MALFORMED(400, "bad_request", Charge.NO, Elsewhere.NO),
    /** The request line is longer than {@code limits.requestLine} (RFC 9110, section 15.5.15). */
    REQUEST_LINE_TOO_LONG(414, "uri_too_long", Charge.NO, Elsewhere.NO),
    /** The header block is larger than {@code limits.headers} (RFC 6585, section 5). */
    HEADERS_TOO_LARGE(431, "headers_too_large", Charge.NO, Elsewhere.NO),
    /** The body is larger than {@code limits.body}, or than three quarters of {@code limits.bodyMemory}: it never fits. */
    BODY_TOO_LARGE(413, "body_too_large", Charge.NO, Elsewhere.NO),
    /** The head or the body did not arrive in time. */
    CLIENT_TOO_SLOW(408, "client_too_slow", Charge.NO, Elsewhere.NO),
    /** All bodies together take nearly all of {@code limits.bodyMemory} now; the larger one is, the more must be free. */
    BODY_MEMORY_FULL(503, "overloaded", Charge.NO, Elsewhere.NO),
    /** The path is not part of the inference API. */
    NOT_FOUND(404, "not_found", Charge.NO, Elsewhere.NO),
    /** The path is a control endpoint of vLLM, which is never reachable from the front. */
    CONTROL_ENDPOINT(403, "control_endpoint", Charge.NO, Elsewhere.NO),
    /** The path is known, the method is not (RFC 9110, section 15.5.6: with {@code Allow}). */
    METHOD_NOT_ALLOWED(405, "method_not_allowed", Charge.NO, Elsewhere.NO),
    /** Key missing or wrong. Not reachable yet: there are no keys. */
    UNAUTHORIZED(401, "unauthorized", Charge.NO, Elsewhere.NO),
    /** The caller is over its limits. Not reachable yet: there are no callers. */
    CALLER_OVER_LIMIT(429, "rate_limit_exceeded", Charge.NO, Elsewhere.NO),
    /** The same body was in flight at the death of two replicas a moment ago ({@link #POISON}). */
    POISON_BODY(422, "poison_request", Charge.NO, Elsewhere.NO),

    // ---- nobody can take it ----------------------------------------------------------------------------------------
    /** The waiting room is full. */
    WAITING_ROOM_FULL(429, "overloaded", Charge.NO, Elsewhere.NO),
    /** With one more everybody's tokens would come more slowly than {@code admission.targetInterToken}. */
    ABOVE_TARGET(429, "overloaded", Charge.NO, Elsewhere.NO),
    /** No replica became usable before the deadline. */
    NO_REPLICA(503, "no_replica_available", Charge.NO, Elsewhere.NO),
    /** All usable replicas were busy until the deadline. */
    QUEUE_DEADLINE(429, "overloaded", Charge.NO, Elsewhere.NO),
    /** Penstock goes down and takes no new work. */
    SHUTTING_DOWN(503, "shutting_down", Charge.NO, Elsewhere.NO),
    /** The replica that owns this response id is down. Not reachable yet. */
    OWNER_DOWN(503, "owner_unavailable", Charge.NO, Elsewhere.NO),

    // ---- a replica failed before output ----------------------------------------------------------------------------
    /** The connection was refused or reset while connecting: nothing was sent. */
    CONNECT_REFUSED(502, "upstream_unreachable", Charge.YES, Elsewhere.FAILOVER),
    /** Connecting took longer than {@code timeouts.connect}: nothing was sent. */
    CONNECT_TIMEOUT(504, "upstream_timeout", Charge.YES, Elsewhere.FAILOVER),
    /** A kept connection was closed without one byte of answer: the replica had closed it before we sent. */
    STALE_CONNECTION(502, "upstream_closed", Charge.NO, Elsewhere.FAILOVER),
    /** Closed, reset or ended after sending, before output, with or without a head. */
    DIED_BEFORE_OUTPUT(502, "upstream_died", Charge.YES, Elsewhere.FAILOVER),
    /** Judged dead or leaving while this request had no output there. */
    LEFT_BEFORE_OUTPUT(502, "upstream_left", Charge.NO, Elsewhere.FAILOVER),
    /** Its engine was judged to stand still while this request had no output there. */
    STALLED_BEFORE_OUTPUT(504, "upstream_stalled", Charge.NO, Elsewhere.FAILOVER),
    /** A complete answer was promised and cut before any of it was relayed. */
    CUT_BEFORE_RELAY(502, "upstream_died", Charge.YES, Elsewhere.FAILOVER),
    /** The request was without output at the death of two replicas: perhaps it kills them. Never a third. */
    POISON(502, "poison_request", Charge.NO, Elsewhere.NO),
    /** The replica was told to stop: its {@code /health} says 200 and every request gets 500. It gets no new work. */
    TOLD_TO_STOP(500, "upstream_leaving", Charge.NO, Elsewhere.FAILOVER),
    /** The replica says that its engine is dead, as a 500 or as a stream's first event. It gets no new work. */
    ENGINE_DEAD(500, "upstream_engine_dead", Charge.YES, Elsewhere.FAILOVER),
    /** Status 500 before output; passed on at last. */
    UPSTREAM_ERROR(500, "upstream_error", Charge.YES, Elsewhere.RETRY),
    /** 502, 503, 504 or 429 before output, as a status or as the first event: busy, not broken; passed on at last. */
    UPSTREAM_BUSY(503, "upstream_busy", Charge.NO, Elsewhere.RETRY),
    /** The first event of a 200 is an error; at last it becomes a real status, if the head is still held. */
    IN_BAND_ERROR(500, "upstream_in_band_error", Charge.YES, Elsewhere.RETRY),
    /** No output within {@code timeouts.firstOutput}, or no end within {@code timeouts.total}. */
    TIMED_OUT(504, "timeout", Charge.NO, Elsewhere.NO),

    // ---- after output: an honest end -------------------------------------------------------------------------------
    /** The stream died: EOF, reset or a broken chunk. */
    DIED_MID_STREAM(502, "upstream_died", Charge.YES, Elsewhere.NO),
    /** The stream ended without its end marker, though it was framed well. */
    ENDED_WITHOUT_MARKER(502, "upstream_cut_short", Charge.YES, Elsewhere.NO),
    /** An error event later in the stream: it is passed on, and nothing after it. */
    IN_BAND_ERROR_MID_STREAM(500, "upstream_in_band_error", Charge.YES, Elsewhere.NO),
    /** No byte for {@code timeouts.stall} from a replica that is out of rotation. */
    STALLED_MID_STREAM(504, "upstream_stalled", Charge.YES, Elsewhere.NO),
    /** The client took nothing of its answer for {@code timeouts.slowReader}. */
    CLIENT_DOES_NOT_READ(499, "client_too_slow", Charge.NO, Elsewhere.NO),

    // ---- nobody is told --------------------------------------------------------------------------------------------
    /** The client left. 499 stands in log and metrics only. */
    CLIENT_LEFT(499, "client_left", Charge.NO, Elsewhere.NO),
    /** The replica was suspected, another one was asked too, and that one had output first. Stands at the attempt only. */
    HEDGE_LOST(499, "hedge_lost", Charge.NO, Elsewhere.NO),
    /** Our own bug. */
    INTERNAL(500, "internal_error", Charge.NO, Elsewhere.NO);

    /** Whether a failure counts against the replica. */
    public enum Charge {
        /** It does. */
        YES,
        /** It does not. */
        NO
    }

    /** Whether the request goes to another replica. */
    public enum Elsewhere {
        /** Never. */
        NO,
        /** Yes, at no cost, at the front of the waiting room and with its first deadline. */
        FAILOVER,
        /** Yes, within the retry budget. */
        RETRY
    }

    private final int status;
    private final String code;
    private final Charge charge;
    private final Elsewhere elsewhere;

    FailureKind(int status, String code, Charge charge, Elsewhere elsewhere) {
        this.status = status;
        this.code = code;
        this.charge = charge;
        this.elsewhere = elsewhere;
    }

    /**
     * The HTTP status the client gets, if a status can still be sent.
     *
     * @return 400 to 599
     */
    public int status() {
        return status;
    }

    /**
     * The {@code code} of the error body, the metric label and the word in the log.
     *
     * @return lower case with underscores
     */
    public String code() {
        return code;
    }

    /**
     * Whether it counts against the replica.
     *
     * @return true if it does
     */
    public boolean charged() {
        return charge == Charge.YES;
    }

    /**
     * Whether the request moves to another replica.
     *
     * @return how
     */
    public Elsewhere elsewhere() {
        return elsewhere;
    }
}
