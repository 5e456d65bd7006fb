package io.penstock.proxy;

import io.penstock.proxy.ApiTable.Dialect;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;

/** How an error is written: as a body, and as an event of a stream, in the words of the API that was called. */
final class ErrorShape {

    private ErrorShape() {}

    /**
     * The JSON body of an error response.
     *
     * @param dialect the API that was called
     * @param status the HTTP status
     * @param code the failure's code
     * @param message what happened and what can be done
     * @return the body
     */
    static Buffer body(Dialect dialect, int status, String code, String message) {
        JsonObject error = dialect == Dialect.ANTHROPIC ? anthropic(status, message) : openAi(status, code, message);
        return error.toBuffer();
    }

    /**
     * The error as the last event of a stream. It is never followed by {@code [DONE]}.
     *
     * @param dialect the API that was called
     * @param status the HTTP status it would have had
     * @param code the failure's code
     * @param message what happened and what can be done
     * @return one whole event
     */
    static Buffer event(Dialect dialect, int status, String code, String message) {
        return switch (dialect) {
            case OPENAI ->
                Buffer.buffer("data: " + openAi(status, code, message).encode() + "\n\n");
            case ANTHROPIC ->
                Buffer.buffer(
                        "event: error\ndata: " + anthropic(status, message).encode() + "\n\n");
            case RESPONSES ->
                Buffer.buffer("event: error\ndata: "
                        + new JsonObject()
                                .put("type", "error")
                                .put("code", code)
                                .put("message", message)
                                .putNull("param")
                                .encode()
                        + "\n\n");
        };
    }

    /**
     * A replica's answer that came after a heartbeat had promised a stream: its own words, as the stream's last event.
     *
     * @param dialect the API that was called
     * @param status the status the answer had
     * @param answer its body
     * @param replica who said it
     * @return one whole event
     */
    static Buffer lateAnswer(Dialect dialect, int status, Buffer answer, String replica) {
        String words = answer.toString();
        boolean oneLineOfJson = words.startsWith("{")
                && words.endsWith("}") // It may have been cut for its length.
                && words.indexOf('\n') < 0
                && words.indexOf('\r') < 0;
        if (!oneLineOfJson) {
            return event(dialect, status, "upstream_error", "replica " + replica + " answered with status " + status);
        }
        return Buffer.buffer(dialect == Dialect.OPENAI ? "data: " : "event: error\ndata: ")
                .appendString(words)
                .appendString("\n\n");
    }

    private static JsonObject openAi(int status, String code, String message) {
        return new JsonObject()
                .put(
                        "error",
                        new JsonObject()
                                .put("message", message)
                                .put("type", openAiType(status))
                                .putNull("param")
                                .put("code", code));
    }

    private static String openAiType(int status) {
        return switch (status) {
            case 401 -> "authentication_error";
            case 403 -> "permission_error";
            case 404 -> "not_found_error";
            case 429 -> "rate_limit_error";
            default -> status < 500 ? "invalid_request_error" : "server_error";
        };
    }

    private static JsonObject anthropic(int status, String message) {
        String type = switch (status) {
            case 401 -> "authentication_error";
            case 403 -> "permission_error";
            case 404 -> "not_found_error";
            case 413 -> "request_too_large";
            case 429 -> "rate_limit_error";
            case 503 -> "overloaded_error";
            default -> status < 500 ? "invalid_request_error" : "api_error";
        };
        return new JsonObject()
                .put("type", "error")
                .put("error", new JsonObject().put("type", type).put("message", message));
    }
}
