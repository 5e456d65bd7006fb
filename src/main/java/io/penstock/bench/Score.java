package io.penstock.bench;

/**
 * What became of a cell under one policy.
 *
 * @param good share of the requests that had both their first token and their mean inter-token time in time
 * @param medianSeconds half of the requests had their first token sooner
 * @param p99Seconds all but one in a hundred had
 * @param quietP99Seconds the same for the caller that does not flood
 * @param hits share of the prompt tokens that were found in a cache
 * @param busiest requests that the busiest replica got, over the mean
 * @param idlest requests that the least busy replica got, over the mean
 */
public record Score(
        double good,
        double medianSeconds,
        double p99Seconds,
        double quietP99Seconds,
        double hits,
        double busiest,
        double idlest) {}
