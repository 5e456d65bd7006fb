package io.penstock.proxy;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.base.ParserBase;
import io.netty.buffer.ByteBuf;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * Reads the strings of a JSON text where they stand, without making strings of them: Jackson says where one begins, and
 * would collect all of it before it gave anything away. Jackson then passes over it once more, which costs less than the
 * copy, and finds what is wrong with it. Confined to one thread.
 */
final class JsonText {

    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private static final long ONES = 0x0101010101010101L;
    private static final long HIGHS = 0x8080808080808080L;
    private static final long QUOTES = ONES * '"';
    private static final long BACKSLASHES = ONES * '\\';

    /** Most strings are short. */
    private static final int FIRST_WINDOW_BYTES = 64;

    private static final int WINDOW_BYTES = 4 << 10;

    /** Two halves of a pair, each as a backslash, a u and four digits. */
    private static final int LONGEST_ESCAPE = 12;

    private static final int ENDED = -1;

    private final ByteBuf body;
    private final @Nullable ParserBase parser;
    private final byte[] window = new byte[WINDOW_BYTES];

    /**
     * Reads along with a parser.
     *
     * @param body what it reads, from its index 0
     * @param parser has read its first token
     */
    JsonText(ByteBuf body, JsonParser parser) {
        this.body = body;
        // It counts in bytes only where it need not decode anything first, which is to say in UTF-8.
        boolean bytes = parser.currentTokenLocation().getByteOffset() >= 0;
        this.parser = bytes && parser instanceof ParserBase base ? base : null;
    }

    /**
     * Reads the string that is the parser's current value. It is taken for empty in other encodings than UTF-8.
     *
     * @param to takes its characters, whatever way they are written
     */
    void read(PieceCutter to) {
        if (parser == null) {
            return;
        }
        int at = (int) parser.getTokenCharacterOffset(); // It counts the quotation mark as read.
        int size = FIRST_WINDOW_BYTES;
        while (at < body.writerIndex()) {
            int filled = Math.min(size, body.writerIndex() - at);
            body.getBytes(at, window, 0, filled);
            int used = read(filled, at + filled == body.writerIndex(), to);
            if (used == ENDED) {
                return;
            }
            at += used;
            size = WINDOW_BYTES;
        }
    }

    /** Returns how much of the window was read: an escape at its end is left for the next one. */
    private int read(int filled, boolean last, PieceCutter to) {
        int at = 0;
        while (at < filled) {
            int special = special(at, filled);
            to.add(window, at, special - at);
            if (special == filled) {
                return filled;
            }
            if (window[special] == '"') {
                return ENDED;
            }
            if (filled - special < LONGEST_ESCAPE && !last) {
                return special;
            }
            at = unescape(special + 1, filled, to);
        }
        return last ? ENDED : filled;
    }

    /** Where the next quotation mark or backslash stands, eight bytes at a time; {@code end} if there is none. */
    private int special(int from, int end) {
        int at = from;
        while (at + Long.BYTES <= end) {
            long bytes = (long) LONGS.get(window, at);
            long quotes = bytes ^ QUOTES;
            long backslashes = bytes ^ BACKSLASHES;
            // The lowest high bit that is set marks the first byte that became zero.
            long hits = ((quotes - ONES & ~quotes) | (backslashes - ONES & ~backslashes)) & HIGHS;
            if (hits != 0) {
                return at + (Long.numberOfTrailingZeros(hits) >>> 3);
            }
            at += Long.BYTES;
        }
        while (at < end && window[at] != '"' && window[at] != '\\') {
            at++;
        }
        return at;
    }

    /** Reads what follows a backslash (RFC 8259, section 7), and returns where it ends. */
    private int unescape(int at, int filled, PieceCutter to) {
        if (at >= filled) {
            return filled;
        }
        byte letter = window[at];
        switch (letter) {
            case 'n' -> to.add('\n');
            case 't' -> to.add('\t');
            case 'r' -> to.add('\r');
            case 'b' -> to.add('\b');
            case 'f' -> to.add('\f');
            case 'u' -> {
                int high = unit(at + 1, filled);
                boolean pair = Character.isHighSurrogate((char) high)
                        && at + 6 < filled
                        && window[at + 5] == '\\'
                        && window[at + 6] == 'u';
                int low = pair ? unit(at + 7, filled) : 0;
                if (Character.isLowSurrogate((char) low)) {
                    to.addCodePoint(Character.toCodePoint((char) high, (char) low));
                    return at + 11;
                }
                to.addCodePoint(high);
                return Math.min(filled, at + 5);
            }
            default -> to.add(letter);
        }
        return at + 1;
    }

    /** Four hexadecimal digits; what is none counts as any, since the parser will stumble over it. */
    private int unit(int at, int filled) {
        int unit = 0;
        for (int i = at; i < at + 4; i++) {
            // 0 to 9 end with their value, and letters of either case with theirs less nine.
            int digit = i >= filled ? 0 : (window[i] & 0xf) + (window[i] >> 6 & 1) * 9;
            unit = unit << 4 | (digit & 0xf);
        }
        return unit;
    }
}
