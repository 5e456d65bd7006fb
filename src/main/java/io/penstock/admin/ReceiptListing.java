package io.penstock.admin;

import io.penstock.proxy.AttemptReport;
import io.penstock.proxy.Decision;
import io.penstock.proxy.Receipt;
import io.penstock.proxy.Receipts;
import io.penstock.upstream.Choice;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What {@code GET /explain} says, and what {@code penstock explain} reads. Times are milliseconds, null for what has not
 * happened. Keys are only ever added.
 */
final class ReceiptListing {

    /** What to tell whoever asks for an id that is not there. */
    static final String NONE = "no receipt with this id: only the newest " + Receipts.REMEMBERED
            + " inference requests of this process are remembered, under the X-Request-Id that their answers bear;"
            + " GET /explain lists the latest";

    /** How many {@code GET /explain} lists. */
    static final int LISTED = 50;

    private static final double NANOS_PER_MILLI = 1e6;

    private ReceiptListing() {}

    /** The latest, in short. */
    static JsonObject newest(Receipts receipts, int most) {
        JsonArray listed = new JsonArray();
        for (Receipt receipt : receipts.newest(most)) {
            Decision last = receipt.decisions().isEmpty()
                    ? null
                    : receipt.decisions().get(receipt.decisions().size() - 1);
            listed.add(new JsonObject()
                    .put("requestId", receipt.requestId())
                    .put("ageSeconds", receipts.ageNanos(receipt) / 1e9)
                    .put("model", receipt.model())
                    .put("replica", last == null ? null : last.replica())
                    .put("why", last == null ? null : last.why())
                    .put("result", result(receipt))
                    .put("cause", last == null ? null : word(last.cause()))
                    .put("stream", receipt.stream())
                    .put("firstOutputMillis", millis(receipt.firstOutputNanos()))
                    .put("totalMillis", millis(receipt.totalNanos())));
        }
        return new JsonObject().put("receipts", listed);
    }

    /** All about the newest request with that id; null if there is none. */
    static @Nullable JsonObject of(Receipts receipts, String requestId) {
        List<Receipt> found = receipts.find(requestId);
        if (found.isEmpty()) {
            return null;
        }
        Receipt receipt = found.get(0);
        return new JsonObject()
                .put("requestId", receipt.requestId())
                .put("older", found.size() - 1)
                .put("ageSeconds", receipts.ageNanos(receipt) / 1e9)
                .put("route", receipt.route())
                .put("model", receipt.model())
                .put("stream", receipt.stream())
                .put("caller", receipt.caller())
                .put("promptTokens", receipt.promptTokens())
                .put("promptPieces", receipt.promptPieces())
                .put("policy", word(receipt.policy()))
                .put("result", result(receipt))
                .put("status", receipt.status() == 0 ? null : receipt.status())
                .put("queueMillis", millis(receipt.queueNanos()))
                .put("firstOutputMillis", millis(receipt.firstOutputNanos()))
                .put("totalMillis", millis(receipt.totalNanos()))
                .put("decisions", decisions(receipt))
                .put("moreDecisions", receipt.moreDecisions())
                .put("attempts", attempts(receipt));
    }

    private static JsonArray decisions(Receipt receipt) {
        JsonArray listed = new JsonArray();
        for (Decision decision : receipt.decisions()) {
            Choice choice = decision.choice();
            JsonArray candidates = new JsonArray();
            choice.options().forEach(option -> candidates.add(of(option, decision.replica())));
            listed.add(new JsonObject()
                    .put("replica", decision.replica())
                    .put("why", decision.why())
                    .put("cause", word(decision.cause()))
                    .put("rule", word(choice.reason()))
                    .put("chosenAfterMillis", millis(Math.max(0, decision.chosenNanos())))
                    .put("laneMillis", millis(choice.laneNanos()))
                    .put("predictedMillis", millis(choice.predictedNanos()))
                    .put("firstOutputMillis", millis(decision.firstOutputNanos()))
                    .put("lateMillis", decision.isJudged() ? decision.lateNanos() / NANOS_PER_MILLI : null)
                    .put("candidates", candidates)
                    .put("others", choice.others()));
        }
        return listed;
    }

    private static JsonObject of(Choice.Option option, String chosen) {
        JsonObject json = new JsonObject()
                .put("replica", option.replica())
                .put("chosen", option.replica().equals(chosen))
                .put("held", option.held());
        Choice.Terms terms = option.terms();
        if (terms == null) {
            return json;
        }
        return json.put("matchedPieces", terms.matchedPieces())
                .put("uncachedTokens", terms.uncachedTokens())
                .put("queueMillis", terms.queue())
                .put("readMillis", terms.read())
                .put("stepMillis", terms.step())
                .put("silenceMillis", terms.silence())
                .put("answerMillis", terms.answer())
                .put("disturbanceMillis", terms.disturbance())
                .put("costMillis", terms.cost());
    }

    private static JsonArray attempts(Receipt receipt) {
        JsonArray listed = new JsonArray();
        for (AttemptReport attempt : receipt.attempts()) {
            listed.add(new JsonObject()
                    .put("replica", attempt.replica())
                    .put(
                            "reason",
                            attempt.failure() == null ? "ok" : attempt.failure().code())
                    .put("connectMillis", millis(attempt.connectNanos()))
                    .put("headMillis", millis(attempt.headNanos()))
                    .put("totalMillis", millis(attempt.totalNanos())));
        }
        return listed;
    }

    private static @Nullable String result(Receipt receipt) {
        return receipt.result() == null ? null : word(receipt.result());
    }

    private static String word(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    private static @Nullable Double millis(long nanos) {
        return nanos < 0 ? null : nanos / NANOS_PER_MILLI;
    }
}
