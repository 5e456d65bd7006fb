package io.penstock;

import java.util.ArrayList;
import java.util.List;

/** Rows under headings, for a terminal of 80 columns: names to the left, numbers to the right. */
final class Columns {

    private static final int WIDTH = 80;
    // What a name may be cut down to when the terminal is too narrow.
    private static final int SHORTEST = 8;

    private final List<List<String>> rows = new ArrayList<>();

    /** With these headings; the first column is of names, all others are of numbers. */
    Columns(String... headings) {
        rows.add(List.of(headings));
    }

    /** Adds a row of as many cells as there are headings. */
    void row(String... cells) {
        rows.add(List.of(cells));
    }

    /** All rows, each begun with {@code margin}; without line ends. */
    List<String> lines(String margin) {
        int[] widths = new int[rows.get(0).size()];
        for (List<String> row : rows) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], row.get(i).length());
            }
        }
        int numbers = 0;
        for (int i = 1; i < widths.length; i++) {
            numbers += widths[i];
        }
        int gaps = widths.length - 1;
        int room = WIDTH - margin.length() - numbers;
        // Two blanks between columns if all of the names fits beside them.
        String gap = widths[0] + 2 * gaps <= room ? "  " : " ";
        widths[0] = Math.min(widths[0], Math.max(SHORTEST, room - gaps * gap.length()));
        List<String> lines = new ArrayList<>();
        rows.forEach(row -> lines.add((margin + line(row, widths, gap)).stripTrailing()));
        return lines;
    }

    private static String line(List<String> row, int[] widths, String gap) {
        StringBuilder line = new StringBuilder(WIDTH);
        for (int i = 0; i < widths.length; i++) {
            String cell = row.get(i);
            if (cell.length() > widths[i]) {
                // Ports and numbers tell names apart, and they stand at the end.
                cell = "…" + cell.substring(cell.length() - widths[i] + 1);
            }
            String padding = " ".repeat(widths[i] - cell.length());
            line.append(i == 0 ? "" : gap).append(i == 0 ? cell + padding : padding + cell);
        }
        return line.toString();
    }
}
