package io.penstock.metrics;

import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * The series of one metric, each made when it is first asked for. Any thread may ask; one at a time removes.
 *
 * @param <K> what tells the series apart
 * @param <M> what counts
 */
final class Family<K, M extends Meter> {

    private final MeterRegistry registry;
    private final Function<K, M> make;
    private final ConcurrentHashMap<K, M> meters = new ConcurrentHashMap<>();

    /** Of series that {@code make} registers, the same one however often it is asked. */
    Family(MeterRegistry registry, Function<K, M> make) {
        this.registry = registry;
        this.make = make;
    }

    /** The series for a key. */
    M of(K key) {
        // computeIfAbsent locks also when the key is there.
        M found = meters.get(key);
        return found != null ? found : meters.computeIfAbsent(key, make);
    }

    int size() {
        return meters.size();
    }

    boolean has(K key) {
        return meters.containsKey(key);
    }

    /** A view of what there are series for. */
    Set<K> keys() {
        return meters.keySet();
    }

    /** Takes series out of the scrape. Whoever counts on one of them later begins at zero. */
    void removeIf(Predicate<K> gone) {
        for (K key : meters.keySet()) {
            if (gone.test(key)) {
                // In one step: whoever asks for it meanwhile gets the next one, which is in the scrape.
                meters.computeIfPresent(key, (same, meter) -> {
                    registry.remove(meter);
                    return null;
                });
            }
        }
    }
}
