package io.penstock;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** {@code status}, looked at again and again: how everything stands, and what changed while one looked. One thread's. */
final class StatusWatch {

    private static final int REMEMBERED = 8;

    private final Deque<String> changes = new ArrayDeque<>();
    private Map<String, String> before = new HashMap<>();
    private boolean reached = true;

    /** How things stand now, below them what changed, newest last; without line ends. */
    List<String> lines(JsonObject status) {
        if (!reached) {
            changed("Penstock answers again");
            reached = true;
        }
        Map<String, String> now = new HashMap<>();
        JsonArray replicas = status.getJsonArray("upstreams");
        for (int i = 0; i < replicas.size(); i++) {
            JsonObject replica = replicas.getJsonObject(i);
            String name = StatusTable.plain(replica.getString("name"));
            String standing = StatusTable.standing(replica);
            String was = before.put(name, standing);
            now.put(name, standing);
            if (was != null && !was.equals(standing)) {
                boolean usable = replica.getBoolean("usable", false);
                changed(name + ": " + was + " → " + standing
                        + (usable ? "" : " (" + StatusTable.plain(replica.getString("reason")) + ")"));
            }
        }
        before.keySet().stream()
                .filter(name -> !now.containsKey(name))
                .sorted()
                .forEach(name -> changed(name + ": gone from the configuration"));
        before = now;
        return withChanges(new StatusTable(status).lines());
    }

    /** What to show while nobody answers; it may be back soon. */
    List<String> unreachable(String message) {
        if (reached) {
            changed("Penstock does not answer");
            reached = false;
        }
        return withChanges(List.of(message.split("\n", -1)));
    }

    private List<String> withChanges(List<String> first) {
        List<String> lines = new ArrayList<>(first);
        changes.forEach(change -> lines.add("  · " + change));
        return lines;
    }

    private void changed(String what) {
        changes.addLast(what);
        if (changes.size() > REMEMBERED) {
            changes.removeFirst();
        }
    }
}
