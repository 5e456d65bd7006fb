package io.penstock.faults;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The four APIs, as their own clients read them. */
enum Api {
    CHAT("/v1/chat/completions"),
    COMPLETIONS("/v1/completions"),
    RESPONSES("/v1/responses"),
    MESSAGES("/v1/messages");

    final String path;

    Api(String path) {
        this.path = path;
    }

    /** One after the other. */
    static Api inTurn(int number) {
        List<Api> all = List.of(values());
        return all.get(Math.floorMod(number, all.size()));
    }

    /** A request that asks for exactly so many tokens. The id is carried where the API has a place for it. */
    String body(Question question) {
        JsonObject body = new JsonObject().put("model", "demo");
        if (question.stream()) {
            body.put("stream", true);
        }
        JsonArray turns =
                new JsonArray().add(new JsonObject().put("role", "user").put("content", question.prompt()));
        switch (this) {
            case CHAT -> body.put("max_tokens", question.tokens()).put("messages", turns);
            case COMPLETIONS -> body.put("max_tokens", question.tokens()).put("prompt", question.prompt());
            case RESPONSES -> body.put("max_output_tokens", question.tokens()).put("input", question.prompt());
            case MESSAGES -> body.put("max_tokens", question.tokens()).put("messages", turns);
        }
        if (this == MESSAGES) {
            return body.put("metadata", new JsonObject().put("user_id", question.id()))
                    .encode();
        }
        return body.put("user", question.id()).encode();
    }

    /** The text of an answer that is no stream; null if it has none. */
    @Nullable
    String text(JsonObject whole) {
        return switch (this) {
            case CHAT -> string(first(whole, "choices"), "message", "content");
            case COMPLETIONS -> string(first(whole, "choices"), "text");
            case RESPONSES -> string(first(first(whole, "output"), "content"), "text");
            case MESSAGES -> string(first(whole, "content"), "text");
        };
    }

    /** The piece of text that an event carries; empty if it carries none. */
    String piece(JsonObject event) {
        String piece = switch (this) {
            case CHAT -> string(first(event, "choices"), "delta", "content");
            case COMPLETIONS -> string(first(event, "choices"), "text");
            case RESPONSES ->
                "response.output_text.delta".equals(event.getString("type")) ? event.getString("delta") : "";
            case MESSAGES ->
                "content_block_delta".equals(event.getString("type")) ? string(event, "delta", "text") : "";
        };
        return piece == null ? "" : piece;
    }

    /** Whether an event is an error. */
    boolean isError(JsonObject event) {
        return switch (this) {
            case CHAT, COMPLETIONS -> event.containsKey("error");
            case RESPONSES, MESSAGES ->
                event.getValue("error") instanceof JsonObject
                        || "error".equals(event.getString("type"))
                        || "response.failed".equals(event.getString("type"));
        };
    }

    /** Whether an error event has the form that this API documents. */
    boolean isErrorEvent(JsonObject event) {
        return switch (this) {
            case CHAT, COMPLETIONS -> string(event, "error", "message") != null;
            case RESPONSES ->
                "response.failed".equals(event.getString("type"))
                        || ("error".equals(event.getString("type")) && event.getString("message") != null);
            case MESSAGES -> "error".equals(event.getString("type")) && string(event, "error", "message") != null;
        };
    }

    /** Whether an event ends a stream. {@code [DONE]} is no JSON and not asked about here. */
    boolean isEnd(JsonObject event) {
        String type = event.getString("type");
        return switch (this) {
            case CHAT, COMPLETIONS -> false;
            case RESPONSES -> "response.completed".equals(type) || "response.incomplete".equals(type);
            case MESSAGES -> "message_stop".equals(type);
        };
    }

    /** Whether an event shows that the model has begun to write. */
    boolean isOutput(JsonObject event) {
        String type = event.getString("type");
        return !isError(event)
                && !"response.created".equals(type)
                && !"response.in_progress".equals(type)
                && !"response.queued".equals(type);
    }

    /** Whether {@code [DONE]} ends a stream here. */
    boolean endsWithDone() {
        return this == CHAT || this == COMPLETIONS;
    }

    /** Whether an error body has the form that this API's clients can read. */
    boolean isErrorBody(JsonObject body) {
        if (!(body.getValue("error") instanceof JsonObject error) || error.getString("message") == null) {
            return false;
        }
        return this != MESSAGES || "error".equals(body.getString("type"));
    }

    private static JsonObject first(JsonObject from, String list) {
        return from.getValue(list) instanceof JsonArray several
                        && !several.isEmpty()
                        && several.getValue(0) instanceof JsonObject object
                ? object
                : new JsonObject();
    }

    private static @Nullable String string(JsonObject from, String... path) {
        Object at = from;
        for (String step : path) {
            at = at instanceof JsonObject object ? object.getValue(step) : null;
        }
        return at instanceof String text ? text : null;
    }
}
