package io.penstock.selection;

import io.penstock.upstream.UpstreamState;
import java.util.ArrayList;
import java.util.List;

/**
 * The replica with the fewest requests in flight for its weight. Equals take turns by weight, so an idle fleet is not
 * hammered at its first entry.
 */
final class LeastInFlight implements Selector {

    private final RoundRobin amongEquals = new RoundRobin();

    @Override
    public UpstreamState choose(List<UpstreamState> candidates, RequestTraits traits) {
        List<UpstreamState> equals = new ArrayList<>(candidates.size());
        long leastLoad = 0;
        long leastWeight = 1;
        for (int i = 0; i < candidates.size(); i++) {
            UpstreamState candidate = candidates.get(i);
            long load = candidate.inFlight();
            long weight = candidate.identity().replica().weight();
            // load/weight against leastLoad/leastWeight, without division.
            long order = equals.isEmpty() ? -1 : load * leastWeight - leastLoad * weight;
            if (order < 0) {
                equals.clear();
                leastLoad = load;
                leastWeight = weight;
            }
            if (order <= 0) {
                equals.add(candidate);
            }
        }
        return amongEquals.next(equals);
    }
}
