package io.penstock.config;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;

/** What differs between two good readings, in words for the log. Keys are said to have changed, never shown. */
final class ConfigDiff {

    private ConfigDiff() {}

    /** The differences in the order of the file, {@code listen}, {@code admin} and {@code tracing} excepted. */
    static List<String> between(Reading before, Reading after) {
        PenstockConfig was = Objects.requireNonNull(before.config());
        PenstockConfig is = Objects.requireNonNull(after.config());
        List<String> lines = new ArrayList<>(upstreams(was.upstreams(), is.upstreams()));
        Map<String, String> old = new HashMap<>();
        before.settings().forEach(setting -> old.put(setting.path(), setting.value()));
        for (Setting setting : after.settings()) {
            String value = old.get(setting.path());
            if (value != null && !value.equals(setting.value()) && isPlain(setting.path())) {
                lines.add(step(setting.path(), value, setting.value()));
            }
        }
        if (!Objects.equals(was.admin().key(), is.admin().key())) {
            lines.add("admin.key changed");
        }
        return lines;
    }

    /** What waits for a restart: see {@link PenstockConfig#servingAs}. */
    static List<String> pendingRestart(PenstockConfig running, PenstockConfig wanted) {
        List<String> lines = new ArrayList<>();
        pending(lines, "listen", running.listen(), wanted.listen());
        pending(lines, "admin", running.admin().listen(), wanted.admin().listen());
        pending(
                lines,
                "timeouts.upstreamIdle",
                running.timeouts().upstreamIdle(),
                wanted.timeouts().upstreamIdle());
        pending(
                lines,
                "limits.headers",
                running.limits().headerBytes(),
                wanted.limits().headerBytes());
        pending(
                lines,
                "limits.requestLine",
                running.limits().requestLineBytes(),
                wanted.limits().requestLineBytes());
        pending(lines, "tracing", running.tracing(), wanted.tracing());
        return lines;
    }

    private static void pending(List<String> lines, String key, Object running, Object wanted) {
        if (!running.equals(wanted)) {
            lines.add(step(key, running, wanted));
        }
    }

    private static List<String> upstreams(List<Replica> before, List<Replica> after) {
        Map<String, Replica> gone = new LinkedHashMap<>();
        before.forEach(replica -> gone.put(replica.name(), replica));
        List<String> lines = new ArrayList<>();
        for (Replica replica : after) {
            Replica was = gone.remove(replica.name());
            if (was == null) {
                lines.add("upstream " + replica.name() + " added");
            } else if (!was.equals(replica)) {
                lines.add("upstream " + replica.name() + " changed (" + String.join(", ", changes(was, replica)) + ")");
            }
        }
        gone.keySet().forEach(name -> lines.add("upstream " + name + " removed"));
        if (lines.isEmpty() && !before.equals(after)) {
            lines.add("upstreams in another order");
        }
        return lines;
    }

    private static List<String> changes(Replica was, Replica is) {
        List<String> changes = new ArrayList<>();
        note(changes, "address", address(was), address(is));
        note(changes, "weight", was.weight(), is.weight());
        note(changes, "maxInFlight", was.maxInFlight(), is.maxInFlight());
        note(changes, "models", new TreeSet<>(was.models()), new TreeSet<>(is.models()));
        if (!Objects.equals(was.apiKey(), is.apiKey())) {
            changes.add("apiKey");
        }
        return changes;
    }

    private static void note(List<String> changes, String what, Object was, Object is) {
        if (!was.equals(is)) {
            changes.add(step(what, was, is));
        }
    }

    private static String address(Replica replica) {
        String scheme = replica.everyAddress() ? "dns " : "";
        return scheme + (replica.tls() ? "https://" : "http://") + replica.endpoint();
    }

    private static boolean isPlain(String path) {
        return !path.startsWith("upstreams")
                && !path.startsWith("tracing.")
                && !path.equals("listen")
                && !path.startsWith("admin.");
    }

    private static String step(String what, Object was, Object is) {
        return what + " " + was + " -> " + is;
    }
}
