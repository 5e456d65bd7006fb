package io.penstock;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;

/**
 * Lines that are shown again and again: on a terminal in the place of those before, elsewhere below them, and only if
 * something changed. One thread's.
 */
final class Repaint {

    private static final String UP_ONE_LINE = "\033[1A\033[2K";
    /** Lines are kept to this width: one that the terminal wraps could not be drawn over. */
    private static final int WIDTH = 79;

    private final PrintWriter out;
    private final boolean terminal;
    private List<String> before = List.of();

    /**
     * Makes a place for lines.
     *
     * @param out where they go
     * @param terminal whether lines can be written over there
     */
    Repaint(PrintWriter out, boolean terminal) {
        this.out = out;
        this.terminal = terminal;
    }

    /** Shows these lines in the place of the last ones. */
    void show(List<String> lines) {
        List<String> now = folded(lines);
        if (now.equals(before)) {
            return;
        }
        if (terminal) {
            out.print(UP_ONE_LINE.repeat(before.size()));
        } else if (!before.isEmpty()) {
            out.println();
        }
        now.forEach(out::println);
        out.flush();
        before = now;
    }

    private static List<String> folded(List<String> lines) {
        List<String> folded = new ArrayList<>();
        for (String line : lines) {
            for (int start = 0; start == 0 || start < line.length(); start += WIDTH) {
                folded.add(line.substring(start, Math.min(line.length(), start + WIDTH)));
            }
        }
        return folded;
    }
}
