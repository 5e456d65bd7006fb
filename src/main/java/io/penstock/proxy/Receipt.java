package io.penstock.proxy;

import io.penstock.config.PenstockConfig.Policy;
import io.penstock.proxy.ExchangeReport.Result;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Why one request went where it did: what {@code penstock explain} shows. Written anew at each decision, at the first
 * output and at the end; nothing of the prompt is in it, and of the caller only a digest. Times are nanoseconds since the
 * request's head arrived, -1 for what has not happened.
 *
 * @param requestId the id that the client and the replicas saw
 * @param arrivedNanos when its head arrived, by the injected clock
 * @param route the row of the API table
 * @param model the model asked for, shortened if it is long; null if it names none
 * @param stream whether it asks for a stream
 * @param caller tells callers apart, and says nothing else about them; empty if nobody knows
 * @param promptTokens how long its prompt was taken to be; 0 if nothing is known
 * @param promptPieces whole pieces of its prompt, by which shared beginnings are found
 * @param policy how replicas were chosen
 * @param decisions the first one and the latest ones, in order
 * @param moreDecisions how many in between were left out
 * @param attempts the latest tries that are over, in order
 * @param queueNanos how long it has waited, lanes included
 * @param firstOutputNanos when its first output was relayed
 * @param totalNanos when it was over
 * @param result how it ended for its client; null while it goes on
 * @param status the status its client got; 0 while it goes on
 */
public record Receipt(
        String requestId,
        long arrivedNanos,
        String route,
        @Nullable String model,
        boolean stream,
        String caller,
        int promptTokens,
        int promptPieces,
        Policy policy,
        List<Decision> decisions,
        int moreDecisions,
        List<AttemptReport> attempts,
        long queueNanos,
        long firstOutputNanos,
        long totalNanos,
        @Nullable Result result,
        int status) {

    /** Copies the lists. */
    public Receipt {
        decisions = List.copyOf(decisions);
        attempts = List.copyOf(attempts);
    }
}
