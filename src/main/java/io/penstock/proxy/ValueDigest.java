package io.penstock.proxy;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;

/**
 * Hashes a JSON value whole, of whatever kind, and says how long it is. The order of an object's members matters, as it
 * does to a model that is shown them; white space and the way characters are escaped do not. Confined to one thread.
 */
final class ValueDigest {

    // No byte of a text in UTF-8 is one of these, so no text can pass for structure.
    private static final int OBJECT = 0xf8;
    private static final int ARRAY = 0xf9;
    private static final int END = 0xfa;
    private static final int NAME = 0xfb;
    private static final int STRING = 0xfc;
    private static final int OTHER = 0xfd;

    private final JsonParser parser;
    private final JsonText strings;
    private final SeededHash hash;
    private final PieceCutter cutter;
    private long digest;
    private long bytes;

    ValueDigest(JsonParser parser, JsonText strings, SeededHash hash) {
        this.parser = parser;
        this.strings = strings;
        this.hash = hash;
        this.cutter = new PieceCutter(hash, (piece, length) -> {
            digest = hash.join(digest, piece);
            bytes += length;
        });
    }

    /** The hash of the parser's current value, which is passed over. */
    long read() throws IOException {
        begin();
        write(cutter);
        cutter.cut();
        return digest;
    }

    /** What {@link #read} says of a string. */
    long of(String text) {
        begin();
        cutter.add(STRING);
        cutter.add(text);
        cutter.cut();
        return digest;
    }

    private void begin() {
        digest = hash.join(0, 0);
        bytes = 0;
    }

    /** How long the last value was: its texts and about a byte for what stands between them. */
    long bytes() {
        return bytes;
    }

    /** Writes the parser's current value, which is passed over. */
    void write(PieceCutter to) throws IOException {
        int depth = 0;
        JsonToken token = parser.currentToken();
        while (token != null) {
            switch (token) {
                case START_OBJECT, START_ARRAY -> {
                    to.add(token == JsonToken.START_OBJECT ? OBJECT : ARRAY);
                    depth++;
                }
                case END_OBJECT, END_ARRAY -> {
                    to.add(END);
                    depth--;
                }
                case FIELD_NAME -> {
                    to.add(NAME);
                    to.add(parser.currentName());
                }
                case VALUE_STRING -> {
                    to.add(STRING);
                    strings.read(to);
                }
                default -> {
                    to.add(OTHER);
                    plain(to);
                }
            }
            if (depth == 0) {
                return;
            }
            token = parser.nextToken();
        }
    }

    /** A number, as it is written, or a literal. */
    private void plain(PieceCutter to) throws IOException {
        char[] text = parser.getTextCharacters();
        int from = parser.getTextOffset();
        for (int i = from; i < from + parser.getTextLength(); i++) {
            to.add(text[i]);
        }
    }
}
