package io.penstock.config;

/**
 * One thing that is wrong with a configuration, in words for the person who wrote it. It never holds a secret's value.
 *
 * @param path the key it is about, such as {@code probe.fall}, {@code upstreams[2].url} or {@code --listen}; the file's
 *     name where the whole file is meant
 * @param message the rule and the value found
 * @param line from 1; 0 where no line is to blame
 * @param column from 1; 0 where only the line is known
 */
public record Problem(String path, String message, int line, int column) {

    /**
     * The form for logs and terminals.
     *
     * @return for example {@code probe.fall: want a whole number from 1 to 100, got 0 (line 7)}
     */
    @Override
    public String toString() {
        String place =
                line == 0 ? "" : column == 0 ? " (line " + line + ")" : " (line " + line + ", column " + column + ")";
        return path + ": " + message + place;
    }
}
