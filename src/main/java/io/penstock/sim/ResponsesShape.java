package io.penstock.sim;

import java.util.List;

/** {@code POST /v1/responses}. */
final class ResponsesShape implements Shape {

    private final Draft draft;
    private int sequence;
    private int cachedTokens;

    ResponsesShape(Draft draft) {
        this.draft = draft;
    }

    @Override
    public List<String> accepted() {
        String running = response("in_progress", "null", "", "null");
        return List.of(
                numbered("response.created", "\"response\":" + running),
                numbered("response.in_progress", "\"response\":" + running));
    }

    @Override
    public void cached(int tokens) {
        cachedTokens = tokens;
    }

    @Override
    public List<String> opening() {
        return List.of(
                numbered(
                        "response.output_item.added",
                        "\"item\":{\"id\":" + Shape.quoted(draft.messageId())
                                + ",\"content\":[],\"role\":\"assistant\",\"status\":\"in_progress\","
                                + "\"type\":\"message\",\"phase\":null},\"output_index\":0"),
                numbered(
                        "response.content_part.added",
                        "\"content_index\":0," + item() + ",\"output_index\":0,\"part\":" + part("", "[]")));
    }

    @Override
    public String token(int index) {
        return numbered(
                "response.output_text.delta",
                "\"content_index\":0,\"delta\":"
                        + Shape.quoted(draft.completion().tokens().get(index)) + "," + item()
                        + ",\"logprobs\":[],\"output_index\":0");
    }

    @Override
    public List<String> closing() {
        String text = draft.completion().text();
        String type = "response.output_text.done";
        return List.of(
                // The only event whose text stands behind its sequence number.
                Shape.event(
                        type,
                        "{\"content_index\":0," + item() + ",\"logprobs\":[],\"output_index\":0,\"sequence_number\":"
                                + sequence++ + ",\"text\":" + Shape.quoted(text) + ",\"type\":\"" + type + "\"}"),
                numbered(
                        "response.content_part.done",
                        "\"content_index\":0," + item() + ",\"output_index\":0,\"part\":" + part(text, "null")),
                numbered("response.output_item.done", "\"item\":" + message() + ",\"output_index\":0"),
                numbered("response.completed", "\"response\":" + whole()));
    }

    @Override
    public String whole() {
        boolean cut = draft.completion().stop() == null;
        return response(
                cut ? "incomplete" : "completed",
                cut ? "{\"reason\":\"max_output_tokens\"}" : "null",
                message(),
                "{\"input_tokens\":" + draft.promptTokens()
                        + ",\"input_tokens_details\":{\"cached_tokens\":" + cachedTokens
                        + ",\"cache_write_tokens\":0,"
                        + "\"input_tokens_per_turn\":[],\"cached_tokens_per_turn\":[]},\"output_tokens\":"
                        + draft.completion().size()
                        + ",\"output_tokens_details\":{\"reasoning_tokens\":0,\"tool_output_tokens\":0,"
                        + "\"output_tokens_per_turn\":[],\"tool_output_tokens_per_turn\":[]},\"total_tokens\":"
                        + (draft.promptTokens() + draft.completion().size()) + "}");
    }

    @Override
    public List<String> overload() {
        return List.of();
    }

    @Override
    public List<String> death() {
        return List.of();
    }

    /** Here a dead engine shows as an end of the connection, with no event and no last chunk. */
    @Override
    public boolean diesCleanly() {
        return false;
    }

    private String response(String status, String incomplete, String output, String usage) {
        return "{\"id\":" + Shape.quoted(draft.id()) + ",\"created_at\":" + draft.created()
                + ",\"incomplete_details\":" + incomplete + ",\"instructions\":null,\"metadata\":null,\"model\":"
                + Shape.quoted(draft.model()) + ",\"object\":\"response\",\"output\":[" + output
                + "],\"parallel_tool_calls\":true,\"temperature\":" + draft.number("temperature", 1)
                + ",\"tool_choice\":\"none\",\"tools\":[],\"top_p\":" + draft.number("top_p", 1)
                + ",\"background\":false,\"max_output_tokens\":"
                + draft.maxTokens()
                + ",\"max_tool_calls\":null,\"previous_response_id\":null,\"prompt\":null,\"reasoning\":null,"
                + "\"service_tier\":\"auto\",\"status\":\"" + status
                + "\",\"text\":null,\"top_logprobs\":null,\"truncation\":\"disabled\",\"usage\":" + usage
                + ",\"user\":null,\"presence_penalty\":0.0,\"frequency_penalty\":0.0,\"kv_transfer_params\":null,"
                + "\"ec_transfer_params\":null,\"input_messages\":null,\"output_messages\":null}";
    }

    private String message() {
        return "{\"id\":" + Shape.quoted(draft.messageId()) + ",\"content\":["
                + part(draft.completion().text(), "null")
                + "],\"role\":\"assistant\",\"status\":\"completed\",\"type\":\"message\",\"phase\":null}";
    }

    private String item() {
        return "\"item_id\":" + Shape.quoted(draft.messageId());
    }

    private static String part(String text, String logprobs) {
        return "{\"annotations\":[],\"text\":" + Shape.quoted(text) + ",\"type\":\"output_text\",\"logprobs\":"
                + logprobs + "}";
    }

    private String numbered(String type, String fields) {
        return Shape.event(type, "{" + fields + ",\"sequence_number\":" + sequence++ + ",\"type\":\"" + type + "\"}");
    }
}
