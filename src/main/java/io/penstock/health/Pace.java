package io.penstock.health;

import java.time.Duration;

/**
 * The times of probing that are not the operator's to choose. Tests choose shorter ones.
 *
 * @param resolveEvery from one look-up of the names to the next
 * @param resolveBound how long a look-up may hold up what waits for it
 * @param eagerInterval at most this from probe to probe of a replica that is down, so that it is back soon
 * @param doubtGap at least this from the start of a probe to the start of one that a doubt asks for, since doubts come
 *     by the hundred
 * @param modelsTimeout how long reading the list of models may take
 * @param beat how often the verticle shows that it still turns
 */
record Pace(
        Duration resolveEvery,
        Duration resolveBound,
        Duration eagerInterval,
        Duration doubtGap,
        Duration modelsTimeout,
        Duration beat) {

    /** Names every 2 s and for 2 s at most, probes of what is down every 500 ms, models for 2 s. */
    static final Pace DEFAULT = new Pace(
            Duration.ofSeconds(2),
            Duration.ofSeconds(2),
            Duration.ofMillis(500),
            Duration.ofMillis(50),
            Duration.ofSeconds(2),
            Duration.ofSeconds(1));
}
