package io.penstock.proxy;

import io.penstock.selection.Prompt;

/**
 * Takes a text as it comes, in UTF-8, and cuts it into pieces of {@link Prompt#PIECE_BYTES}, of which only the hashes
 * are kept. Confined to one thread.
 */
final class PieceCutter {

    /** Who takes the pieces. */
    @FunctionalInterface
    interface Target {

        /**
         * One piece.
         *
         * @param hash of its bytes, and of nothing before them
         * @param bytes how long it is
         */
        void add(long hash, int bytes);
    }

    private final SeededHash hash;
    private final byte[] piece = new byte[Prompt.PIECE_BYTES];
    private int filled;
    private Target target;

    PieceCutter(SeededHash hash, Target target) {
        this.hash = hash;
        this.target = target;
    }

    /** Another one takes the pieces of what follows; what came before must have been cut off. */
    void turnTo(Target next) {
        target = next;
    }

    void add(byte[] from, int at, int length) {
        int taken = 0;
        while (taken < length) {
            int fits = Math.min(length - taken, piece.length - filled);
            System.arraycopy(from, at + taken, piece, filled, fits);
            taken += fits;
            filled += fits;
            if (filled == piece.length) {
                cut();
            }
        }
    }

    void add(int oneByte) {
        piece[filled++] = (byte) oneByte;
        if (filled == piece.length) {
            cut();
        }
    }

    /** Adds a character; half of a surrogate pair is encoded like any other. */
    void addCodePoint(int c) {
        if (c < 0x80) {
            add(c);
            return;
        }
        if (c < 0x800) {
            add(0xc0 | c >> 6);
        } else {
            if (c < 0x10000) {
                add(0xe0 | c >> 12);
            } else {
                add(0xf0 | c >> 18);
                add(0x80 | (c >> 12 & 0x3f));
            }
            add(0x80 | (c >> 6 & 0x3f));
        }
        add(0x80 | (c & 0x3f));
    }

    void add(String text) {
        int i = 0;
        while (i < text.length()) {
            int c = text.codePointAt(i);
            addCodePoint(c);
            i += Character.charCount(c);
        }
    }

    /** Ends the piece, however short it is. */
    void cut() {
        if (filled > 0) {
            int bytes = filled;
            filled = 0;
            target.add(hash.of(piece, bytes), bytes);
        }
    }
}
