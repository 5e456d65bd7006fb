package io.penstock.selection;

import io.penstock.upstream.UpstreamState;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * One after the other, each as often as its weight says and evenly spread, whoever is a candidate at the moment.
 *
 * <p>Stride scheduling (Waldspurger and Weihl, 1995): every replica has a turn; the lowest goes next and moves on by
 * 1/weight. A replica that was away does not catch up, but for one turn: without that one, a replica that is a candidate
 * only now and then would lose every tie. No lock: when two event loops choose at once, they may pick the same replica
 * once.
 */
final class RoundRobin implements Selector {

    /** Divisible by the common weights, so that equal shares stay equal. */
    private static final long STRIDE = 720_720L * 100;

    // The turn of the last choice. Written by every event loop; a lost update moves it back by one choice.
    private final AtomicLong reached;

    RoundRobin() {
        this(0);
    }

    /** Goes on from a turn, as one that has chosen before. */
    RoundRobin(long reached) {
        this.reached = new AtomicLong(reached);
    }

    @Override
    public UpstreamState choose(List<UpstreamState> candidates, RequestTraits traits) {
        return next(candidates);
    }

    UpstreamState next(List<UpstreamState> candidates) {
        long now = reached.get();
        UpstreamState best = candidates.get(0);
        long bestAhead = ahead(best, now);
        for (int i = 1; i < candidates.size(); i++) {
            UpstreamState candidate = candidates.get(i);
            long ahead = ahead(candidate, now);
            if (ahead < bestAhead) {
                best = candidate;
                bestAhead = ahead;
            }
        }
        best.turn().set(now + bestAhead + step(best));
        reached.set(now + Math.max(0, bestAhead));
        return best;
    }

    /**
     * How far a replica's turn is ahead of the last choice. One that was away is a turn of its own behind at most. One
     * that comes from another selector (the policy was changed) is brought near, or it would wait for this one to get as
     * far. By difference, so that the turns may wrap.
     */
    private static long ahead(UpstreamState candidate, long now) {
        long ahead = candidate.turn().get() - now;
        if (ahead > STRIDE) {
            candidate.turn().set(now + STRIDE);
            return STRIDE;
        }
        return Math.max(-step(candidate), ahead);
    }

    private static long step(UpstreamState candidate) {
        return STRIDE / candidate.identity().replica().weight();
    }
}
