package io.penstock.selection;

import java.util.Arrays;

/**
 * A prompt as routing sees it: how long it is, and with which other prompts it shares its beginning. The text is cut into
 * pieces of equal size, and each piece is known by a hash of itself and everything before it: two prompts that have the
 * same hash at a position are the same up to there. The text itself is not kept. Immutable.
 */
public final class Prompt {

    /** Bytes of prompt text in one piece: about 64 tokens, four of vLLM's blocks of 16. */
    public static final int PIECE_BYTES = 256;

    /** A prompt that was not read. */
    public static final Prompt UNKNOWN = new Prompt(0, new long[0]);

    private final int tokens;
    private final long[] pieces;

    /**
     * Makes one.
     *
     * @param tokens how long it is, estimated
     * @param pieces the chained hashes of its whole pieces, first to last; the array is kept, so it must not change
     */
    public Prompt(int tokens, long[] pieces) {
        this.tokens = tokens;
        this.pieces = pieces;
    }

    /**
     * How long it is.
     *
     * @return tokens, an estimate; 0 if nothing is known
     */
    public int tokens() {
        return tokens;
    }

    /**
     * How many whole pieces it has.
     *
     * @return zero or more
     */
    public int pieces() {
        return pieces.length;
    }

    /**
     * One piece.
     *
     * @param index from 0
     * @return the hash of the text up to the piece's end
     */
    public long piece(int index) {
        return pieces[index];
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Prompt that && tokens == that.tokens && Arrays.equals(pieces, that.pieces);
    }

    @Override
    public int hashCode() {
        return 31 * tokens + Arrays.hashCode(pieces);
    }

    @Override
    public String toString() {
        return tokens + " tokens in " + pieces.length + " pieces";
    }
}
