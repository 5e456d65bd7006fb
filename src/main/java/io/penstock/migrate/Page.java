package io.penstock.migrate;

import java.util.List;

/** The new file as it grows: keys, and comments broken into lines. */
final class Page {

    private static final int WIDTH = 110;

    private final StringBuilder text = new StringBuilder();

    Page comment(String words) {
        return comment("# ", "# ", words);
    }

    /** A heading and a list under it; nothing when there is nothing to list. */
    Page comments(String heading, List<String> items) {
        if (!items.isEmpty()) {
            gap().comment(heading);
            items.forEach(item -> comment("#   - ", "#     ", item));
        }
        return this;
    }

    private Page comment(String first, String next, String words) {
        StringBuilder line = new StringBuilder(first);
        boolean empty = true;
        for (String word : words.split(" ", -1)) {
            if (!empty && line.length() + 1 + word.length() > WIDTH) {
                text.append(line).append('\n');
                line = new StringBuilder(next);
                empty = true;
            }
            line.append(empty ? "" : " ").append(word);
            empty = false;
        }
        text.append(line).append('\n');
        return this;
    }

    Page line(String yaml) {
        text.append(yaml).append('\n');
        return this;
    }

    /** An empty line, except at the top. */
    Page gap() {
        return text.length() == 0 ? this : line("");
    }

    @Override
    public String toString() {
        return text.toString();
    }
}
