package io.penstock.faults;

import java.util.Locale;

/**
 * One answer as bytes.
 *
 * @param head the status line and the headers; empty if there were none, or not all of them
 * @param text what arrived of the body, without its framing
 * @param end how it ended
 */
record Reply(String head, String text, End end) {

    /** How the bytes of an answer can end. */
    enum End {
        /** As the framing promised. */
        WHOLE,
        /** The connection ended, and only that says so: the head promised no length. */
        UNFRAMED,
        /** The connection ended before what the framing promised. */
        CUT,
        /** Nothing came for as long as the client was willing to wait. */
        SILENCE
    }

    /** The status, 0 if no head arrived. */
    int status() {
        return head.isEmpty() ? 0 : Integer.parseInt(head.substring(9, 12));
    }

    /** Whether the head says that events follow. */
    boolean isStream() {
        return header("content-type").startsWith("text/event-stream");
    }

    /** The first value of a header, in lower case; empty if it is not there. */
    String header(String name) {
        for (String line : head.split("\r\n", -1)) {
            int colon = line.indexOf(':');
            if (colon > 0 && line.substring(0, colon).equalsIgnoreCase(name)) {
                return line.substring(colon + 1).strip().toLowerCase(Locale.ROOT);
            }
        }
        return "";
    }

    /** Whether the server wants the connection for something else than the next request. */
    boolean closes() {
        return end != End.WHOLE || header("connection").equals("close") || head.startsWith("HTTP/1.0");
    }

    /** For tests: an answer that arrived to its end. */
    static Reply whole(String head, String body) {
        return new Reply(head, body, End.WHOLE);
    }
}
