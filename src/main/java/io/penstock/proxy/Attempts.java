package io.penstock.proxy;

import io.penstock.upstream.Outcome;
import io.penstock.upstream.UpstreamState;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The attempts of one request that run now: none, one, or two while it is <em>hedged</em>: its replica is suspected, so
 * another one was asked, too. Once one of them has output the other is given up. Confined to one event loop.
 */
final class Attempts {

    private final Timeline timeline;
    private final List<Attempt> running = new ArrayList<>(1);

    /** {@code timeline} is told of each when it begins, and gets its report when it is over. */
    Attempts(Timeline timeline) {
        this.timeline = timeline;
    }

    void began(Attempt attempt) {
        attempt.traced(timeline.chose(attempt.lease(), attempt.number(), !running.isEmpty()));
        running.add(attempt);
    }

    /** The one that began first, null if none runs. */
    @Nullable
    Attempt first() {
        return running.isEmpty() ? null : running.get(0);
    }

    /** The one that runs there, null if none does. */
    @Nullable
    Attempt at(UpstreamState upstream) {
        for (Attempt each : running) {
            if (each.upstream() == upstream) {
                return each;
            }
        }
        return null;
    }

    /** A copy, since whoever walks it may end some of them. */
    List<Attempt> all() {
        return List.copyOf(running);
    }

    boolean isHedged() {
        return running.size() > 1;
    }

    /** One is over; {@code kind} says why it ended early, null if it did not: then its lease has ended. */
    void over(Attempt attempt, @Nullable FailureKind kind) {
        if (kind != null) {
            attempt.endLease(kind.charged() ? Outcome.FAILED : Outcome.IGNORED);
        }
        timeline.attempt(attempt.report(kind));
        attempt.span().ended(kind);
        running.remove(attempt);
    }

    /** Stops one, which says nothing about its replica. */
    void abandon(Attempt attempt, FailureKind why) {
        attempt.abandon(Outcome.IGNORED);
        over(attempt, why);
    }

    /** Stops all of them. Returns the one that began first, null if none ran. */
    @Nullable
    Attempt abandonAll(FailureKind why) {
        Attempt first = first();
        all().forEach(each -> abandon(each, why));
        return first;
    }

    /** This one has won. */
    void abandonAllBut(Attempt winner) {
        timeline.answers(winner.upstream().name());
        winner.span().firstOutput();
        for (Attempt each : all()) {
            if (each != winner) {
                abandon(each, FailureKind.HEDGE_LOST);
            }
        }
    }
}
