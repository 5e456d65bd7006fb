package io.penstock.selection;

/** What replicas that serve the same models know together of how fast they are. Times are in seconds. */
final class Peers {

    /** What was learned of a replica loses its weight against what its peers do; it may be well again. */
    private static final double FORGET_SECONDS = 30;

    private double rates;
    private int ratesKnown;
    private double gaps;
    private int gapsKnown;
    private double leastGap;

    /** Adds what one of them knows. */
    void count(ReplicaSpeed speed) {
        if (speed.rate() > 0) {
            rates += speed.rate();
            ratesKnown++;
        }
        if (speed.gap() > 0) {
            gaps += speed.gap();
            gapsKnown++;
            leastGap = leastGap == 0 ? speed.minGap() : Math.min(leastGap, speed.minGap());
        }
    }

    /** The shortest from one token to the next that any of them has seen; 0 if none has. */
    double leastGap() {
        return leastGap;
    }

    /** How fast one of them reads that learned {@code own} (0: nothing) so long ago; 0 if nobody knows. */
    double rate(double own, long agoNanos) {
        return mixed(own, rates, ratesKnown, agoNanos);
    }

    /** As {@link #rate}, from one token to the next. */
    double gap(double own, long agoNanos) {
        return mixed(own, gaps, gapsKnown, agoNanos);
    }

    /** What one knows of itself counts less the older it is; then its peers are asked. */
    private static double mixed(double own, double all, int known, long agoNanos) {
        int others = own > 0 ? known - 1 : known;
        if (others == 0) {
            return own;
        }
        double peers = (all - own) / others;
        double weight = own > 0 ? Math.exp(-Math.max(0, ReplicaOutlook.seconds(agoNanos)) / FORGET_SECONDS) : 0;
        return own * weight + peers * (1 - weight);
    }
}
