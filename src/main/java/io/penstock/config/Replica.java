package io.penstock.config;

import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One entry of {@code upstreams}: a vLLM server, or a name behind which several stand.
 *
 * @param name what people call it; its identity unless {@code everyAddress}; by default {@code host:port}, or
 *     the host alone where {@code everyAddress}
 * @param endpoint where it is
 * @param tls whether it is reached by HTTPS
 * @param everyAddress whether each address of the name is a replica of its own ({@code {dns: …, port: …}})
 * @param weight its share of the work relative to the others, from 1 to 100
 * @param maxInFlight requests it may hold at once; 0 means no limit
 * @param models the models it serves; empty means "ask it"
 * @param apiKey the key sent to it in place of the client's; null leaves the client's
 */
public record Replica(
        String name,
        Endpoint endpoint,
        boolean tls,
        boolean everyAddress,
        int weight,
        int maxInFlight,
        Set<String> models,
        @Nullable String apiKey) {

    /** Copies the models. */
    public Replica {
        models = Set.copyOf(models);
    }

    /** Never the key. */
    @Override
    public String toString() {
        return "Replica[" + name + " at " + (tls ? "https://" : "http://") + endpoint + ", weight " + weight + "]";
    }
}
