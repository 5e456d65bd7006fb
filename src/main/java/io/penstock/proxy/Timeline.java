package io.penstock.proxy;

import io.penstock.proxy.ExchangeReport.Result;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What happened to one request and when, noted as it happens. Confined to one event loop. */
final class Timeline {

    private final long arrivedNanos;
    private final List<AttemptReport> attempts = new ArrayList<>(1);
    // Without a value that means "not": the clock may begin anywhere.
    private boolean waiting;
    private long waitingSince;
    private long queueNanos;
    private long connectNanos = -1;
    private long headNanos = -1;
    private long firstOutputNanos = -1;
    private @Nullable Phase stopped;

    Timeline(long arrivedNanos) {
        this.arrivedNanos = arrivedNanos;
    }

    long sinceArrival(long nowNanos) {
        return nowNanos - arrivedNanos;
    }

    void waits(long nowNanos) {
        waiting = true;
        waitingSince = nowNanos;
    }

    void leased(long nowNanos) {
        if (waiting) {
            queueNanos += nowNanos - waitingSince;
            waiting = false;
        }
    }

    void connected(long nowNanos) {
        connectNanos = nowNanos - arrivedNanos;
    }

    void head(long nowNanos) {
        headNanos = nowNanos - arrivedNanos;
    }

    void firstOutput(long nowNanos) {
        if (firstOutputNanos < 0) {
            firstOutputNanos = nowNanos - arrivedNanos;
        }
    }

    /** Nobody listens any more, and this is what was waited for. */
    void stopped(Phase phase) {
        stopped = phase;
    }

    void attempt(AttemptReport report) {
        attempts.add(report);
    }

    /** The facts of the request itself, which do not depend on time. */
    record Facts(
            String requestId,
            String client,
            String method,
            ApiTable.Route route,
            @Nullable String model,
            boolean stream,
            long bytesIn) {}

    ExchangeReport report(
            Facts facts,
            Result result,
            @Nullable FailureKind failure,
            int status,
            @Nullable String replica,
            long events,
            long bytesOut,
            long nowNanos) {
        leased(nowNanos); // Whoever leaves from the queue has waited too.
        return new ExchangeReport(
                facts.requestId(),
                facts.client(),
                facts.method(),
                facts.route().route(),
                facts.model(),
                facts.stream(),
                result,
                failure,
                stopped,
                status,
                replica,
                attempts,
                queueNanos,
                connectNanos,
                headNanos,
                firstOutputNanos,
                nowNanos - arrivedNanos,
                events,
                facts.bytesIn(),
                bytesOut);
    }
}
