package io.penstock.sim;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * One thing that goes wrong, as in {@code reset-after:3}.
 *
 * @param kind what goes wrong
 * @param argument the number after the colon, in the kind's unit; the kind's own default when there is none
 */
public record Fault(Kind kind, long argument) {

    /** What a fault touches, which decides when it is looked for. */
    enum Scope {
        /** The listening port. */
        PORT,
        /** Every request on every path. */
        EVERYTHING,
        /** The engine, so all running generations. */
        ENGINE,
        /** The health paths. */
        HEALTH,
        /** One generation request, or whatever request carries it in its header. */
        REQUEST
    }

    /** The menu. Its names, in lower case with dashes, are what headers, flags and the control paths take. */
    public enum Kind {
        /** The port is closed: connections are refused, running streams go on. Argument: milliseconds, 0 for ever. */
        REFUSE(Scope.PORT, 0),
        /** The port opens this many milliseconds (5000) after a start, as while a model loads. */
        SLOW_START(Scope.PORT, 5_000),
        /** Accepts and reads, and never answers anything. */
        BLACK_HOLE(Scope.EVERYTHING, 0),
        /** No head for this many milliseconds; 0 for ever. */
        HOLD_BEFORE_HEAD(Scope.REQUEST, 0),
        /** The head of a stream at once, then nothing for this many milliseconds; 0 for ever. */
        STALL_BEFORE_FIRST_TOKEN(Scope.REQUEST, 0),
        /** Silence after this many tokens (1). */
        STALL_AFTER(Scope.REQUEST, 1),
        /** A TCP reset in place of the token after this many (1). */
        RESET_AFTER(Scope.REQUEST, 1),
        /** After this many tokens (1), half of the next chunk, then the connection ends. */
        FIN_AFTER(Scope.REQUEST, 1),
        /** After this many tokens (1), a clean last chunk, without finish reason and end marker. */
        END_AFTER(Scope.REQUEST, 1),
        /** A whole stream but for its end marker ({@code [DONE]}, {@code message_stop}, {@code response.completed}). */
        NO_DONE(Scope.REQUEST, 0),
        /** Status 200, then the queue-full error (503) as the only event. */
        ERROR_FIRST(Scope.REQUEST, 0),
        /** After this many tokens (1), what a stream shows when the engine dies. */
        ERROR_AFTER(Scope.REQUEST, 1),
        /** After this many tokens (1), a chunk whose size is not a number. */
        MALFORMED_CHUNK_AFTER(Scope.REQUEST, 1),
        /** The end marker in two chunks, this many milliseconds (20) apart. */
        SPLIT_DONE(Scope.REQUEST, 20),
        /** One byte every so many milliseconds (2). */
        TRICKLE(Scope.REQUEST, 2),
        /** This many times (10) slower. */
        SLOW(Scope.REQUEST, 10),
        /** Heads go out and no token follows; health stays 200 and, unless counted, metrics freeze. */
        HANG(Scope.ENGINE, 0),
        /** The health paths answer 503. */
        HEALTH_503(Scope.HEALTH, 0),
        /** The health paths do not answer. */
        HEALTH_HANG(Scope.HEALTH, 0),
        /** A replica that was told to stop: healthy, and every generation request gets 500. */
        DRAINING(Scope.REQUEST, 0),
        /** An error answer with this status (500) before any output. */
        STATUS(Scope.REQUEST, 500),
        /** A non-streamed answer cut in the middle of its body. */
        SHORT_BODY(Scope.REQUEST, 0),
        /** A TCP reset in place of the answer. */
        RESET_BEFORE_HEAD(Scope.REQUEST, 0),
        /** The connection ends without a byte. */
        CLOSE_BEFORE_HEAD(Scope.REQUEST, 0);

        private final Scope scope;
        private final long usual;

        Kind(Scope scope, long usual) {
            this.scope = scope;
            this.usual = usual;
        }

        Scope scope() {
            return scope;
        }

        /**
         * The name that people write.
         *
         * @return for example {@code reset-after}
         */
        public String label() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    /** Refuses arguments that mean nothing. */
    public Fault {
        if (argument < 0 || (kind == Kind.STATUS && (argument < 200 || argument > 599))) {
            throw new IllegalArgumentException("not an argument for " + kind.label() + ": " + argument);
        }
    }

    /**
     * The fault with its usual argument.
     *
     * @param kind what goes wrong
     * @return the fault
     */
    public static Fault of(Kind kind) {
        return new Fault(kind, kind.usual);
    }

    /**
     * The fault with an argument.
     *
     * @param kind what goes wrong
     * @param argument in the kind's unit
     * @return the fault
     */
    public static Fault of(Kind kind, long argument) {
        return new Fault(kind, argument);
    }

    /**
     * Reads what {@link #toString} writes, as found in headers, flags and control paths. The argument may end in
     * {@code ms} or {@code s} where it is a time.
     *
     * @param text {@code NAME} or {@code NAME:ARGUMENT}
     * @return the fault
     * @throws IllegalArgumentException if there is no such fault, or the argument is no number; its message lists the menu
     */
    public static Fault parse(String text) {
        int colon = text.indexOf(':');
        String label = (colon < 0 ? text : text.substring(0, colon)).strip();
        for (Kind kind : Kind.values()) {
            if (kind.label().equals(label)) {
                return colon < 0
                        ? of(kind)
                        : of(kind, number(text.substring(colon + 1).strip()));
            }
        }
        throw new IllegalArgumentException("no fault called '" + label + "'; there are " + menu());
    }

    /**
     * All names.
     *
     * @return separated by commas
     */
    public static String menu() {
        return Arrays.stream(Kind.values()).map(Kind::label).collect(Collectors.joining(", "));
    }

    /** Whether it strikes in place of the token after {@link #argument} tokens. */
    boolean strikesAfterTokens() {
        return switch (kind) {
            case STALL_AFTER, RESET_AFTER, FIN_AFTER, END_AFTER, ERROR_AFTER, MALFORMED_CHUNK_AFTER -> true;
            default -> false;
        };
    }

    private static long number(String text) {
        try {
            if (text.endsWith("ms")) {
                return Long.parseLong(text.substring(0, text.length() - 2));
            }
            if (text.endsWith("s")) {
                return (long) (Double.parseDouble(text.substring(0, text.length() - 1)) * 1_000);
            }
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    "want a whole number, or a time such as 500ms or 2s, got '" + text + "'", e);
        }
    }

    @Override
    public String toString() {
        return argument == kind.usual ? kind.label() : kind.label() + ":" + argument;
    }
}
