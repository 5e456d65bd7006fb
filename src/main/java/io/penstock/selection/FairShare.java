package io.penstock.selection;

import java.util.List;

/**
 * How much each of some replicas may hold, so that no prediction, right or wrong, gives one of them nearly everything: a
 * quarter more than its share by weight, and four. One of less weight than the heaviest gets less of the four, in
 * proportion, and waits until there is something to share.
 *
 * @param heldPerWeight what all of them hold, for each unit of weight
 * @param heaviest the greatest weight
 */
record FairShare(double heldPerWeight, int heaviest) {

    private static final double TIMES = 1.25;
    private static final double MORE = 4;

    static FairShare among(List<ReplicaOutlook> replicas) {
        double held = 0;
        int weights = 0;
        int heaviest = 1;
        for (ReplicaOutlook each : replicas) {
            held += each.held();
            weights += each.weight();
            heaviest = Math.max(heaviest, each.weight());
        }
        return new FairShare(held / weights, heaviest);
    }

    /** Whether a replica may get one more. */
    boolean allows(ReplicaOutlook replica) {
        double more = (MORE + 1) * replica.weight() / heaviest;
        return replica.held() + 1 <= TIMES * of(replica) + more;
    }

    /** Whether a replica has next to nothing where the others have much. */
    boolean leavesIdle(ReplicaOutlook replica) {
        return replica.held() < of(replica) / 2 - MORE;
    }

    private double of(ReplicaOutlook replica) {
        return heldPerWeight * replica.weight();
    }
}
