package io.penstock.metrics;

import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Since when names that have counters are gone. Counters outlive what they count for a while, so that Prometheus sees
 * their last values and what comes back soon goes on counting; but a name service may invent replicas for years. Confined
 * to scrapes, which exclude each other.
 */
final class Absences {

    private static final long MEMORY_NANOS = Duration.ofMinutes(10).toNanos();

    private final Map<String, Long> since = new HashMap<>();

    /** Those of the counted that have been absent for ten minutes, in each scrape meanwhile. */
    Set<String> longGone(Set<String> counted, Set<String> present, long nowNanos) {
        since.keySet().removeAll(present);
        Set<String> gone = new HashSet<>();
        for (String name : counted) {
            if (present.contains(name)) {
                continue;
            }
            Long absent = since.putIfAbsent(name, nowNanos);
            if (absent != null && nowNanos - absent >= MEMORY_NANOS) {
                gone.add(name);
            }
        }
        since.keySet().removeAll(gone);
        return gone;
    }
}
