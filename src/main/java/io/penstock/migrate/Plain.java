package io.penstock.migrate;

import java.util.regex.Pattern;

/**
 * Text of somebody's file, fit to stand in a comment or a message: one line, not endless, nothing that a terminal or YAML
 * would act upon, and no password of a URL.
 */
final class Plain {

    private static final int LONGEST = 80;
    private static final Pattern USER = Pattern.compile("//[^/ ]*@");

    private Plain() {}

    static String text(String found) {
        String safe = USER.matcher(found).replaceAll("//***@");
        StringBuilder plain = new StringBuilder();
        safe.codePoints()
                .limit(LONGEST)
                .forEach(c -> plain.appendCodePoint((c >= ' ' && c <= '~') || Character.isLetterOrDigit(c) ? c : '?'));
        return safe.codePointCount(0, safe.length()) > LONGEST ? plain + "..." : plain.toString();
    }
}
