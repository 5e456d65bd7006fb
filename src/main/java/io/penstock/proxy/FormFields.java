package io.penstock.proxy;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Reads the short text fields of a form with files (multipart/form-data, RFC 7578) and skips its files: it searches for
 * the line between two parts as one searches for a word, so that most bytes of a file are never looked at. It is
 * forgiving: what it cannot read is left out, and what it says is used for routing only. Confined to one thread.
 */
final class FormFields {

    /** RFC 2046, section 5.1.1, allows 70 characters. */
    private static final int LONGEST_BOUNDARY = 200;

    private static final int LONGEST_HEAD_BYTES = 4 << 10;
    private static final int LONGEST_VALUE_BYTES = 4 << 10;

    /** More parts than any transcription has; each costs a window. */
    private static final int MOST_SEARCHES = 2000;

    private static final int MOST_BLANKS = 64;

    private static final int FIRST_WINDOW_BYTES = 4 << 10;
    private static final int WINDOW_BYTES = 64 << 10;
    private static final int NOWHERE = -1;

    private final ByteBuf form;
    private final int end;
    // CRLF, two hyphens, boundary: what stands between two parts.
    private final byte[] delimiter;
    // How far the search may jump when it sees this byte at the place of the delimiter's last one (Horspool, 1980).
    private final int[] jumps = new int[256];
    private int searches;
    private byte[] window = new byte[FIRST_WINDOW_BYTES];

    private FormFields(ByteBuf form, String boundary) {
        this.form = form;
        this.end = form.writerIndex();
        this.delimiter = ("\r\n--" + boundary).getBytes(StandardCharsets.ISO_8859_1);
        Arrays.fill(jumps, delimiter.length);
        for (int i = 0; i < delimiter.length - 1; i++) {
            jumps[delimiter[i] & 0xff] = delimiter.length - 1 - i;
        }
    }

    /**
     * What the parts of a form are divided by.
     *
     * @param contentType the value of a Content-Type header, null if there is none
     * @return the boundary; null if this is no such form, or says no usable one
     */
    static @Nullable String boundary(@Nullable String contentType) {
        if (contentType == null || !startsWith(contentType.strip(), "multipart/form-data")) {
            return null;
        }
        String boundary = parameter(contentType, "boundary");
        return boundary == null || boundary.isEmpty() || boundary.length() > LONGEST_BOUNDARY ? null : boundary;
    }

    /**
     * Tells the text fields of a form, in their order; those that are longer than a few kilobytes are told as empty.
     *
     * @param form the body, from its index 0
     * @param boundary what {@link #boundary} said
     * @param field takes a name and a value
     */
    static void read(ByteBuf form, String boundary, BiConsumer<String, String> field) {
        new FormFields(form, boundary).read(field);
    }

    private void read(BiConsumer<String, String> field) {
        int part = beginsWithDelimiter() ? afterLine(delimiter.length - 2) : NOWHERE;
        if (part == NOWHERE) {
            part = partAfter(nextDelimiter(0)); // What stands before the first part is to be ignored.
        }
        while (part != NOWHERE) {
            String head = head(part);
            int value = head == null ? part : part + head.length();
            // An empty value may leave it to the empty line before it to begin the delimiter.
            int next = nextDelimiter(Math.max(part, value - 2));
            if (next == NOWHERE) {
                return; // Cut short: nobody knows what the value would have been.
            }
            String name = head == null ? null : textFieldName(head);
            if (name != null) {
                field.accept(name, value(Math.min(value, next), next));
            }
            part = partAfter(next);
        }
    }

    private boolean beginsWithDelimiter() {
        int length = delimiter.length - 2;
        if (end < length) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            if (form.getByte(i) != delimiter[i + 2]) {
                return false;
            }
        }
        return true;
    }

    /** A line that only begins like a delimiter is none. */
    private int nextDelimiter(int from) {
        int found = find(from);
        while (found != NOWHERE && partAfter(found) == NOWHERE && !isLast(found)) {
            found = find(found + 1);
        }
        return found;
    }

    /** Where the part after a delimiter begins; nowhere after the last one. */
    private int partAfter(int delimiterAt) {
        return delimiterAt == NOWHERE ? NOWHERE : afterLine(delimiterAt + delimiter.length);
    }

    private boolean isLast(int delimiterAt) {
        int at = delimiterAt + delimiter.length;
        return at + 2 <= end && form.getByte(at) == '-' && form.getByte(at + 1) == '-';
    }

    /** After a delimiter only blanks may stand before the end of the line (RFC 2046, section 5.1.1). */
    private int afterLine(int from) {
        int at = from;
        while (at < end && at - from < MOST_BLANKS && (form.getByte(at) == ' ' || form.getByte(at) == '\t')) {
            at++;
        }
        return at + 2 <= end && form.getByte(at) == '\r' && form.getByte(at + 1) == '\n' ? at + 2 : NOWHERE;
    }

    /** A part's headers with the empty line; one character is one byte. Null if they do not end soon. */
    private @Nullable String head(int from) {
        int most = Math.min(LONGEST_HEAD_BYTES, end - from);
        String text = form.toString(from, most, StandardCharsets.ISO_8859_1);
        if (text.startsWith("\r\n")) {
            return "\r\n";
        }
        int empty = text.indexOf("\r\n\r\n");
        return empty < 0 ? null : text.substring(0, empty + 4);
    }

    private String value(int from, int to) {
        return to - from > LONGEST_VALUE_BYTES ? "" : form.toString(from, to - from, StandardCharsets.UTF_8);
    }

    private int find(int from) {
        int at = ++searches > MOST_SEARCHES ? end : from;
        int size = FIRST_WINDOW_BYTES;
        while (at + delimiter.length <= end) {
            int filled = Math.min(size, end - at);
            if (window.length < filled) {
                window = new byte[WINDOW_BYTES];
            }
            form.getBytes(at, window, 0, filled);
            int found = findInWindow(filled);
            if (found != NOWHERE) {
                return at + found;
            }
            at += filled - delimiter.length + 1;
            size = WINDOW_BYTES;
        }
        return NOWHERE;
    }

    private int findInWindow(int filled) {
        int last = delimiter.length - 1;
        int at = 0;
        while (at + last < filled) {
            byte seen = window[at + last];
            // From the front: it begins with CRLF, which keeps a body made of the boundary's letters from being slow.
            if (seen == delimiter[last] && Arrays.equals(window, at, at + last, delimiter, 0, last)) {
                return at;
            }
            at += jumps[seen & 0xff];
        }
        return NOWHERE;
    }

    /** The name in a part's Content-Disposition; null if it has none, or is a file. */
    private static @Nullable String textFieldName(String head) {
        for (String line : head.split("\r\n", -1)) {
            if (startsWith(line, "content-disposition:")) {
                return parameter(line, "filename") == null && parameter(line, "filename*") == null
                        ? parameter(line, "name")
                        : null;
            }
        }
        return null;
    }

    /** The first parameter of this name in a header's value, without its quotes (RFC 9110, section 5.6.6). */
    private static @Nullable String parameter(String header, String name) {
        int at = header.indexOf(';');
        while (at >= 0) {
            int equals = header.indexOf('=', at);
            if (equals < 0) {
                return null;
            }
            String key = header.substring(header.lastIndexOf(';', equals) + 1, equals)
                    .strip();
            StringBuilder value = new StringBuilder();
            at = parameterValue(header, equals + 1, value);
            if (key.equalsIgnoreCase(name)) {
                return value.toString().strip();
            }
        }
        return null;
    }

    /** Reads a value up to the next semicolon outside of quotes, and returns where that is; -1 at the end. */
    private static int parameterValue(String header, int from, StringBuilder value) {
        boolean quoted = false;
        for (int i = from; i < header.length(); i++) {
            char c = header.charAt(i);
            if (c == '"') {
                quoted = !quoted;
            } else if (c == ';' && !quoted) {
                return i;
            } else {
                boolean escaped = quoted && c == '\\' && i + 1 < header.length();
                value.append(escaped ? header.charAt(++i) : c);
            }
        }
        return -1;
    }

    private static boolean startsWith(String text, String lowerCasePrefix) {
        return text.length() >= lowerCasePrefix.length()
                && text.substring(0, lowerCasePrefix.length())
                        .toLowerCase(Locale.ROOT)
                        .equals(lowerCasePrefix);
    }
}
