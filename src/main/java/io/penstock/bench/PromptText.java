package io.penstock.bench;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;

/** Requests of a workload as text: four bytes to a token, and equal where their pieces are. */
final class PromptText {

    private static final int BYTES_PER_TOKEN = 4;
    private static final int BYTES_PER_PIECE = 256;
    private static final int WORDS_PER_LONG = 16;

    /** With its blank, each is one token of any tokenizer that knows English. */
    private static final String[] WORDS =
            "the and for not you can are has any all new one two use get set".split(" ", 0);

    private PromptText() {}

    /**
     * The body of a streamed chat request.
     *
     * @param call what to ask for
     * @param salt prompts of different salts share nothing, so that nobody finds what another one warmed
     */
    static Buffer body(BenchCall call, long salt) {
        JsonObject message = new JsonObject().put("role", "user").put("content", text(call, salt));
        return new JsonObject()
                .put("model", "demo")
                .put("stream", true)
                .put("max_tokens", call.outputTokens())
                .put("messages", new JsonArray().add(message))
                .toBuffer();
    }

    static String text(BenchCall call, long salt) {
        int length = BYTES_PER_TOKEN * call.promptTokens();
        StringBuilder text = new StringBuilder(length);
        for (long piece : call.pieces()) {
            write(text, mixed(piece ^ salt), text.length() + BYTES_PER_PIECE);
        }
        write(text, mixed(call.arrivalNanos() ^ mixed(salt)), length);
        return text.toString();
    }

    private static void write(StringBuilder text, long seed, int until) {
        long word = seed;
        while (text.length() < until) {
            word = mixed(word);
            for (int i = 0; i < WORDS_PER_LONG && text.length() < until; i++) {
                text.append(WORDS[(int) (word >>> (4 * i)) & 15]).append(' ');
            }
        }
    }

    /** The finalizer of SplitMix64: a bijection that leaves no pattern. */
    static long mixed(long value) {
        long mixed = value + 0x9E3779B97F4A7C15L;
        mixed = (mixed ^ (mixed >>> 30)) * 0xBF58476D1CE4E5B9L;
        mixed = (mixed ^ (mixed >>> 27)) * 0x94D049BB133111EBL;
        return mixed ^ (mixed >>> 31);
    }
}
