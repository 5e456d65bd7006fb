package io.penstock.config;

import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * How one kind of value is written in the file, read and shown.
 *
 * @param type the kind, for the documentation
 * @param bounds what is allowed, for the documentation
 * @param want the rule, to stand after "want" in a problem
 * @param parser from text to value
 * @param show from value to text, such that reading the text gives the value again
 * @param <T> the value
 */
record Notation<T>(String type, String bounds, String want, Parser<T> parser, Function<T, String> show) {

    private static final Pattern WHOLE_NUMBER = Pattern.compile("0|-?[1-9]\\d{0,17}");
    private static final Pattern RATIO = Pattern.compile("0(?:\\.\\d{1,9})?|1(?:\\.0{1,9})?");
    private static final int LONGEST_PERCENT = 5;

    /** Reads a text. */
    @FunctionalInterface
    interface Parser<T> {
        /** The value, or null when the text breaks the rule. */
        @Nullable
        T parse(String text);
    }

    static Notation<Integer> wholeNumber(int min, int max) {
        return new Notation<>(
                "whole number",
                min + " to " + max,
                "a whole number from " + min + " to " + max,
                text -> number(text, min, max),
                String::valueOf);
    }

    static Notation<Integer> percent(int min, int max) {
        String range = min + "% to " + max + "%";
        return new Notation<>(
                "percentage",
                range,
                "a percentage from " + min + "% to " + max + "% with its sign (such as 25%)",
                text -> text.endsWith("%") && text.length() <= LONGEST_PERCENT
                        ? number(text.substring(0, text.length() - 1), min, max)
                        : null,
                value -> value + "%");
    }

    /** A share as statisticians write it, fine enough for one in a million. */
    static Notation<Double> ratio() {
        return new Notation<>(
                "number",
                "0 to 1",
                "a number from 0 to 1 (such as 0.01)",
                text -> RATIO.matcher(text).matches() ? Double.valueOf(text) : null,
                value -> value == Math.rint(value) ? String.valueOf(value.intValue()) : String.valueOf(value));
    }

    /** A text in which nothing else may stand. */
    static Notation<String> text(String pattern, String bounds) {
        Pattern allowed = Pattern.compile(pattern);
        return new Notation<>(
                "text", bounds, bounds, text -> allowed.matcher(text).matches() ? text : null, text -> text);
    }

    static Notation<Boolean> flag() {
        return new Notation<>(
                "boolean",
                "true or false",
                "true or false",
                text -> text.equals("true") ? Boolean.TRUE : text.equals("false") ? Boolean.FALSE : null,
                String::valueOf);
    }

    static Notation<Duration> duration(Duration min, Duration max) {
        String range = Units.duration(min) + " to " + Units.duration(max);
        return new Notation<>(
                "duration",
                range,
                "a duration from " + range + " with its unit (such as 500ms, 2s, 10m or 1h)",
                text -> within(Units.parseDuration(text), min, max),
                Units::duration);
    }

    /** Like {@link #duration}, where 0 means "no limit" and so may stand outside the bounds. */
    static Notation<Duration> durationOrNone(Duration min, Duration max) {
        String range = Units.duration(min) + " to " + Units.duration(max);
        return new Notation<>(
                "duration",
                "0 or " + range,
                "0 for no limit, or a duration from " + range + " with its unit (such as 500ms, 2s, 10m or 1h)",
                text -> {
                    Duration value = Units.parseDuration(text);
                    return value != null && value.isZero() ? value : within(value, min, max);
                },
                Units::duration);
    }

    static Notation<Long> size(long minBytes, long maxBytes) {
        String range = Units.size(minBytes) + " to " + Units.size(maxBytes);
        return new Notation<>(
                "size",
                range,
                "a size from " + range + " with its unit B, KiB, MiB or GiB (such as 64MiB)",
                text -> {
                    Long bytes = Units.parseSize(text);
                    return bytes != null && bytes >= minBytes && bytes <= maxBytes ? bytes : null;
                },
                Units::size);
    }

    static <E extends Enum<E>> Notation<E> choice(Class<E> type) {
        E[] constants = type.getEnumConstants();
        String names = Arrays.stream(constants).map(Notation::spelled).collect(Collectors.joining(", "));
        return new Notation<>(
                "choice",
                names,
                "one of " + names,
                text -> Arrays.stream(constants)
                        .filter(constant -> spelled(constant).equals(text))
                        .findFirst()
                        .orElse(null),
                Notation::spelled);
    }

    /** Where to listen. No host means every IPv4 interface, as in Docker. */
    static Notation<Endpoint> endpoint() {
        return new Notation<>(
                "address",
                "HOST:PORT, [IPV6]:PORT or :PORT",
                "an address to listen at (such as 0.0.0.0:8000, [::1]:8000 or :8000)",
                text -> {
                    HostPort split = HostPort.split(text.startsWith(":") ? "0.0.0.0" + text : text);
                    return split == null || split.port() < 0 || HostPort.faultOf(split.host()) != null
                            ? null
                            : new Endpoint(HostPort.canonical(split.host()), split.port());
                },
                Endpoint::toString);
    }

    static String spelled(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    private static @Nullable Integer number(String text, int min, int max) {
        if (!WHOLE_NUMBER.matcher(text).matches()) {
            return null;
        }
        long value = Long.parseLong(text);
        return value >= min && value <= max ? (int) value : null;
    }

    private static @Nullable Duration within(@Nullable Duration value, Duration min, Duration max) {
        return value != null && value.compareTo(min) >= 0 && value.compareTo(max) <= 0 ? value : null;
    }
}
