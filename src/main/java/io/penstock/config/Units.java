package io.penstock.config;

import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Durations and sizes as text. A number never stands without its unit, zero excepted, and sizes have binary units only:
 * with {@code MB} half of all readers mean 1000², so it is refused.
 */
final class Units {

    /** At most ten digits, so that no unit can overflow a long. */
    private static final Pattern DURATION = Pattern.compile("(\\d{1,10})(ms|s|m|h)");

    private static final Pattern SIZE = Pattern.compile("(\\d{1,10})(B|KiB|MiB|GiB)");
    private static final long KIB = 1L << 10;
    private static final long MIB = 1L << 20;
    private static final long GIB = 1L << 30;

    private Units() {}

    static @Nullable Duration parseDuration(String text) {
        if (text.equals("0")) {
            return Duration.ZERO;
        }
        Matcher matcher = DURATION.matcher(text);
        if (!matcher.matches()) {
            return null;
        }
        long number = Long.parseLong(matcher.group(1));
        return switch (matcher.group(2)) {
            case "ms" -> Duration.ofMillis(number);
            case "s" -> Duration.ofSeconds(number);
            case "m" -> Duration.ofMinutes(number);
            default -> Duration.ofHours(number);
        };
    }

    static @Nullable Long parseSize(String text) {
        Matcher matcher = SIZE.matcher(text);
        if (!matcher.matches()) {
            return null;
        }
        long number = Long.parseLong(matcher.group(1));
        return switch (matcher.group(2)) {
            case "B" -> number;
            case "KiB" -> number * KIB;
            case "MiB" -> number * MIB;
            default -> number * GIB;
        };
    }

    /** In the largest unit that leaves no fraction; minutes from five on, so that 60 s and 120 s stay seconds. */
    static String duration(Duration value) {
        long millis = value.toMillis();
        if (millis == 0) {
            return "0";
        }
        if (millis % 1000 != 0) {
            return millis + "ms";
        }
        long seconds = millis / 1000;
        if (seconds % 3600 == 0) {
            return seconds / 3600 + "h";
        }
        return seconds % 60 == 0 && seconds >= 300 ? seconds / 60 + "m" : seconds + "s";
    }

    /** In the largest unit that leaves no fraction. */
    static String size(long bytes) {
        if (bytes != 0 && bytes % GIB == 0) {
            return bytes / GIB + "GiB";
        }
        if (bytes != 0 && bytes % MIB == 0) {
            return bytes / MIB + "MiB";
        }
        return bytes != 0 && bytes % KIB == 0 ? bytes / KIB + "KiB" : bytes + "B";
    }
}
