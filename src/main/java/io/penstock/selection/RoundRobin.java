package io.penstock.selection;

import io.penstock.upstream.UpstreamState;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * One after the other, each as often as its weight says and evenly spread, whoever is a candidate at the moment.
 *
 * <p>Stride scheduling (Waldspurger and Weihl, 1995): every replica has a turn; the lowest goes next and moves on by
 * 1/weight. A replica that was away does not catch up: its turn is at least that of the last choice. No lock: when two
 * event loops choose at once, they may pick the same replica once.
 */
final class RoundRobin implements Selector {

    /** Divisible by the common weights, so that equal shares stay equal. */
    private static final long STRIDE = 720_720L * 100;

    // The turn of the last choice. Written by every event loop; a lost update moves it back by one choice.
    private final AtomicLong reached = new AtomicLong();

    @Override
    public UpstreamState choose(List<UpstreamState> candidates, RequestTraits traits) {
        return next(candidates);
    }

    UpstreamState next(List<UpstreamState> candidates) {
        long floor = reached.get();
        UpstreamState best = candidates.get(0);
        long bestTurn = Math.max(best.turn().get(), floor);
        for (int i = 1; i < candidates.size(); i++) {
            UpstreamState candidate = candidates.get(i);
            long turn = Math.max(candidate.turn().get(), floor);
            if (turn < bestTurn) {
                best = candidate;
                bestTurn = turn;
            }
        }
        best.turn().set(bestTurn + STRIDE / best.identity().replica().weight());
        reached.set(bestTurn);
        return best;
    }
}
