package io.penstock.proxy;

import io.penstock.selection.Prompt;
import java.util.Arrays;

/**
 * A part of a prompt, as a list of links that are not chained yet: hashes of pieces of text, of images, of who speaks.
 * So parts can be read in the order in which they stand in a body, and be chained in the order in which a model reads
 * them. Confined to one thread.
 */
final class PromptLinks implements PieceCutter.Target {

    /** Beyond this a part is only counted: no model reads as much, and the rest of a body is not worth the memory. */
    private static final int MOST_LINKS = 1 << 16;

    private static final int FIRST_LINKS = 64;
    private static final long[] NO_HASHES = {};
    private static final int[] NO_LENGTHS = {};

    private final int most;
    private long[] hashes = NO_HASHES;
    private int[] lengths = NO_LENGTHS;
    private int size;
    private long bytes;

    private PromptLinks(int most) {
        this.most = most;
    }

    /** A part that will be chained. */
    static PromptLinks kept() {
        return new PromptLinks(MOST_LINKS);
    }

    /** A part of which only the length matters. */
    static PromptLinks counted() {
        return new PromptLinks(0);
    }

    /** Forgets everything: an equal key came, and the last one counts. */
    void clear() {
        size = 0;
        bytes = 0;
    }

    @Override
    public void add(long hash, int length) {
        count(length);
        if (size == most) {
            return;
        }
        if (size == hashes.length) {
            int room = Math.max(FIRST_LINKS, 2 * size);
            hashes = Arrays.copyOf(hashes, room);
            lengths = Arrays.copyOf(lengths, room);
        }
        hashes[size] = hash;
        lengths[size] = length;
        size++;
    }

    /** Lets a length count, and nothing else. */
    void count(long length) {
        bytes += length;
    }

    /** Puts another hash in a link's place; does nothing if the link was one too many. */
    void replace(int index, long hash) {
        if (index < size) {
            hashes[index] = hash;
        }
    }

    int size() {
        return size;
    }

    long hash(int index) {
        return hashes[index];
    }

    /** How long a link is, as if it were text, in bytes. */
    int length(int index) {
        return lengths[index];
    }

    /** How long all of it is, as if it were text, in bytes. */
    long bytes() {
        return bytes;
    }

    /** Chains links: whenever another {@link Prompt#PIECE_BYTES} are full, the chain so far is the prompt's next piece. */
    static final class Chain {

        /** A million tokens. */
        private static final int MOST_PIECES = 1 << 14;

        private final SeededHash hash;
        private long head;
        private long[] pieces;
        private int size;
        private long carried;

        /**
         * Begins.
         *
         * @param start what all pieces depend on
         * @param expectedBytes how long it may become
         */
        Chain(SeededHash hash, long start, long expectedBytes) {
            this.hash = hash;
            this.head = start;
            this.pieces = new long[(int) Math.min(MOST_PIECES, expectedBytes / Prompt.PIECE_BYTES)];
        }

        /** Adds the links from one index to before another. */
        void add(PromptLinks links, int from, int to) {
            for (int i = from; i < to; i++) {
                head = hash.join(head, links.hash(i));
                carried += links.length(i);
                // An image is as long as several pieces.
                while (carried >= Prompt.PIECE_BYTES && size < pieces.length) {
                    pieces[size++] = head;
                    head = hash.join(head, carried);
                    carried -= Prompt.PIECE_BYTES;
                }
            }
        }

        /** The pieces. Nothing may be added after it. */
        long[] pieces() {
            return size == pieces.length ? pieces : Arrays.copyOf(pieces, size);
        }
    }
}
