package io.penstock.upstream;

import io.penstock.config.Replica;
import java.util.List;

/**
 * One replica as the rest of Penstock knows it: who it is and where it was last found.
 *
 * @param id its identity through reloads and restarts: its name, or {@code address:port} where every address of a name
 *     is a replica
 * @param name what people see: in logs, errors, metrics and commands
 * @param replica the entry of the configuration that it comes from
 * @param addresses IP literals under which it can be reached, the preferred one first; empty while its name does not
 *     resolve
 */
public record Upstream(String id, String name, Replica replica, List<String> addresses) {

    /** Copies the addresses. */
    public Upstream {
        addresses = List.copyOf(addresses);
    }
}
