package io.penstock.migrate;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Turns the text of an nginx configuration into directives, by nginx's own rules: words end at blanks, {@code ;} and
 * <code>{</code>; a quote counts only where a word begins, and so does {@code #}; a backslash takes the next character
 * along; <code>${</code> opens no block. Which directives exist is not its business.
 */
final class NginxText {

    /** nginx itself needs five or so; deeper is no configuration. */
    private static final int DEEPEST = 64;

    private static final String ESCAPED = "\"'\\trn";
    private static final String MEANT = "\"'\\\t\r\n";

    private final String text;
    private final Deque<Block> open = new ArrayDeque<>();
    private List<String> words = new ArrayList<>();
    private int wordsLine;
    private int at;
    private int line = 1;

    /** A block that is being read. */
    private record Block(List<String> words, int line, List<Directive> content) {}

    private NginxText(String text) {
        this.text = text;
    }

    /** The directives at the top. */
    static List<Directive> parse(String text) throws UnusableFile {
        return new NginxText(text.startsWith("\uFEFF") ? text.substring(1) : text).parse();
    }

    private List<Directive> parse() throws UnusableFile {
        open.push(new Block(List.of(), 0, new ArrayList<>()));
        while (skipBlanks()) {
            switch (text.charAt(at)) {
                case ';' -> add(directive(taken(), wordsLine, List.of()));
                case '{' -> begin();
                case '}' -> end();
                default -> {
                    if (words.isEmpty()) {
                        wordsLine = line;
                    }
                    words.add(word());
                }
            }
        }
        if (!words.isEmpty()) {
            throw new UnusableFile(
                    line,
                    "the file ends inside the directive that begins in line " + wordsLine + "; want \";\" or \"{\"");
        }
        Block last = open.pop();
        if (!open.isEmpty()) {
            throw new UnusableFile(
                    line, "the file ends inside the block that begins in line " + last.line() + "; want \"}\"");
        }
        return last.content();
    }

    private void begin() throws UnusableFile {
        open.push(new Block(taken(), wordsLine, new ArrayList<>()));
        if (open.size() > DEEPEST) {
            throw new UnusableFile(line, "more than " + DEEPEST + " blocks inside each other");
        }
    }

    private void end() throws UnusableFile {
        if (!words.isEmpty() || open.size() == 1) {
            throw new UnusableFile(line, "unexpected \"}\"" + (words.isEmpty() ? "" : "; want \";\" before it"));
        }
        at++;
        Block done = open.pop();
        add(directive(done.words(), done.line(), done.content()));
    }

    /** The words before the sign at which the text stands; takes both. */
    private List<String> taken() throws UnusableFile {
        if (words.isEmpty()) {
            throw new UnusableFile(line, "unexpected \"" + text.charAt(at) + "\"");
        }
        at++;
        List<String> taken = words;
        words = new ArrayList<>();
        return taken;
    }

    private void add(Directive directive) {
        open.element().content().add(directive);
    }

    private static Directive directive(List<String> words, int line, List<Directive> block) {
        return new Directive(words.get(0), words.subList(1, words.size()), block, line);
    }

    /** Goes to the next word or sign; false at the end of the file. */
    private boolean skipBlanks() {
        boolean comment = false;
        for (; at < text.length(); at++) {
            char c = text.charAt(at);
            if (c == '\n') {
                comment = false;
                line++;
            } else if (!comment && c == '#') {
                comment = true;
            } else if (!comment && !blank(c)) {
                return true;
            }
        }
        return false;
    }

    private String word() throws UnusableFile {
        char first = text.charAt(at);
        return first == '"' || first == '\'' ? quoted(first) : bare();
    }

    private String quoted(char quote) throws UnusableFile {
        int begun = line;
        StringBuilder word = new StringBuilder();
        for (at++; at < text.length(); at++) {
            char c = text.charAt(at);
            if (c == quote) {
                at++;
                if (at < text.length() && !blank(text.charAt(at)) && ";{)".indexOf(text.charAt(at)) < 0) {
                    throw new UnusableFile(
                            line, "unexpected \"" + Plain.text(text.substring(at, at + 1)) + "\" after a quoted text");
                }
                return word.toString();
            }
            take(c, word);
        }
        throw new UnusableFile(line, "the file ends inside the quoted text that begins in line " + begun);
    }

    private String bare() {
        StringBuilder word = new StringBuilder();
        boolean variable = false;
        for (; at < text.length(); at++) {
            char c = text.charAt(at);
            if (blank(c) || c == ';' || (c == '{' && !variable)) {
                break;
            }
            variable = c == '$';
            take(c, word);
        }
        return word.toString();
    }

    /** Takes the character at which the text stands, with the one that a backslash binds to it. */
    private void take(char c, StringBuilder word) {
        char taken = c;
        if (c == '\\' && at + 1 < text.length()) {
            at++;
            taken = text.charAt(at);
            int escape = ESCAPED.indexOf(taken);
            if (escape < 0) {
                word.append('\\');
            }
            word.append(escape < 0 ? taken : MEANT.charAt(escape));
        } else {
            word.append(c);
        }
        if (taken == '\n') {
            line++;
        }
    }

    private static boolean blank(char c) {
        return c == ' ' || c == '\t' || c == '\r' || c == '\n';
    }
}
