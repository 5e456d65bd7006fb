package io.penstock.sim;

import java.util.ArrayList;
import java.util.List;

/** {@code POST /v1/messages}, the Anthropic API. */
final class MessagesShape implements Shape {

    /** vLLM turns its own chat stream into this API, and trips over the error event; captured word for word. */
    private static final String TRIPPED;

    static {
        String input =
                "  Field required [type=missing, input_value={'error': {'message': 'En...am': None, 'code': 500}},"
                        + " input_type=dict]\n    For further information visit https://errors.pydantic.dev/2.14/v/missing";
        TRIPPED = "2 validation errors for ChatCompletionStreamResponse\nmodel\n" + input + "\nchoices\n" + input;
    }

    private final Draft draft;

    MessagesShape(Draft draft) {
        this.draft = draft;
    }

    @Override
    public List<String> opening() {
        return List.of(
                typed(
                        "message_start",
                        ",\"message\":{\"id\":" + Shape.quoted(draft.id())
                                + ",\"type\":\"message\",\"role\":\"assistant\",\"content\":[],\"model\":"
                                + Shape.quoted(draft.model())
                                + ",\"stop_reason\":null,\"stop_sequence\":null,\"usage\":"
                                + usage(0) + "}"),
                typed("content_block_start", ",\"content_block\":{\"type\":\"text\",\"text\":\"\"},\"index\":0"));
    }

    @Override
    public String token(int index) {
        return typed(
                "content_block_delta",
                ",\"delta\":{\"type\":\"text_delta\",\"text\":"
                        + Shape.quoted(draft.completion().tokens().get(index)) + "},\"index\":0");
    }

    @Override
    public List<String> closing() {
        List<String> events = new ArrayList<>();
        events.add(typed("content_block_stop", ",\"index\":0"));
        events.add(typed(
                "message_delta",
                ",\"delta\":{\"stop_reason\":\"" + stopReason() + "\",\"stop_sequence\":"
                        + Shape.stopReason(draft.completion()) + "},\"usage\":"
                        + usage(draft.completion().size())));
        events.add(typed("message_stop", ""));
        return events;
    }

    @Override
    public String whole() {
        String stop = draft.completion().stop();
        return "{\"id\":" + Shape.quoted(draft.id())
                + ",\"type\":\"message\",\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":"
                + Shape.quoted(draft.completion().text()) + "}],\"model\":" + Shape.quoted(draft.model())
                + ",\"stop_reason\":\"" + stopReason() + "\""
                + (stop == null ? "" : ",\"stop_sequence\":" + Shape.quoted(stop)) + ",\"usage\":"
                + usage(draft.completion().size()) + "}";
    }

    @Override
    public List<String> overload() {
        return death();
    }

    @Override
    public List<String> death() {
        return List.of(
                typed("error", ",\"error\":{\"type\":\"internal_error\",\"message\":" + Shape.quoted(TRIPPED) + "}"));
    }

    private String stopReason() {
        return draft.completion().stop() == null ? "max_tokens" : "stop_sequence";
    }

    private String usage(int made) {
        return "{\"input_tokens\":" + draft.promptTokens() + ",\"output_tokens\":" + made + "}";
    }

    private static String typed(String type, String rest) {
        return Shape.event(type, "{\"type\":\"" + type + "\"" + rest + "}");
    }
}
