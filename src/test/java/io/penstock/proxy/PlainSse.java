package io.penstock.proxy;

import io.penstock.proxy.ApiTable.Dialect;
import io.penstock.proxy.EventTrace.Seen;
import io.penstock.proxy.SseScanner.Event;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Server-sent events as one would read them with no care for speed: the whole stream at once, as text of one char per byte,
 * in the words of WHATWG HTML, section 9.2.6. What {@link SseScanner} is compared with.
 */
final class PlainSse {

    private static final Pattern LINE = Pattern.compile("([^\r\n]*)(?:\r\n|\r|\n)");
    private static final Pattern FIRST_KEY_ERROR = Pattern.compile("[ \t\n]*\\{[ \t\n]*\"error\"");
    private static final Pattern TYPE = Pattern.compile("[ \t\n]*\\{[ \t\n]*\"type\"[ \t\n]*:[ \t\n]*\"([^\"]*)\"");

    private PlainSse() {}

    static List<Seen> read(Dialect dialect, String stream) {
        List<Seen> seen = new ArrayList<>();
        String name = "";
        List<String> data = new ArrayList<>();
        Matcher lines = LINE.matcher(stream);
        while (lines.find()) {
            String line = lines.group(1);
            if (lines.start() == 0 && line.startsWith("\u00EF\u00BB\u00BF")) {
                line = line.substring(3);
            }
            if (line.isEmpty()) {
                seen.add(new Seen(kind(dialect, name, data), lines.end()));
                name = "";
                data.clear();
                continue;
            }
            int colon = line.indexOf(':');
            String field = colon < 0 ? line : line.substring(0, colon);
            String value = colon < 0 ? "" : line.substring(colon + 1);
            value = value.startsWith(" ") ? value.substring(1) : value;
            if (field.equals("event")) {
                name = value;
            } else if (field.equals("data")) {
                data.add(value);
            }
        }
        return seen;
    }

    private static Event kind(Dialect dialect, String name, List<String> lines) {
        String data = String.join("\n", lines);
        Matcher typed = TYPE.matcher(data);
        String type = typed.lookingAt() ? typed.group(1) : "";
        if (lines.isEmpty()) {
            return Event.COMMENT;
        } else if (name.equals("error")) {
            return Event.ERROR;
        } else if (data.isEmpty()) {
            return Event.COMMENT;
        } else if (type.equals("error") || FIRST_KEY_ERROR.matcher(data).lookingAt()) {
            return Event.ERROR;
        } else if (data.matches("\\[DONE] *")) {
            return Event.END;
        }
        return meaning(dialect, name.isEmpty() ? type : name);
    }

    private static Event meaning(Dialect dialect, String word) {
        boolean ends = switch (dialect) {
            case OPENAI -> false;
            case RESPONSES -> word.matches("response\\.(completed|failed|incomplete|cancelled)");
            case ANTHROPIC -> word.equals("message_stop");
        };
        if (ends) {
            return Event.END;
        }
        boolean before = word.matches("response\\.(created|queued|in_progress)")
                || (dialect == Dialect.ANTHROPIC && word.equals("ping"));
        return before ? Event.PREAMBLE : Event.OUTPUT;
    }
}
