package io.penstock.proxy;

import io.penstock.proxy.ApiTable.Dialect;
import io.penstock.proxy.SseScanner.Event;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What is known of one server-sent event while its lines come in, and what it is once they are all there: its name, and
 * the first {@value #KEPT} bytes of its data. Used again for the next event. Confined to one event loop.
 */
final class EventHead {

    /** A word, as an event's name or as the type in its data, and what it means. */
    private static final class Word {
        final byte[] text;
        final Event event;

        Word(String text, Event event) {
            this.text = ascii(text);
            this.event = event;
        }
    }

    private static final int KEPT = 64;
    private static final int NONE = -1;

    private static final Word ERROR = new Word("error", Event.ERROR);
    private static final Word CREATED = new Word("response.created", Event.PREAMBLE);
    private static final Word QUEUED = new Word("response.queued", Event.PREAMBLE);
    private static final Word IN_PROGRESS = new Word("response.in_progress", Event.PREAMBLE);
    private static final Word[] OPENAI = {ERROR, CREATED, QUEUED, IN_PROGRESS};
    private static final Word[] RESPONSES = {
        ERROR,
        CREATED,
        QUEUED,
        IN_PROGRESS,
        new Word("response.completed", Event.END),
        new Word("response.failed", Event.END),
        new Word("response.incomplete", Event.END),
        new Word("response.cancelled", Event.END)
    };
    private static final Word[] ANTHROPIC = {
        ERROR, CREATED, QUEUED, IN_PROGRESS, new Word("ping", Event.PREAMBLE), new Word("message_stop", Event.END)
    };

    private static final byte[] DATA_FIELD = ascii("data");
    private static final byte[] EVENT_FIELD = ascii("event");
    private static final byte[] DONE = ascii("[DONE]");
    private static final byte[] ERROR_KEY = ascii("\"error\"");
    private static final byte[] TYPE_KEY = ascii("\"type\"");

    private final Word[] words;

    private boolean hasFields;
    // What the name says; null without one.
    private @Nullable Event named;
    private final byte[] data = new byte[KEPT];
    private int dataLength = NONE;
    private boolean dataCut;

    /**
     * Makes one without any field.
     *
     * @param dialect the API that was called: its words are understood
     */
    EventHead(Dialect dialect) {
        words = switch (dialect) {
            case OPENAI -> OPENAI;
            case RESPONSES -> RESPONSES;
            case ANTHROPIC -> ANTHROPIC;
        };
    }

    /** Forgets the event, for the next one. */
    void clear() {
        hasFields = false;
        named = null;
        dataLength = NONE;
        dataCut = false;
    }

    /**
     * Whether a field, known or not, has begun the event.
     *
     * @return true from the first line on that is no comment
     */
    boolean hasFields() {
        return hasFields;
    }

    /**
     * Takes a line that is neither blank nor a comment.
     *
     * @param bytes where it stands
     * @param from its first byte
     * @param to behind its last one
     * @param cut whether the line went on there
     */
    void field(byte[] bytes, int from, int to, boolean cut) {
        hasFields = true;
        if (isField(bytes, from, to, DATA_FIELD)) {
            data(bytes, value(bytes, from + DATA_FIELD.length, to), to, cut);
        } else if (isField(bytes, from, to, EVENT_FIELD)) {
            int value = value(bytes, from + EVENT_FIELD.length, to);
            named = value == to ? null : meaning(bytes, value, to);
        }
    }

    private static boolean isField(byte[] bytes, int from, int to, byte[] name) {
        int end = from + name.length;
        return startsWith(bytes, from, to, name) && (end == to || bytes[end] == ':');
    }

    /** Where a field's value begins: after the colon and one space, if they are there. */
    private static int value(byte[] bytes, int afterName, int to) {
        int at = Math.min(afterName + 1, to);
        return at < to && bytes[at] == ' ' ? at + 1 : at;
    }

    /** Appends a line to the event's data; the lines of one event are joined with LF. */
    private void data(byte[] bytes, int from, int to, boolean cut) {
        int length = 0;
        if (dataLength != NONE) {
            length = dataLength;
            if (dataCut || length == KEPT) {
                dataCut = true;
                return;
            }
            data[length++] = '\n';
        }
        int size = Math.min(KEPT - length, to - from);
        System.arraycopy(bytes, from, data, length, size);
        dataLength = length + size;
        dataCut = cut || size < to - from;
    }

    /**
     * What the event is, now that its blank line has come.
     *
     * @return its kind
     */
    Event event() {
        if (dataLength == NONE) {
            return Event.COMMENT; // WHATWG: nobody is told of it, whatever its name.
        }
        if (named == Event.ERROR) {
            return Event.ERROR;
        }
        if (dataLength == 0) {
            return Event.COMMENT;
        }
        if (isDone()) {
            return Event.END;
        }
        Event typed = firstKey();
        if (typed == Event.ERROR) {
            return Event.ERROR;
        }
        Event name = named;
        if (name != null) {
            return name;
        }
        return typed == null ? Event.OUTPUT : typed;
    }

    private boolean isDone() {
        if (dataCut || !startsWith(data, 0, dataLength, DONE)) {
            return false;
        }
        int at = DONE.length;
        while (at < dataLength && data[at] == ' ') {
            at++;
        }
        return at == dataLength;
    }

    /** What the first key of a JSON object says: {@code error}, or a {@code type} with its word; null if it is another. */
    private @Nullable Event firstKey() {
        int at = afterBlanks(0);
        if (!isData(at, '{')) {
            return null;
        }
        at = afterBlanks(at + 1);
        if (startsWith(data, at, dataLength, ERROR_KEY)) {
            return Event.ERROR;
        }
        if (!startsWith(data, at, dataLength, TYPE_KEY)) {
            return null;
        }
        at = afterBlanks(at + TYPE_KEY.length);
        if (!isData(at, ':')) {
            return null;
        }
        at = afterBlanks(at + 1);
        if (!isData(at, '"')) {
            return null;
        }
        int end = at + 1;
        while (end < dataLength && data[end] != '"') {
            end++;
        }
        return end == dataLength ? null : meaning(data, at + 1, end);
    }

    private boolean isData(int at, char wanted) {
        return at < dataLength && data[at] == wanted;
    }

    private int afterBlanks(int from) {
        int at = from;
        while (at < dataLength && (data[at] == ' ' || data[at] == '\t' || data[at] == '\n')) {
            at++;
        }
        return at;
    }

    private Event meaning(byte[] bytes, int from, int to) {
        for (Word word : words) {
            if (Arrays.equals(bytes, from, to, word.text, 0, word.text.length)) {
                return word.event;
            }
        }
        return Event.OUTPUT;
    }

    /**
     * Whether a run of bytes begins with others.
     *
     * @param bytes where it stands
     * @param from its first byte
     * @param to behind its last one
     * @param wanted the others
     * @return true if it does
     */
    static boolean startsWith(byte[] bytes, int from, int to, byte[] wanted) {
        return to - from >= wanted.length && Arrays.equals(bytes, from, from + wanted.length, wanted, 0, wanted.length);
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
