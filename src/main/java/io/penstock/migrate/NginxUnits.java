package io.penstock.migrate;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** nginx's durations and sizes, and ours. */
final class NginxUnits {

    /** Only the last number may stand without its unit. */
    private static final Pattern TIME =
            Pattern.compile("(?:\\d{1,9}(?:ms|[smhdwMy]) ?)*(?:\\d{1,9}(?:ms|[smhdwMy])?)?");

    private static final Pattern TIME_PART = Pattern.compile("(\\d{1,9})(ms|[smhdwMy])?");
    private static final Pattern SIZE = Pattern.compile("(\\d{1,12})([kKmMgG])?");
    private static final long HOUR_MILLIS = 3_600_000;
    private static final int KIB_BITS = 10;

    private NginxUnits() {}

    /** Milliseconds of {@code 60}, {@code 1h30m} or {@code 500ms}; -1 when it is no time. */
    static long millis(String text) {
        if (text.isEmpty() || !TIME.matcher(text).matches()) {
            return -1;
        }
        long millis = 0;
        for (Matcher part = TIME_PART.matcher(text); part.find(); ) {
            String unit = part.group(2) == null ? "s" : part.group(2);
            millis += Long.parseLong(part.group(1))
                    * switch (unit) {
                        case "ms" -> 1;
                        case "s" -> 1000;
                        case "m" -> 60_000;
                        case "h" -> HOUR_MILLIS;
                        case "d" -> 24 * HOUR_MILLIS;
                        case "w" -> 7 * 24 * HOUR_MILLIS;
                        case "M" -> 30 * 24 * HOUR_MILLIS;
                        default -> 365 * 24 * HOUR_MILLIS;
                    };
        }
        return millis;
    }

    /** Bytes of {@code 1m}, {@code 512k} or {@code 1024}; -1 when it is no size. */
    static long bytes(String text) {
        Matcher size = SIZE.matcher(text);
        if (!size.matches()) {
            return -1;
        }
        long number = Long.parseLong(size.group(1));
        return switch (size.group(2) == null ? "" : size.group(2)) {
            case "k", "K" -> number << KIB_BITS;
            case "m", "M" -> number << (2 * KIB_BITS);
            case "g", "G" -> number << (3 * KIB_BITS);
            default -> number;
        };
    }

    /** As Penstock writes it. */
    static String duration(long millis) {
        if (millis % 1000 != 0) {
            return millis + "ms";
        }
        return millis > 0 && millis % HOUR_MILLIS == 0 ? millis / HOUR_MILLIS + "h" : millis / 1000 + "s";
    }

    /** As Penstock writes it, in the largest unit that leaves no fraction. */
    static String size(long bytes) {
        String[] units = {"B", "KiB", "MiB", "GiB"};
        long number = bytes;
        int unit = 0;
        while (unit + 1 < units.length && number > 0 && number % (1 << KIB_BITS) == 0) {
            number >>= KIB_BITS;
            unit++;
        }
        return number + units[unit];
    }
}
