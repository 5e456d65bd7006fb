package io.penstock.sim;

import java.util.ArrayList;
import java.util.List;

/** What chat and plain completions have in common: unnamed events, usage, the error event, {@code [DONE]}. */
abstract class OpenAiShape implements Shape {

    private static final String DONE = Shape.data("[DONE]");

    final Draft draft;
    private final String object;
    private int cachedTokens;

    OpenAiShape(Draft draft, String object) {
        this.draft = draft;
        this.object = object;
    }

    /** One event: what is around the choices. */
    final String chunk(String choices, String rest) {
        return Shape.data("{\"id\":" + Shape.quoted(draft.id()) + ",\"object\":\"" + object + "\",\"created\":"
                + draft.created() + ",\"model\":" + Shape.quoted(draft.model()) + ",\"choices\":[" + choices + "]"
                + rest
                + "}");
    }

    /** What follows the choices in the event of a token. */
    final String afterToken(int index) {
        boolean last = index == draft.completion().size() - 1;
        return running(index + 1) + (last && !draft.includesUsage() ? fingerprint() : "");
    }

    /** The count that each event carries if the client asked for it. */
    final String running(int made) {
        return draft.countsContinuously() ? ",\"usage\":{" + counts(made) + ",\"completion_tokens_details\":null}" : "";
    }

    final String fingerprint() {
        return ",\"system_fingerprint\":" + Shape.quoted(draft.fingerprint());
    }

    /** The counts of a whole answer. */
    final String usage() {
        return "{" + counts(draft.completion().size())
                + ",\"prompt_tokens_details\":"
                + (draft.tellsCachedTokens() ? "{" + cached() + ",\"multimodal_tokens\":null}" : "null")
                + ",\"completion_tokens_details\":null}";
    }

    private String cached() {
        return "\"cached_tokens\":" + cachedTokens + ",\"created_cache_tokens\":0";
    }

    private String counts(int made) {
        return "\"prompt_tokens\":" + draft.promptTokens() + ",\"total_tokens\":" + (draft.promptTokens() + made)
                + ",\"completion_tokens\":" + made;
    }

    @Override
    public final void cached(int tokens) {
        cachedTokens = tokens;
    }

    @Override
    public final List<String> closing() {
        List<String> events = new ArrayList<>();
        if (draft.includesUsage()) {
            String details = draft.tellsCachedTokens() ? ",\"prompt_tokens_details\":{" + cached() + "}" : "";
            events.add(chunk("", ",\"usage\":{" + counts(draft.completion().size()) + details + "}" + fingerprint()));
        }
        events.add(DONE);
        return events;
    }

    @Override
    public final List<String> overload() {
        return List.of(error(Refusal.BUSY, "Service Unavailable", 503), DONE);
    }

    @Override
    public final List<String> death() {
        return List.of(error(Refusal.ENGINE_DEAD, "InternalServerError", 500), DONE);
    }

    /** In a stream, vLLM writes errors with another encoder than its other events: with spaces. */
    private static String error(String message, String type, int code) {
        return Shape.data("{\"error\": {\"message\": " + Shape.quoted(message) + ", \"type\": \"" + type
                + "\", \"param\": null, \"code\": " + code + "}}");
    }
}
