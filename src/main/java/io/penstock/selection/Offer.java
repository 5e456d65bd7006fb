package io.penstock.selection;

import io.penstock.upstream.Choice.Option;
import io.penstock.upstream.Choice.Terms;

/** One candidate in one choice by predicted delay. Confined to whoever holds the lock. */
final class Offer {

    private static final double OUTPUT_WEIGHT = 0.03;
    private static final double DISTURBANCE = 0.1;
    private static final double MILLIS = 1e3;

    private final ReplicaOutlook outlook;
    private final int matched;
    private final long uncached;
    private double cost;

    /** {@code matched} leading pieces of the prompt were seen there, so {@code uncached} tokens would have to be read. */
    Offer(ReplicaOutlook outlook, int matched, long uncached) {
        this.outlook = outlook;
        this.matched = matched;
        this.uncached = uncached;
    }

    ReplicaOutlook outlook() {
        return outlook;
    }

    long uncached() {
        return uncached;
    }

    double cost() {
        return cost;
    }

    /** Takes over what the request costs there, seconds. */
    void cost(double seconds) {
        cost = seconds;
    }

    /** What reading so many tokens that could be saved elsewhere costs those that are being answered at a replica. */
    static double disturbance(ReplicaOutlook at, double extraTokens) {
        return DISTURBANCE * at.answering() * extraTokens / at.rate();
    }

    /** What the answer costs there, which is the same everywhere but for how fast tokens come. */
    static double answer(ReplicaOutlook at, double output) {
        return OUTPUT_WEIGHT * output * at.gap();
    }

    /** The offer in words and numbers, before the books are changed by it. */
    Option told(double output, double disturbance, long nowNanos) {
        return new Option(
                outlook.upstream().name(),
                outlook.held(),
                new Terms(
                        matched,
                        uncached,
                        MILLIS * outlook.aheadSeconds(nowNanos),
                        MILLIS * uncached / outlook.rate(),
                        MILLIS * outlook.gap(),
                        MILLIS * outlook.silence(nowNanos),
                        MILLIS * answer(outlook, output),
                        MILLIS * disturbance,
                        MILLIS * cost));
    }
}
