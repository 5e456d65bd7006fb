package io.penstock.proxy;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One request, looked back at: what the access log writes and the metrics count. Times are nanoseconds since the
 * request's head arrived, -1 for what never happened.
 *
 * @param requestId the id that the client and the replicas saw
 * @param client the peer's address, without port
 * @param method the HTTP method
 * @param route the row of the API table, {@code "other"} for paths that are in none
 * @param model the model asked for, null if unknown
 * @param stream whether the answer was a stream of events
 * @param result how it ended for the client
 * @param failure the row of the failure table, null if none applies
 * @param stopped where it was when its client left or was given up, null if that did not happen
 * @param status the status the client got, or would have got had it stayed (499)
 * @param replica the display name of the replica that answered, null if none did
 * @param attempts every try, in order
 * @param queueNanos time spent waiting for a replica, all waits together
 * @param connectNanos when the last attempt had its connection
 * @param headNanos when the answering replica's head came
 * @param firstOutputNanos when the first output was relayed (time to first token)
 * @param totalNanos when it was over
 * @param events SSE events relayed
 * @param bytesIn the request's body
 * @param bytesOut the response's body
 * @param decisions which replicas were chosen and why, in order; of very many, some in between are left out
 */
public record ExchangeReport(
        String requestId,
        String client,
        String method,
        String route,
        @Nullable String model,
        boolean stream,
        Result result,
        @Nullable FailureKind failure,
        @Nullable Phase stopped,
        int status,
        @Nullable String replica,
        List<AttemptReport> attempts,
        long queueNanos,
        long connectNanos,
        long headNanos,
        long firstOutputNanos,
        long totalNanos,
        long events,
        long bytesIn,
        long bytesOut,
        List<Decision> decisions) {

    /** Copies the lists. */
    public ExchangeReport {
        attempts = List.copyOf(attempts);
        decisions = List.copyOf(decisions);
    }

    /** How a request ended, from the client's seat. This list is closed: dashboards rely on it. */
    public enum Result {
        /** A whole answer below 400 was relayed. */
        COMPLETED,
        /** A replica's own 4xx or 5xx was relayed. */
        UPSTREAM_ERROR,
        /** Penstock answered with an error before any output. */
        REFUSED,
        /** The answer broke after it had begun, and the client could tell. */
        BROKEN,
        /** The client left first. */
        CLIENT_LEFT
    }
}
