package io.penstock.config;

import java.util.regex.Pattern;

/**
 * One text of the file or of the command line, and where it stands.
 *
 * @param path its key
 * @param text what was written
 * @param line from 1; 0 on the command line
 */
record Scalar(String path, String text, int line) {

    private static final int SHOWN_CHARACTERS = 80;
    /** Greedy: a password may itself hold an at sign. */
    private static final Pattern USER_INFO = Pattern.compile("//.*@");

    private static final Pattern QUERY = Pattern.compile("(://[^?#]*)[?#].*");
    private static final Pattern CONTROL = Pattern.compile("\\p{Cntrl}");

    /** The text for a message: one line, not endless, and a URL without its user info and query, which may be secret. */
    String shown() {
        String safe = USER_INFO.matcher(text).replaceFirst("//***@");
        safe = QUERY.matcher(safe).replaceFirst("$1?***");
        safe = CONTROL.matcher(safe).replaceAll("?");
        if (safe.isBlank()) {
            return "an empty text";
        }
        return safe.length() <= SHOWN_CHARACTERS ? safe : safe.substring(0, SHOWN_CHARACTERS) + "...";
    }
}
