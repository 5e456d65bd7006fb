package io.penstock.sim;

import io.netty.handler.codec.http.HttpResponseStatus;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.Json;
import java.util.ArrayList;
import java.util.List;

/**
 * One whole answer: the header lines that follow {@code date} and {@code server}, in the order that vLLM sends them,
 * and the body.
 */
record Answer(int status, List<String> fields, Buffer body) {

    /** What every answer of vLLM's own handlers carries, and those of the layers around them do not. */
    static final String VARY = "vary: Origin";

    static Answer json(int status, String body) {
        return json(status, body, List.of(VARY));
    }

    /** For answers that vLLM gives outside of the layer that adds {@code vary}. */
    static Answer bareJson(int status, String body) {
        return json(status, body, List.of());
    }

    static Answer empty(int status) {
        return new Answer(status, List.of("content-length: 0", VARY), Buffer.buffer());
    }

    static Answer text(int status, String type, String body) {
        Buffer bytes = Buffer.buffer(body);
        return new Answer(status, List.of("content-length: " + bytes.length(), "content-type: " + type, VARY), bytes);
    }

    static Answer notFound() {
        return json(404, "{\"detail\":\"Not Found\"}");
    }

    static Answer wrongMethod(String allowed) {
        return json(405, "{\"detail\":\"Method Not Allowed\"}").before("allow: " + allowed);
    }

    static Answer redirect(String location) {
        return new Answer(307, List.of("content-length: 0", "location: " + location, VARY), Buffer.buffer());
    }

    /** What uvicorn itself says to bytes that are no HTTP; it always closes afterwards. */
    static Answer notHttp() {
        Buffer bytes = Buffer.buffer("Invalid HTTP request received.");
        return new Answer(
                400, List.of("content-type: text/plain; charset=utf-8", "content-length: " + bytes.length()), bytes);
    }

    /** The answer to a pre-flight request of a server that allows no origin. */
    static Answer disallowedOrigin() {
        Buffer bytes = Buffer.buffer("Disallowed CORS origin");
        return new Answer(
                400,
                List.of(
                        "vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers,"
                                + " Access-Control-Request-Private-Network",
                        "access-control-allow-methods: DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT, QUERY",
                        "access-control-max-age: 600",
                        "content-length: " + bytes.length(),
                        "content-type: text/plain; charset=utf-8"),
                bytes);
    }

    /** An error of the OpenAI shape. */
    static String error(int status, String type, String message, String param) {
        return "{\"error\":{\"message\":" + Json.encode(message) + ",\"type\":" + Json.encode(type) + ",\"param\":"
                + param + ",\"code\":" + status + "}}";
    }

    /** The same answer with one more header line before its others. */
    Answer before(String field) {
        List<String> changed = new ArrayList<>();
        changed.add(field);
        changed.addAll(fields);
        return new Answer(status, changed, body);
    }

    /** The head's bytes. */
    static Buffer head(int status, String date, List<String> fields, boolean closes, String last) {
        StringBuilder text =
                new StringBuilder(256).append("HTTP/1.1 ").append(status).append(' ');
        text.append(HttpResponseStatus.valueOf(status).reasonPhrase()).append("\r\n");
        text.append("date: ").append(date).append("\r\nserver: uvicorn\r\n");
        for (String field : fields) {
            text.append(field).append("\r\n");
        }
        if (closes) {
            text.append("connection: close\r\n");
        }
        return Buffer.buffer(text.append(last).append("\r\n").toString(), "ISO-8859-1");
    }

    private static Answer json(int status, String body, List<String> rest) {
        Buffer bytes = Buffer.buffer(body);
        List<String> fields = new ArrayList<>();
        fields.add("content-length: " + bytes.length());
        fields.add("content-type: application/json");
        fields.addAll(rest);
        return new Answer(status, fields, bytes);
    }
}
