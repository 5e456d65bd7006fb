package io.penstock.proxy;

import io.vertx.core.buffer.Buffer;
import java.nio.charset.StandardCharsets;

/**
 * Reads along as a stream of server-sent events passes by, and says what each event is. It never changes a byte, and it
 * takes chunks that are split anywhere, also inside a line ending.
 *
 * <p>Grammar: WHATWG HTML, section 9.2.6: lines end with LF, CR or CRLF, a blank line ends an event, a line that begins
 * with a colon is a comment. Memory is bounded: of an event's name and data only the beginnings are kept, which is
 * enough to tell the kinds apart. Confined to one event loop.
 */
final class SseScanner {

    /** What an event is. */
    enum Event {
        /** Comments only: a sign of life, not output. */
        COMMENT,
        /** A typed event that says the request was accepted: {@code response.created}, {@code queued}, {@code in_progress}. */
        PREAMBLE,
        /** An error under status 200. */
        ERROR,
        /** {@code [DONE]}. */
        DONE,
        /** Anything else: the model's output. */
        OUTPUT
    }

    private static final int KEPT = 64;
    private static final byte[] DATA = ascii("data");
    private static final byte[] EVENT = ascii("event");

    // The beginning of the line that is being read.
    private final byte[] line = new byte[KEPT];
    private int lineLength;
    private boolean afterCarriageReturn;

    // What is known of the event that is being read.
    private boolean hasFields;
    private String name = "";
    private String data = "";

    // Since the last place where an event may begin.
    private long unfinishedBytes;

    private long events;
    private Event last = Event.COMMENT;
    private boolean outputSeen;

    /**
     * Reads a chunk.
     *
     * @param chunk the next bytes of the stream
     */
    void scan(Buffer chunk) {
        int length = chunk.length();
        int whole = -1;
        for (int i = 0; i < length; i++) {
            byte b = chunk.getByte(i);
            if (b == '\n' && afterCarriageReturn) {
                afterCarriageReturn = false;
                whole = hasFields ? whole : i + 1;
            } else if (b == '\n' || b == '\r') {
                afterCarriageReturn = b == '\r';
                endOfLine();
                whole = hasFields ? whole : i + 1;
            } else {
                afterCarriageReturn = false;
                if (lineLength < KEPT) {
                    line[lineLength] = b;
                }
                lineLength++;
            }
        }
        unfinishedBytes = whole < 0 ? unfinishedBytes + length : length - whole;
    }

    private void endOfLine() {
        if (lineLength == 0) {
            endOfEvent();
            return;
        }
        if (line[0] != ':') {
            hasFields = true;
            if (field(DATA)) {
                if (data.isEmpty()) {
                    data = value(DATA.length);
                }
            } else if (field(EVENT)) {
                name = value(EVENT.length);
            }
        }
        lineLength = 0;
    }

    private void endOfEvent() {
        last = classify();
        if (last != Event.COMMENT) {
            events++;
        }
        outputSeen |= last == Event.OUTPUT;
        hasFields = false;
        name = "";
        data = "";
    }

    private Event classify() {
        if (!hasFields || (name.isEmpty() && data.isEmpty())) {
            return Event.COMMENT;
        }
        if (data.equals("[DONE]")) {
            return Event.DONE;
        }
        if (name.equals("error") || data.startsWith("{\"error\"") || data.startsWith("{\"type\":\"error\"")) {
            return Event.ERROR;
        }
        return switch (name) {
            case "response.created", "response.queued", "response.in_progress" -> Event.PREAMBLE;
            default -> Event.OUTPUT;
        };
    }

    private boolean field(byte[] wanted) {
        if (lineLength < wanted.length) {
            return false;
        }
        for (int i = 0; i < wanted.length; i++) {
            if (line[i] != wanted[i]) {
                return false;
            }
        }
        return lineLength == wanted.length || line[wanted.length] == ':';
    }

    private String value(int nameLength) {
        int start = Math.min(nameLength + 1, lineLength);
        if (start < lineLength && line[start] == ' ') {
            start++;
        }
        int end = Math.min(lineLength, KEPT);
        return start >= end ? "" : new String(line, start, end - start, StandardCharsets.UTF_8);
    }

    /**
     * Events read so far, comments not counted.
     *
     * @return their number
     */
    long events() {
        return events;
    }

    /**
     * Whether an event has carried output yet: from then on nothing may be tried again.
     *
     * @return true from the first {@link Event#OUTPUT} on
     */
    boolean outputSeen() {
        return outputSeen;
    }

    /**
     * Whether the stream stands between two events, where a comment may be put.
     *
     * @return true if no event has begun
     */
    boolean betweenEvents() {
        return lineLength == 0 && !hasFields;
    }

    /**
     * How much of what was read belongs to an event, or a line, that has not ended.
     *
     * @return bytes at the end of the stream so far; 0 between two events
     */
    long unfinishedBytes() {
        return unfinishedBytes;
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
