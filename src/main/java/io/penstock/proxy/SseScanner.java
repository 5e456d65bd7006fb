package io.penstock.proxy;

import io.penstock.proxy.ApiTable.Dialect;
import io.vertx.core.buffer.Buffer;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Reads along as a stream of server-sent events passes by: says where each event ends, what it is, and whether the stream
 * was whole. It never changes a byte, and it takes chunks that are split anywhere, also inside a line ending.
 *
 * <p>Grammar: WHATWG HTML, section 9.2.6: lines end with LF, CR or CRLF, a blank line ends an event, a line that begins
 * with a colon is a comment, a byte order mark may lead the stream, the data of several lines is one. An event without
 * its blank line has not ended and counts for nothing, so a stream that was cut at any byte is never
 * {@linkplain #complete() complete}.
 *
 * <p>Memory is bounded: of a line and of an event's data only the first {@value #KEPT} bytes are looked at, which is
 * enough to tell the kinds apart. Confined to one event loop.
 */
final class SseScanner {

    /** What an event is. */
    enum Event {
        /** It says nothing: comments, fields without data, or nothing but a blank line. A sign of life. */
        COMMENT,
        /** It says that the request was accepted, or that the server still lives, and holds no output. */
        PREAMBLE,
        /** The model's output, or anything else that is none of the others. */
        OUTPUT,
        /** An error under status 200. */
        ERROR,
        /** The end marker. */
        END
    }

    private static final int KEPT = 64;
    private static final int WINDOW = 512;

    private static final byte[] BYTE_ORDER_MARK = {(byte) 0xEF, (byte) 0xBB, (byte) 0xBF};
    private static final VarHandle EIGHT_BYTES =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final long EACH = 0x0101010101010101L;
    private static final long HIGH_BITS = EACH << 7;

    // The part of a chunk that is being read.
    private final byte[] window = new byte[WINDOW];

    // The beginning of a line whose end is in a later chunk.
    private final byte[] begun = new byte[KEPT];
    private int begunLength;
    private boolean begunCut;

    private boolean atStart = true;
    private boolean afterCarriageReturn;

    private final EventHead head;
    private Event last = Event.COMMENT;
    private long events;
    private boolean outputSeen;
    private boolean failed;
    private boolean complete;

    /**
     * Makes a scanner for one stream.
     *
     * @param dialect the API that was called: it knows the end markers
     */
    SseScanner(Dialect dialect) {
        head = new EventHead(dialect);
    }

    /**
     * Reads on to the end of the next event. The same byte must not be given twice: go on where this call ended, and
     * after -1 with the next chunk.
     *
     * @param bytes a chunk of the stream
     * @param from where in it to read on
     * @return the index just after the event, its blank line included; -1 if the chunk ran out first. Of a CRLF that is
     *     split over two chunks the event has the CR, and the LF belongs to nothing
     */
    int next(Buffer bytes, int from) {
        // Copied in pieces: that costs less than the view on the bytes that Vert.x would make, wherever they lie.
        int length = bytes.length();
        for (int at = from; at < length; at += WINDOW) {
            int size = Math.min(WINDOW, length - at);
            bytes.getBytes(at, at + size, window, 0);
            int end = next(size);
            if (end >= 0) {
                return afterLineFeed(bytes, at + end);
            }
        }
        return -1;
    }

    /** The piece may have ended between the CR and the LF of an event's last line end. */
    private int afterLineFeed(Buffer bytes, int at) {
        if (afterCarriageReturn && at < bytes.length()) {
            afterCarriageReturn = false;
            return bytes.getByte(at) == '\n' ? at + 1 : at;
        }
        return at;
    }

    private int next(int size) {
        int at = 0;
        while (at < size) {
            boolean restOfLineEnd = afterCarriageReturn && window[at] == '\n';
            afterCarriageReturn = false;
            if (restOfLineEnd) {
                at++;
                continue;
            }
            int end = endOfLine(window, at, size);
            if (end == size) {
                begin(at, size);
                return -1;
            }
            boolean blank = begunLength == 0 ? line(window, at, end) : begunLine(at, end);
            afterCarriageReturn = window[end] == '\r';
            at = end + 1;
            if (blank) {
                endOfEvent();
                return at;
            }
        }
        return -1;
    }

    /**
     * Finds the first LF or CR, eight bytes at a time. A byte of {@code lf} or {@code cr} is zero where the searched one
     * is; {@code (x - EACH) & ~x & HIGH_BITS} marks the zeros. It may mark the byte above a zero as well, but the lowest
     * mark is true (H. S. Warren, Hacker's Delight, section 6-1).
     */
    private static int endOfLine(byte[] bytes, int from, int to) {
        int at = from;
        for (; at <= to - Long.BYTES; at += Long.BYTES) {
            long eight = (long) EIGHT_BYTES.get(bytes, at);
            long lf = eight ^ '\n' * EACH;
            long cr = eight ^ '\r' * EACH;
            long marks = (((lf - EACH) & ~lf) | ((cr - EACH) & ~cr)) & HIGH_BITS;
            if (marks != 0) {
                return at + (Long.numberOfTrailingZeros(marks) >>> 3);
            }
        }
        while (at < to && bytes[at] != '\n' && bytes[at] != '\r') {
            at++;
        }
        return at;
    }

    /** Keeps the beginning of a line that goes on in the next chunk. */
    private void begin(int from, int to) {
        int size = Math.min(KEPT - begunLength, to - from);
        System.arraycopy(window, from, begun, begunLength, size);
        begunLength += size;
        begunCut |= size < to - from;
    }

    private boolean begunLine(int from, int to) {
        begin(from, to);
        boolean blank = line(begun, 0, begunLength, begunCut);
        begunLength = 0;
        begunCut = false;
        return blank;
    }

    /** A whole line. Not more of it is looked at than if it had come in pieces: the verdict is the same. */
    private boolean line(byte[] bytes, int from, int to) {
        return to - from > KEPT ? line(bytes, from, from + KEPT, true) : line(bytes, from, to, false);
    }

    private boolean line(byte[] bytes, int from, int to, boolean cut) {
        int start = from;
        if (atStart) {
            atStart = false;
            start += EventHead.startsWith(bytes, from, to, BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
        }
        if (start == to) {
            return true;
        }
        if (bytes[start] != ':') {
            head.field(bytes, start, to, cut);
        }
        return false;
    }

    private void endOfEvent() {
        Event event = head.event();
        last = event;
        if (event != Event.COMMENT) {
            events++;
            outputSeen |= event == Event.OUTPUT;
            failed |= event == Event.ERROR;
            complete |= event == Event.END && !failed;
        }
        head.clear();
    }

    /**
     * What the event is that {@link #next} has just ended.
     *
     * @return its kind; {@link Event#COMMENT} before the first
     */
    Event event() {
        return last;
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
     * Whether the stream came to its end: the end marker of its dialect was seen, and no error before it. A server that
     * dies may well send an error, the marker and a clean last chunk.
     *
     * @return true from the last byte of the end marker's blank line on
     */
    boolean complete() {
        return complete;
    }

    /**
     * Whether an error was seen, before or after output.
     *
     * @return true from the first {@link Event#ERROR} on
     */
    boolean failed() {
        return failed;
    }

    /**
     * Events that have ended so far, comments not counted.
     *
     * @return their number
     */
    long events() {
        return events;
    }

    /**
     * Whether the stream stands between two events, where a comment may be put.
     *
     * @return true if no line and no field of an event has begun
     */
    boolean betweenEvents() {
        return begunLength == 0 && !head.hasFields();
    }
}
