package io.penstock.config;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Gathers what one reading finds, so that everything wrong is told at once. Confined to the thread that reads. */
final class Findings {

    private static final Pattern INDEX = Pattern.compile("\\[\\d+]");

    private final List<Problem> problems = new ArrayList<>();
    private final List<String> warnings = new ArrayList<>();
    private final Map<String, Setting> settings = new LinkedHashMap<>();

    void problem(String path, int line, String message) {
        problems.add(new Problem(path, message, line, 0));
    }

    void problem(Problem problem) {
        problems.add(problem);
    }

    void problem(Scalar found, String want) {
        problem(found.path(), found.line(), "want " + want + ", got " + found.shown());
    }

    void warning(String path, String message) {
        warnings.add(path + ": " + message);
    }

    /** Notes that a key exists. Of a list's many entries one stands for all. */
    void setting(String path, String type, String bounds, String fallback, String value) {
        String general = INDEX.matcher(path).replaceAll("[]");
        settings.put(general, new Setting(general, type, bounds, fallback, value));
    }

    /** The value that was written, or null after noting what is wrong with it. */
    <T> @Nullable T parse(Scalar found, Notation<T> notation) {
        T value = notation.parser().parse(found.text());
        if (value == null) {
            problem(found, notation.want());
        }
        return value;
    }

    boolean allGood() {
        return problems.isEmpty();
    }

    List<Problem> problems() {
        return problems;
    }

    List<String> warnings() {
        return warnings;
    }

    List<Setting> settings() {
        return List.copyOf(settings.values());
    }
}
