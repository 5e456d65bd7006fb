package io.penstock;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** How the replicas stand, for people: a table that fits a terminal of 80 columns, and a line for each thing amiss. */
final class StatusTable {

    private static final int COLUMNS = 80;
    private static final String GAP = "  ";
    private static final List<String> HEADINGS =
            List.of("NAME", "STANDING", "IN-FLIGHT", "WEIGHT", "MODELS", "DONE", "FAILED");
    private static final int NAME = 0;
    private static final int STANDING = 1;
    private static final int MODELS = 4;
    // What a cell may be cut down to when the terminal is too narrow.
    private static final int SHORTEST = 8;

    private final JsonObject status;

    /** A view of what the admin port said. */
    StatusTable(JsonObject status) {
        this.status = status;
    }

    /** Whether every replica can take work and the configuration has no problem. */
    boolean allWell() {
        List<JsonObject> replicas = objects(status.getJsonArray("upstreams"));
        return !replicas.isEmpty()
                && replicas.stream().allMatch(replica -> replica.getBoolean("usable", false))
                && strings(config(), "problems").isEmpty();
    }

    /** All lines, without line ends. */
    List<String> lines() {
        List<JsonObject> replicas = objects(status.getJsonArray("upstreams"));
        List<String> lines = new ArrayList<>();
        if (replicas.isEmpty()) {
            lines.add("no replicas");
        } else {
            lines.addAll(table(replicas));
            lines.addAll(engines(replicas));
        }
        for (JsonObject replica : replicas) {
            if (!replica.getBoolean("usable", false)) {
                lines.add(plain(replica.getString("name")) + ": " + why(replica));
            }
        }
        lines.add("waiting: " + status.getLong("waiting", 0L) + " requests");
        if (status.getBoolean("lameDuck", false)) {
            lines.add("Penstock is going down: it takes no new connections");
        }
        lines.addAll(configLines());
        return lines;
    }

    private static List<String> table(List<JsonObject> replicas) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(HEADINGS);
        replicas.forEach(replica -> rows.add(row(replica)));
        int[] widths = new int[HEADINGS.size()];
        for (List<String> row : rows) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], row.get(i).length());
            }
        }
        shrink(widths, MODELS);
        shrink(widths, NAME);
        List<String> lines = new ArrayList<>();
        rows.forEach(row -> lines.add(line(row, widths)));
        return lines;
    }

    /** What the engines say of themselves and what predictions are made from, as far as it is known. */
    private static List<String> engines(List<JsonObject> replicas) {
        Columns columns = new Columns("ENGINE", "RUNS", "WAITS", "KV", "READS TOK/S", "TOKEN GAP MS", "INDEXED PIECES");
        boolean any = false;
        for (JsonObject replica : replicas) {
            List<JsonObject> engines = objects(replica.getJsonArray("engines"));
            JsonObject learned = replica.getJsonObject("learned");
            if (engines.isEmpty() && learned == null) {
                continue;
            }
            any = true;
            columns.row(
                    plain(replica.getString("name")),
                    number(known(engines, "running").reduce(Double::sum), "%.0f"),
                    number(known(engines, "waiting").reduce(Double::sum), "%.0f"),
                    // The fullest of several caches is the one that makes requests wait.
                    number(known(engines, "kvUsage").reduce(Double::max).map(used -> used * 100), "%.0f%%"),
                    number(value(learned, "readTokensPerSecond"), "%.0f"),
                    number(value(learned, "tokenGapMillis"), "%.1f"),
                    learned == null
                            ? "?"
                            : learned.getInteger("indexedPieces") + "/" + learned.getInteger("indexCapacity"));
        }
        return any ? columns.lines("") : List.of();
    }

    /** The values of a key that are known; the admin port says null for the others. */
    private static Stream<Double> known(List<JsonObject> engines, String key) {
        return engines.stream().map(engine -> value(engine, key)).flatMap(Optional::stream);
    }

    private static Optional<Double> value(@Nullable JsonObject object, String key) {
        return Optional.ofNullable(object).map(some -> some.getDouble(key));
    }

    private static String number(Optional<Double> value, String format) {
        return value.map(known -> String.format(Locale.ROOT, format, known)).orElse("?");
    }

    private static void shrink(int[] widths, int column) {
        int total = GAP.length() * (widths.length - 1);
        for (int width : widths) {
            total += width;
        }
        int spare = Math.max(0, widths[column] - SHORTEST);
        widths[column] -= Math.min(spare, Math.max(0, total - COLUMNS));
    }

    private static String line(List<String> row, int[] widths) {
        StringBuilder line = new StringBuilder(COLUMNS);
        for (int i = 0; i < widths.length; i++) {
            boolean text = i == NAME || i == STANDING || i == MODELS;
            String cell = row.get(i);
            if (cell.length() > widths[i]) {
                cell = cell.substring(0, widths[i] - 1) + "…";
            }
            String padding = " ".repeat(widths[i] - cell.length());
            line.append(i == 0 ? "" : GAP).append(text ? cell + padding : padding + cell);
        }
        return line.toString().stripTrailing();
    }

    private static List<String> row(JsonObject replica) {
        int limit = replica.getInteger("maxInFlight", 0);
        return List.of(
                plain(replica.getString("name")),
                standing(replica),
                replica.getInteger("inFlight", 0) + (limit > 0 ? "/" + limit : ""),
                String.valueOf(replica.getInteger("weight", 1)),
                models(replica.getJsonArray("models")),
                String.valueOf(replica.getLong("completed", 0L)),
                String.valueOf(replica.getLong("failed", 0L)));
    }

    /** How a replica stands, in one word. */
    static String standing(JsonObject replica) {
        return replica.getBoolean("draining", false) ? "draining" : plain(replica.getString("standing"));
    }

    private static String models(@Nullable JsonArray models) {
        if (models == null || models.isEmpty()) {
            return "?";
        }
        String first = plain(models.getString(0));
        return models.size() == 1 ? first : first + " +" + (models.size() - 1);
    }

    private static String why(JsonObject replica) {
        if (replica.getBoolean("draining", false)) {
            return "draining, " + replica.getInteger("inFlight", 0) + " in flight (penstock undrain "
                    + plain(replica.getString("name")) + " brings it back)";
        }
        if (replica.getJsonArray("addresses", new JsonArray()).isEmpty()) {
            return "no address: " + plain(replica.getString("url")) + " does not resolve";
        }
        return plain(replica.getString("standing")) + ", " + plain(replica.getString("reason"));
    }

    private List<String> configLines() {
        List<String> lines = new ArrayList<>();
        JsonObject config = config();
        List<String> problems = strings(config, "problems");
        String source = plain(config.getString("source", "configuration"));
        lines.add(source + ": " + (problems.isEmpty() ? "ok" : "has problems; the last good configuration stays"));
        problems.forEach(problem -> lines.add("  problem: " + problem));
        strings(config, "warnings").forEach(warning -> lines.add("  warning: " + warning));
        strings(config, "pendingRestart").forEach(key -> lines.add("  pending restart: " + key));
        return lines;
    }

    private JsonObject config() {
        return status.getJsonObject("config", new JsonObject());
    }

    private static List<String> strings(JsonObject object, String key) {
        List<String> strings = new ArrayList<>();
        object.getJsonArray(key, new JsonArray()).forEach(value -> strings.add(plain(String.valueOf(value))));
        return strings;
    }

    private static List<JsonObject> objects(@Nullable JsonArray array) {
        List<JsonObject> objects = new ArrayList<>();
        for (int i = 0; array != null && i < array.size(); i++) {
            objects.add(array.getJsonObject(i));
        }
        return objects;
    }

    /** Reasons may quote a replica, and what a replica says must not move the cursor. */
    static String plain(@Nullable String text) {
        return text == null ? "?" : text.replaceAll("\\p{Cntrl}", " ");
    }
}
