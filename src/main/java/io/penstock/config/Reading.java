package io.penstock.config;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one look at the configuration found: a whole good value, or every problem.
 *
 * @param source where it was read, for people: the file's path, or {@code command line}
 * @param hash of the file's bytes and of every secret it refers to; {@code none} when the file could not be read
 * @param config the value; null exactly when there are problems
 * @param settings every key that exists, with its value, in the order of the file; without {@code config} incomplete
 * @param problems everything wrong, in the order of the file
 * @param warnings what is allowed but will hurt
 */
public record Reading(
        String source,
        String hash,
        @Nullable PenstockConfig config,
        List<Setting> settings,
        List<Problem> problems,
        List<String> warnings) {

    /** Copies the lists; refuses a value with problems, and neither of both. */
    public Reading {
        settings = List.copyOf(settings);
        problems = List.copyOf(problems);
        warnings = List.copyOf(warnings);
        if ((config == null) == problems.isEmpty()) {
            throw new IllegalArgumentException("either a value or problems: " + problems);
        }
    }

    /**
     * Whether two looks saw the same thing.
     *
     * @param other the other look
     * @return whether content, problems and warnings are equal
     */
    boolean sawTheSameAs(Reading other) {
        return hash.equals(other.hash) && problems.equals(other.problems) && warnings.equals(other.warnings);
    }
}
