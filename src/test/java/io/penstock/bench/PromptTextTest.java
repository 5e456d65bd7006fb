package io.penstock.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.json.JsonObject;
import java.util.List;
import org.junit.jupiter.api.Test;

class PromptTextTest {

    private final List<BenchCall> calls = Cell.named("shared").workload().first(1, 7);

    @Test
    void aTokenIsAShortWordAndItsBlank() {
        BenchCall call = calls.get(0);

        String text = PromptText.text(call, 1);

        assertThat(text).hasSize(4 * call.promptTokens()).matches("([a-z]{3} )+");
        JsonObject body = PromptText.body(call, 1).toJsonObject();
        assertThat(body.getJsonArray("messages").getJsonObject(0).getString("content"))
                .isEqualTo(text);
        assertThat(body.getInteger("max_tokens")).isEqualTo(call.outputTokens());
    }

    @Test
    void whatSharesPiecesSharesText() {
        BenchCall again = Cell.named("shared").workload().first(1, 8).get(0);

        // 93 whole pieces of 64 tokens lie in 6000.
        assertThat(shared(PromptText.text(calls.get(0), 1), PromptText.text(again, 1)))
                .isBetween(93 * 256, 94 * 256);
    }

    @Test
    void otherGroupsAndOtherSaltsShareNothing() {
        String text = PromptText.text(calls.get(0), 1);

        assertThat(shared(text, PromptText.text(calls.get(1), 1))).isLessThan(256);
        assertThat(shared(text, PromptText.text(calls.get(0), 2))).isLessThan(256);
    }

    private static int shared(String some, String other) {
        int length = 0;
        while (length < Math.min(some.length(), other.length()) && some.charAt(length) == other.charAt(length)) {
            length++;
        }
        return length;
    }
}
