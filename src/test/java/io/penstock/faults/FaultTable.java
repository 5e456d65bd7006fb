package io.penstock.faults;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The result of the suite: {@code target/faults.md} for people, {@code target/faults.json} with every cell. */
final class FaultTable {

    private static final Path FOLDER = Path.of("target");
    private static final List<Row> ROWS = new ArrayList<>();

    private FaultTable() {}

    static synchronized void add(Row row) {
        ROWS.add(row);
    }

    /** Writes both files with what is known by now, and shows the table. */
    static synchronized void publish() throws IOException {
        Files.createDirectories(FOLDER);
        String table = markdown();
        Files.writeString(FOLDER.resolve("faults.md"), table);
        JsonArray cells = new JsonArray();
        for (Row row : ROWS) {
            cells.add(new JsonObject()
                    .put("balancer", row.contender().label())
                    .put("phase", row.phase())
                    .put("fault", row.fault())
                    .put("kind", row.kind())
                    .put("requests", row.requests())
                    .put("complete", row.complete())
                    .put("honest", row.honest())
                    .put("lost", row.lost())
                    .put("silent", row.silent())
                    .put("wrong", row.wrong())
                    .put("waiting", row.waiting())
                    .put("retries", row.retries())
                    .put("leaked", row.leaked())
                    .put("flaws", new JsonArray(row.flaws())));
        }
        Files.writeString(FOLDER.resolve("faults.json"), cells.encodePrettily());
        System.out.println(table);
    }

    private static String markdown() {
        Map<String, Map<Contender, Row>> lines = new LinkedHashMap<>();
        for (Row row : ROWS) {
            String kind = row.kind().replaceAll(" .*", "");
            lines.computeIfAbsent(row.phase() + "|" + row.fault() + "|" + kind, unused -> new LinkedHashMap<>())
                    .merge(row.contender(), row, Row::plus);
        }
        StringBuilder table = new StringBuilder("| when | what | answer | requests | complete | honest error | lost |"
                + " silently cut | gave up waiting | tried again | leaked |");
        for (Contender other : others()) {
            table.append(' ').append(other.label()).append(" |");
        }
        table.append("\n|---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|")
                .append("---|".repeat(others().size()))
                .append('\n');
        lines.forEach((key, byContender) -> table.append(line(key, byContender)));
        return table.append(sums()).toString();
    }

    private static List<Contender> others() {
        return List.of(Contender.NGINX, Contender.HAPROXY, Contender.VLLM_ROUTER);
    }

    private static String line(String key, Map<Contender, Row> rows) {
        StringBuilder line = new StringBuilder("| " + key.replace("|", " | ") + " |");
        Row own = rows.get(Contender.PENSTOCK);
        if (own == null) {
            line.append(" | | | | | | | |");
        } else {
            line.append(" %d | %d | %d | %s | %s | %d | %d | %s |"
                    .formatted(
                            own.requests(),
                            own.complete(),
                            own.honest(),
                            loud(own.lost()),
                            loud(own.silent() + own.wrong()),
                            own.waiting(),
                            own.retries(),
                            loud(own.leaked())));
        }
        for (Contender other : others()) {
            Row row = rows.get(other);
            line.append(' ').append(row == null ? absent(other) : brief(row)).append(" |");
        }
        return line.append('\n').toString();
    }

    private static String absent(Contender other) {
        return other.isInstalled() ? "" : "not installed";
    }

    private static String brief(Row row) {
        List<String> words = new ArrayList<>();
        brief(words, row.lost(), "lost");
        brief(words, row.silent() + row.wrong(), "silent");
        brief(words, row.waiting(), "waiting");
        brief(words, row.leaked(), "leaked");
        return words.isEmpty() ? "0" : String.join(", ", words);
    }

    private static void brief(List<String> words, int count, String word) {
        if (count > 0) {
            words.add(count + " " + word);
        }
    }

    private static String loud(int count) {
        return count == 0 ? "0" : "**" + count + "**";
    }

    private static String sums() {
        StringBuilder sums = new StringBuilder("\n");
        for (Contender each : Contender.values()) {
            ROWS.stream()
                    .filter(row -> row.contender() == each)
                    .reduce(Row::plus)
                    .ifPresent(sum -> sums.append(each.label())
                            .append(": ")
                            .append(sum.requests())
                            .append(" requests, ")
                            .append(sum.complete())
                            .append(" complete, ")
                            .append(sum.honest())
                            .append(" honest errors, ")
                            .append(sum.lost())
                            .append(" lost, ")
                            .append(sum.silent() + sum.wrong())
                            .append(" silently cut, ")
                            .append(sum.leaked())
                            .append(" leaked\n\n"));
        }
        return sums.toString();
    }
}
