package io.penstock.config;

import java.util.Collection;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Finds the word that somebody meant. The distance is optimal string alignment: insertions, deletions, replacements and
 * swaps of neighbors count one each (Damerau 1964), since these are what fingers do.
 */
final class Suggestion {

    private Suggestion() {}

    /** The nearest known word, or null when none is near. Case, {@code _} and {@code -} do not count. */
    static @Nullable String nearest(String word, Collection<String> known) {
        String plain = plain(word);
        int limit = Math.max(1, Math.min(3, plain.length() / 3));
        String best = null;
        int bestDistance = limit + 1;
        for (String candidate : known) {
            int distance = distance(plain, plain(candidate));
            if (distance < bestDistance) {
                best = candidate;
                bestDistance = distance;
            }
        }
        return best;
    }

    static int distance(String left, String right) {
        int[][] rows = new int[left.length() + 1][right.length() + 1];
        for (int i = 0; i <= left.length(); i++) {
            for (int j = 0; j <= right.length(); j++) {
                rows[i][j] = i == 0 || j == 0 ? i + j : step(rows, left, right, i, j);
            }
        }
        return rows[left.length()][right.length()];
    }

    private static int step(int[][] rows, String left, String right, int i, int j) {
        boolean same = left.charAt(i - 1) == right.charAt(j - 1);
        int best = Math.min(rows[i - 1][j - 1] + (same ? 0 : 1), Math.min(rows[i - 1][j], rows[i][j - 1]) + 1);
        boolean swapped = i > 1
                && j > 1
                && left.charAt(i - 1) == right.charAt(j - 2)
                && left.charAt(i - 2) == right.charAt(j - 1);
        return swapped ? Math.min(best, rows[i - 2][j - 2] + 1) : best;
    }

    private static String plain(String word) {
        String lower = word.toLowerCase(Locale.ROOT).replace("_", "").replace("-", "");
        // A key may be a megabyte long; nobody means that.
        return lower.length() <= 64 ? lower : lower.substring(0, 64);
    }
}
