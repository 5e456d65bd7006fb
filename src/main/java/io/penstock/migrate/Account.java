package io.penstock.migrate;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** What became of everything that is no line of the new file, in the order in which it was found. */
final class Account {

    // By reason, then by subject, the lines.
    private final Map<String, Map<String, SortedSet<Integer>>> needless = new LinkedHashMap<>();
    private final Map<String, Map<String, SortedSet<Integer>>> lost = new LinkedHashMap<>();
    private final List<String> differences = new ArrayList<>();

    /** Something that has no meaning any more, and nobody misses. */
    void needless(String subject, int line, String reason) {
        add(needless, subject, line, reason);
    }

    /** Something that was wanted and could not be carried over. */
    void lost(String subject, int line, String reason) {
        add(lost, subject, line, reason);
    }

    /** Something that is not the same though no line of the old file says so. */
    void different(String what) {
        differences.add(what);
    }

    List<String> needless() {
        return lines(needless);
    }

    List<String> lost() {
        return lines(lost);
    }

    List<String> differences() {
        return List.copyOf(differences);
    }

    private static void add(Map<String, Map<String, SortedSet<Integer>>> to, String subject, int line, String reason) {
        to.computeIfAbsent(reason, any -> new LinkedHashMap<>())
                .computeIfAbsent(subject, any -> new TreeSet<>())
                .add(line);
    }

    /** One line for each reason: subjects that share lines stand together before them. */
    private static List<String> lines(Map<String, Map<String, SortedSet<Integer>>> from) {
        List<String> lines = new ArrayList<>();
        from.forEach((reason, subjects) -> {
            Map<SortedSet<Integer>, List<String>> together = new LinkedHashMap<>();
            subjects.forEach((subject, at) ->
                    together.computeIfAbsent(at, any -> new ArrayList<>()).add(subject));
            String all = together.entrySet().stream()
                    .map(each -> String.join(", ", each.getValue()) + " (" + place(each.getKey()) + ")")
                    .collect(Collectors.joining(", "));
            lines.add(all + ": " + reason);
        });
        return lines;
    }

    private static String place(SortedSet<Integer> lines) {
        return (lines.size() == 1 ? "line " : "lines ")
                + lines.stream().map(String::valueOf).collect(Collectors.joining(", "));
    }
}
