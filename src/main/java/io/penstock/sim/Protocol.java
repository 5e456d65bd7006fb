package io.penstock.sim;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The four APIs that generate text. */
enum Protocol {
    CHAT("messages", "chatcmpl-"),
    COMPLETIONS("prompt", "cmpl-"),
    RESPONSES("input", "resp_"),
    MESSAGES("messages", "chatcmpl-");

    private final String promptField;
    private final String idPrefix;

    Protocol(String promptField, String idPrefix) {
        this.promptField = promptField;
        this.idPrefix = idPrefix;
    }

    String promptField() {
        return promptField;
    }

    String idPrefix() {
        return idPrefix;
    }

    List<String> limitFields() {
        return switch (this) {
            case CHAT -> List.of("max_completion_tokens", "max_tokens");
            case COMPLETIONS, MESSAGES -> List.of("max_tokens");
            case RESPONSES -> List.of("max_output_tokens");
        };
    }

    /** Whether the client's request id becomes the answer's id. */
    boolean takesRequestId() {
        return this == CHAT || this == COMPLETIONS;
    }

    Shape shape(Draft draft) {
        return switch (this) {
            case CHAT -> new ChatShape(draft);
            case COMPLETIONS -> new CompletionsShape(draft);
            case RESPONSES -> new ResponsesShape(draft);
            case MESSAGES -> new MessagesShape(draft);
        };
    }

    Answer error(int status, String type, String message, String param) {
        return Answer.json(
                status,
                this == MESSAGES
                        ? "{\"type\":\"error\",\"error\":{\"type\":" + Shape.quoted(type) + ",\"message\":"
                                + Shape.quoted(message) + "}}"
                        : Answer.error(status, type, message, param));
    }

    /** The text that the model is given, or the empty string if there is nothing of the kind. */
    String prompt(JsonObject body) {
        Object prompt = body.getValue(promptField);
        String text = prompt instanceof JsonArray turns && this != COMPLETIONS ? conversation(turns) : text(prompt);
        String before = text(body.getValue(this == MESSAGES ? "system" : "instructions"));
        return before.isEmpty() ? text : before + "\n" + text;
    }

    private static String conversation(JsonArray turns) {
        StringBuilder rendered = new StringBuilder();
        for (Object turn : turns) {
            if (turn instanceof JsonObject message) {
                rendered.append("<|im_start|>").append(message.getValue("role")).append('\n');
                rendered.append(text(message.getValue("content"))).append("<|im_end|>\n");
            }
        }
        return rendered.append("<|im_start|>assistant\n").toString();
    }

    /** The text in a string, or in a list of strings, token ids and text parts. */
    private static String text(@Nullable Object value) {
        if (value instanceof String string) {
            return string;
        }
        if (value instanceof JsonObject part) {
            return text(part.getValue("text"));
        }
        if (value instanceof JsonArray parts) {
            StringBuilder text = new StringBuilder();
            for (Object part : parts) {
                text.append(part instanceof Number ? part + " " : text(part));
            }
            return text.toString();
        }
        return "";
    }
}
