package io.penstock;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** A receipt for people, as it comes from the admin port; no line is longer than 80 characters but for odd names. */
final class ReceiptText {

    private static final String MARGIN = "   ";
    private static final String CHOSEN = " * ";

    private final JsonObject receipt;

    /** A view of what the admin port said. */
    ReceiptText(JsonObject receipt) {
        this.receipt = receipt;
    }

    /** All lines, without line ends. */
    List<String> lines() {
        List<String> lines = new ArrayList<>();
        head(lines);
        List<JsonObject> decisions = objects(receipt.getJsonArray("decisions"));
        int more = receipt.getInteger("moreDecisions", 0);
        for (int i = 0; i < decisions.size(); i++) {
            if (i == 1 && more > 0) {
                lines.add("(" + more + " more decisions)");
            }
            int number = i == 0 ? 1 : i + 1 + more;
            decision(lines, number, decisions.get(i));
        }
        if (decisions.isEmpty()) {
            lines.add("no replica was chosen" + (receipt.getString("result") == null ? " yet: it waits" : ""));
        }
        attempts(lines);
        return lines;
    }

    /** The latest requests, a line each, as {@code GET /explain} lists them; without line ends. */
    static List<String> list(JsonObject listing) {
        List<JsonObject> receipts = objects(listing.getJsonArray("receipts"));
        if (receipts.isEmpty()) {
            return List.of("no inference request was seen yet");
        }
        Columns columns = new Columns("REQUEST", "AGE", "REPLICA", "RESULT", "FIRST OUTPUT");
        for (JsonObject each : receipts) {
            Double first = each.getDouble("firstOutputMillis");
            String result = each.getString("result");
            columns.row(
                    plain(each.getString("requestId")),
                    seconds(each.getDouble("ageSeconds", 0.0) * 1000),
                    each.getString("replica") == null ? "-" : plain(each.getString("replica")),
                    result == null ? "not over" : plain(result),
                    first == null ? "-" : millis(first));
        }
        return columns.lines("");
    }

    private void head(List<String> lines) {
        lines.add("request  " + plain(receipt.getString("requestId")) + ", "
                + seconds(receipt.getDouble("ageSeconds", 0.0) * 1000) + " ago");
        int older = receipt.getInteger("older", 0);
        if (older > 0) {
            lines.add("         the newest of " + (older + 1) + " requests with this id");
        }
        lines.add("route    " + plain(receipt.getString("route"))
                + (receipt.getBoolean("stream", false) ? ", streamed" : ""));
        if (receipt.getString("model") != null) {
            lines.add("model    " + plain(receipt.getString("model")));
        }
        int tokens = receipt.getInteger("promptTokens", 0);
        String length = "about " + tokens + " tokens, " + receipt.getInteger("promptPieces", 0) + " pieces";
        lines.add("prompt   " + (tokens == 0 ? "not read" : length) + ", caller " + caller());
        String result = receipt.getString("result");
        lines.add("result   "
                + (result == null ? "not over yet" : plain(result) + ", status " + receipt.getInteger("status")));
        lines.add("times    waited " + millis(receipt.getDouble("queueMillis")) + ", first output after "
                + millis(receipt.getDouble("firstOutputMillis")) + ", over after "
                + millis(receipt.getDouble("totalMillis")));
        lines.add("policy   " + plain(receipt.getString("policy")));
    }

    private String caller() {
        String caller = receipt.getString("caller", "");
        return caller.isEmpty() ? "unknown" : plain(caller);
    }

    private static void decision(List<String> lines, int number, JsonObject decision) {
        lines.add(number + ". " + plain(decision.getString("replica")) + ": " + plain(decision.getString("why")));
        Double lane = decision.getDouble("laneMillis");
        lines.add(MARGIN + "chosen " + millis(decision.getDouble("chosenAfterMillis")) + " after the arrival"
                + (lane != null && lane > 0 ? ", " + millis(lane) + " in a lane" : ""));
        if (decision.getDouble("predictedMillis") != null) {
            Double late = decision.getDouble("lateMillis");
            lines.add(MARGIN + "first output predicted after " + millis(decision.getDouble("predictedMillis"))
                    + (late == null
                            ? ""
                            : ", came after " + millis(decision.getDouble("firstOutputMillis")) + " ("
                                    + millis(Math.abs(late)) + (late < 0 ? " early)" : " late)")));
        }
        lines.addAll(candidates(objects(decision.getJsonArray("candidates"))));
        int others = decision.getInteger("others", 0);
        if (others > 0) {
            lines.add(MARGIN + "and " + others + " more");
        }
    }

    private static List<String> candidates(List<JsonObject> candidates) {
        boolean predicted = candidates.stream().anyMatch(each -> each.getDouble("costMillis") != null);
        Columns columns = predicted
                ? new Columns(
                        "REPLICA", "HELD", "SEEN", "TOREAD", "QUEUE", "READ", "STEP", "SILENT", "ANSWER", "OTHERS",
                        "COST")
                : new Columns("REPLICA", "HELD");
        for (JsonObject each : candidates) {
            String name = plain(each.getString("replica"));
            String held = String.valueOf(each.getInteger("held", 0));
            if (!predicted) {
                columns.row(name, held);
            } else if (each.getDouble("costMillis") == null) {
                // It held far more than the others, so nothing was predicted.
                columns.row(name, held, "-", "-", "-", "-", "-", "-", "-", "-", "full");
            } else {
                columns.row(
                        name,
                        held,
                        String.valueOf(each.getInteger("matchedPieces")),
                        String.valueOf(each.getLong("uncachedTokens")),
                        number(each.getDouble("queueMillis")),
                        number(each.getDouble("readMillis")),
                        number(each.getDouble("stepMillis")),
                        number(each.getDouble("silenceMillis")),
                        number(each.getDouble("answerMillis")),
                        number(each.getDouble("disturbanceMillis")),
                        number(each.getDouble("costMillis")));
            }
        }
        List<String> lines = columns.lines(MARGIN);
        for (int i = 0; i < candidates.size(); i++) {
            if (candidates.get(i).getBoolean("chosen", false)) {
                lines.set(i + 1, CHOSEN + lines.get(i + 1).substring(MARGIN.length()));
            }
        }
        return lines;
    }

    private void attempts(List<String> lines) {
        for (JsonObject attempt : objects(receipt.getJsonArray("attempts"))) {
            lines.add("attempt at " + plain(attempt.getString("replica")) + ": " + plain(attempt.getString("reason"))
                    + ", over after " + millis(attempt.getDouble("totalMillis")));
        }
    }

    private static String millis(@Nullable Double millis) {
        if (millis == null) {
            return "(not yet)";
        }
        return millis < 10_000 ? number(millis) + " ms" : seconds(millis);
    }

    private static String seconds(double millis) {
        return String.format(Locale.ROOT, "%.1f s", millis / 1000);
    }

    /** Milliseconds, with as many digits as are worth reading. */
    private static String number(double millis) {
        return String.format(Locale.ROOT, millis != 0 && millis < 10 ? "%.1f" : "%.0f", millis);
    }

    private static List<JsonObject> objects(@Nullable JsonArray array) {
        List<JsonObject> objects = new ArrayList<>();
        for (int i = 0; array != null && i < array.size(); i++) {
            objects.add(array.getJsonObject(i));
        }
        return objects;
    }

    /** Models are the caller's words, and what a caller says must not move the cursor. */
    private static String plain(@Nullable String text) {
        return text == null ? "?" : text.replaceAll("\\p{Cntrl}", " ");
    }
}
