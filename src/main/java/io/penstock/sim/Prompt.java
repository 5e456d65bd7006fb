package io.penstock.sim;

import java.nio.charset.StandardCharsets;

/**
 * A prompt as an engine's cache sees it: a length, and a hash for each whole block that depends on everything before it.
 * It comes as text or, without any text, as hashes of its pieces. Immutable.
 */
final class Prompt {

    /** Tokens in one piece of a prompt that is given as pieces. */
    static final int PIECE_TOKENS = 64;

    private static final int BYTES_PER_TOKEN = 4;

    private final byte[] text;
    private final long[] pieces;
    private final int tokens;

    private Prompt(byte[] text, long[] pieces, int tokens) {
        this.text = text;
        this.pieces = pieces;
        this.tokens = tokens;
    }

    /** Four bytes are a token. */
    static Prompt ofText(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return new Prompt(bytes, new long[0], Math.max(1, (bytes.length + BYTES_PER_TOKEN - 1) / BYTES_PER_TOKEN));
    }

    /**
     * What no piece covers has no twin anywhere.
     *
     * @param pieces one hash per 64 tokens, first to last; kept, so it must not change
     * @param tokens the whole length, at least one
     */
    static Prompt ofPieces(long[] pieces, int tokens) {
        if (tokens < 1) {
            throw new IllegalArgumentException("a prompt has a token at least, got " + tokens);
        }
        return new Prompt(new byte[0], pieces, tokens);
    }

    int tokens() {
        return tokens;
    }

    /** The chained hashes of the whole blocks, first to last. */
    long[] blocks(int blockTokens) {
        int known = pieces.length > 0
                ? (int) Math.min((long) pieces.length * PIECE_TOKENS, tokens)
                : text.length / BYTES_PER_TOKEN;
        long[] blocks = new long[known / blockTokens];
        long chain = 0;
        for (int i = 0; i < blocks.length; i++) {
            int from = i * blockTokens;
            // The position is in it since several blocks may lie in one piece.
            chain = SimText.mixed(chain * 31 + i + 1);
            chain = pieces.length > 0
                    ? chainPieces(chain, from, from + blockTokens)
                    : chainText(chain, from * BYTES_PER_TOKEN, (from + blockTokens) * BYTES_PER_TOKEN);
            blocks[i] = chain;
        }
        return blocks;
    }

    private long chainPieces(long before, int fromToken, int toToken) {
        long chain = before;
        for (int i = fromToken / PIECE_TOKENS; i * PIECE_TOKENS < toToken; i++) {
            chain = SimText.mixed(chain ^ pieces[i]);
        }
        return chain;
    }

    private long chainText(long before, int fromByte, int toByte) {
        long chain = before;
        for (int i = fromByte; i < toByte; i++) {
            chain = (chain ^ (text[i] & 0xff)) * 0x100000001b3L;
        }
        return SimText.mixed(chain);
    }
}
