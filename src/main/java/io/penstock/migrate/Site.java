package io.penstock.migrate;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The part of an nginx configuration that is carried over: one {@code proxy_pass} and what holds for it.
 *
 * @param outer the directives outside of every server
 * @param server the server; null when the file has none that passes anything
 * @param locations from the server inwards to the one with the {@code proxy_pass}; empty without one
 */
record Site(List<Directive> outer, @Nullable Directive server, List<Directive> locations) {

    Site {
        outer = List.copyOf(outer);
        locations = List.copyOf(locations);
    }

    /** A file's outer directives: those at its top and in {@code http}, and those of {@code events}. */
    static List<Directive> outer(List<Directive> file) {
        List<Directive> outer = new ArrayList<>();
        for (Directive each : file) {
            if (each.name().equals("http") || each.name().equals("events")) {
                outer.addAll(each.block());
            } else {
                outer.add(each);
            }
        }
        return outer;
    }

    /** Every place that passes requests on, the most important first: {@code location /}, of the default server. */
    static List<Site> all(List<Directive> outer) {
        List<Site> found = new ArrayList<>();
        for (Directive server : outer) {
            if (server.name().equals("server")) {
                search(outer, server, server, List.of(), found);
            }
        }
        // Stable: else the order of the file decides.
        found.sort((one, other) -> Integer.compare(one.rank(), other.rank()));
        return found;
    }

    private static void search(
            List<Directive> outer, Directive server, Directive within, List<Directive> path, List<Site> found) {
        for (Directive location : within.all("location")) {
            List<Directive> inner =
                    Stream.concat(path.stream(), Stream.of(location)).toList();
            if (!location.all("proxy_pass").isEmpty()) {
                found.add(new Site(outer, server, inner));
            }
            search(outer, server, location, inner, found);
        }
    }

    private int rank() {
        boolean standard = server != null
                && server.all("listen").stream()
                        .anyMatch(each -> each.arguments().contains("default_server"));
        return (path().equals("/") ? 0 : 2) + (standard ? 0 : 1);
    }

    /** The innermost location; null without one. */
    @Nullable
    Directive location() {
        return locations.isEmpty() ? null : locations.get(locations.size() - 1);
    }

    /** The path of the innermost location; empty without one. */
    String path() {
        Directive location = location();
        return location == null ? "" : location.last();
    }

    /** The {@code proxy_pass}; null without one. */
    @Nullable
    Directive pass() {
        Directive location = location();
        return location == null ? null : location.all("proxy_pass").get(0);
    }

    /** Whether vLLM's own paths reach vLLM as they are, when this takes the place of the location's prefix. */
    boolean keepsPaths(@Nullable String replacement) {
        Directive location = location();
        boolean pattern = location != null && location.first().startsWith("~");
        boolean ofTheApi = path().equals("/") || (pattern ? path().contains("v1") : path().startsWith("/v1"));
        return ofTheApi && (replacement == null || replacement.equals(path()));
    }

    /** The directives that hold here, the innermost block's first. */
    List<List<Directive>> scopes() {
        List<List<Directive>> scopes = new ArrayList<>();
        for (int i = locations.size() - 1; i >= 0; i--) {
            scopes.add(locations.get(i).block());
        }
        if (server != null) {
            scopes.add(server.block());
        }
        scopes.add(outer);
        return scopes;
    }

    /** The directive of this name that holds here; null when there is none. */
    @Nullable
    Directive effective(String name) {
        for (List<Directive> scope : scopes()) {
            for (Directive each : scope) {
                if (each.name().equals(name)) {
                    return each;
                }
            }
        }
        return null;
    }
}
