package io.penstock.proxy;

import io.penstock.proxy.ExchangeReport.Result;
import io.penstock.upstream.Lease;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What happened to one request and when, noted as it happens. Confined to one event loop. */
final class Timeline {

    private final long arrivedNanos;
    private final @Nullable Journal journal;
    private final ExchangeSpan span;
    private final List<AttemptReport> attempts = new ArrayList<>(1);
    // Without a value that means "not": the clock may begin anywhere.
    private boolean waiting;
    private long waitingSince;
    private long queueNanos;
    private long connectNanos = -1;
    private long headNanos = -1;
    private long firstOutputNanos = -1;
    private @Nullable Phase stopped;

    /** Of a request for which no replica is chosen. */
    Timeline(long arrivedNanos) {
        this(arrivedNanos, null, ExchangeSpan.NONE);
    }

    /** Whatever is noted here shows in the request's trace, and in its receipt if it has a journal. */
    Timeline(long arrivedNanos, @Nullable Journal journal, ExchangeSpan span) {
        this.arrivedNanos = arrivedNanos;
        this.journal = journal;
        this.span = span;
    }

    long sinceArrival(long nowNanos) {
        return nowNanos - arrivedNanos;
    }

    void waits(long nowNanos) {
        waiting = true;
        waitingSince = nowNanos;
        span.waits();
        write(null);
    }

    void leased(long nowNanos) {
        if (waiting) {
            queueNanos += nowNanos - waitingSince;
            waiting = false;
            span.leased();
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
            span.firstOutput();
            if (journal != null) {
                journal.firstOutput(firstOutputNanos);
            }
            write(null);
        }
    }

    /** A replica was chosen for the n-th attempt; {@code hedged} if another one goes on. Returns the attempt's span. */
    AttemptSpan chose(Lease lease, int number, boolean hedged) {
        if (journal != null) {
            journal.chose(lease, attempts.isEmpty() ? null : attempts.get(attempts.size() - 1), hedged);
            write(null);
        }
        return span.attempt(lease, number, hedged);
    }

    /** The output of this replica will be relayed. */
    void answers(String replica) {
        if (journal != null) {
            journal.answers(replica);
        }
    }

    /** The latest decision for a replica, null if there was none. */
    @Nullable
    Decision decision(String replica) {
        return journal == null ? null : journal.latest(replica);
    }

    private void write(@Nullable ExchangeReport over) {
        if (journal != null) {
            journal.write(attempts, queueNanos, firstOutputNanos, over);
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
        ExchangeReport report = new ExchangeReport(
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
                bytesOut,
                journal == null ? List.of() : journal.decisions());
        write(report);
        span.ended(report);
        return report;
    }
}
