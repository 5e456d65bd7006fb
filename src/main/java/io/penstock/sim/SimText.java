package io.penstock.sim;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * The simulator's words and its idea of a token: four bytes of UTF-8 in, one short English word out. What it says is a
 * function of the prompt and the position, so any replica says the same, and goes on the same way from any point.
 */
final class SimText {

    private static final String[] WORDS =
            ("the a of and to in is it that was for on are with as at be this have from or"
                            + " one had by word but not what all were we when your can said there use an each which she do how"
                            + " their if will up other about out many then them these so some her would make like him into time"
                            + " has look two more write go see number no way could people my than first water been call who oil"
                            + " its now find long down day did get come made may part over river gate flow stone wheel mill")
                    .split(" ");

    private static final int VOCABULARY = 4_096;
    private static final int BYTES_PER_TOKEN = 4;

    private SimText() {}

    /** A number for a prompt, equal for equal prompts. */
    static long seedOf(String prompt) {
        long hash = 0xcbf29ce484222325L;
        for (int i = 0; i < prompt.length(); i++) {
            hash = (hash ^ prompt.charAt(i)) * 0x100000001b3L;
        }
        return hash;
    }

    /** The token at a position: a space and a word. */
    static String token(long seed, int position) {
        return " " + WORDS[(int) Math.floorMod(mixed(seed + position), (long) WORDS.length)];
    }

    /** The length of a text in tokens, at least one. */
    static int count(String text) {
        int bytes = text.getBytes(StandardCharsets.UTF_8).length;
        return Math.max(1, (bytes + BYTES_PER_TOKEN - 1) / BYTES_PER_TOKEN);
    }

    /** A text's token ids. */
    static List<Integer> tokenIds(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        List<Integer> ids = new ArrayList<>();
        for (int i = 0; i < Math.max(1, bytes.length); i += BYTES_PER_TOKEN) {
            long piece = 0;
            for (int j = i; j < Math.min(bytes.length, i + BYTES_PER_TOKEN); j++) {
                piece = piece << 8 | (bytes[j] & 0xff);
            }
            ids.add((int) Math.floorMod(mixed(piece), (long) VOCABULARY));
        }
        return ids;
    }

    /** Words for token ids; not the ones they were made from. */
    static String words(List<Integer> ids) {
        StringBuilder text = new StringBuilder();
        for (int id : ids) {
            text.append(' ').append(WORDS[Math.floorMod(id, WORDS.length)]);
        }
        return text.toString();
    }

    /** A vector that is a function of the text. */
    static List<Double> embedding(String text, int dimensions) {
        long seed = seedOf(text);
        List<Double> vector = new ArrayList<>();
        for (int i = 0; i < dimensions; i++) {
            vector.add(Math.floorMod(mixed(seed + i), 2_000_001L) / 1_000_000.0 - 1);
        }
        return vector;
    }

    /** Spreads neighbours apart: the finishing step of SplitMix64. */
    static long mixed(long value) {
        long mixed = value * 0x9e3779b97f4a7c15L;
        mixed = (mixed ^ (mixed >>> 30)) * 0xbf58476d1ce4e5b9L;
        mixed = (mixed ^ (mixed >>> 27)) * 0x94d049bb133111ebL;
        return mixed ^ (mixed >>> 31);
    }
}
