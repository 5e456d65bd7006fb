package io.penstock.sim;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** A recorded exchange with a real vLLM, as text of one char per byte, so that nothing is lost. */
record Capture(String request, String response) {

    static Capture read(String name) throws IOException {
        try (InputStream in = Capture.class.getResourceAsStream("/vllm-observed/" + name)) {
            String all = new String(Objects.requireNonNull(in, name).readAllBytes(), StandardCharsets.ISO_8859_1);
            int mark = all.indexOf("=== RESPONSE");
            if (mark < 0) {
                return new Capture("", all);
            }
            String request = all.substring(0, mark);
            // A body without a line end of its own got one before the mark.
            boolean separated = request.endsWith("\n") && !request.endsWith("\r\n") && !request.endsWith("\n\n");
            return new Capture(
                    separated ? request.substring(0, request.length() - 1) : request,
                    all.substring(all.indexOf('\n', mark) + 1));
        }
    }

    /**
     * What must be equal between the real thing and the simulator: everything but times, ids, texts, counts and sizes.
     * Neighbors that become equal are one, since the number of tokens per event is a matter of timing.
     */
    static String shape(String wire) {
        String masked = wire.replaceAll("date: [^\r]*GMT", "date: D")
                .replaceAll("content-length: [1-9]\\d*", "content-length: N")
                .replaceAll("x-request-id: [0-9a-f]+\r\n", "")
                .replaceAll("\r\n[0-9a-f]{1,4}\r\n(data|event)", "\r\nSIZE\r\n$1")
                .replaceAll("(chatcmpl|cmpl|resp|msg|modelperm)([-_])[0-9a-f]{16}", "$1$2ID")
                .replaceAll("\"(created|created_at)\": ?\\d+", "\"$1\":T")
                .replaceAll("vllm-0.32.0-[0-9a-f]{8}", "vllm-0.32.0-HASH")
                .replaceAll("\"(content|text|delta|prompt)\":\"(?:[^\"\\\\]|\\\\.)+\"", "\"$1\":\"TEXT\"")
                .replaceAll(
                        "\"(prompt_tokens|total_tokens|input_tokens|original_input_tokens|count)\":\\d+", "\"$1\":N")
                .replaceAll("\"sequence_number\":\\d+", "\"sequence_number\":N")
                .replaceAll("\"completion_tokens\":[1-9]\\d*", "\"completion_tokens\":N")
                .replaceAll("\"tokens\":\\[[\\d,]+]", "\"tokens\":[N]")
                .replaceAll("\"root\":\"[^\"]*\"", "\"root\":\"R\"");
        List<String> parts = new ArrayList<>();
        for (String part : masked.split("(?=\r\nSIZE)", -1)) {
            if (parts.isEmpty() || !parts.get(parts.size() - 1).equals(part)) {
                parts.add(part);
            }
        }
        return String.join("", parts);
    }

    /** Whether the answer must be followed by the end of the connection. */
    boolean endsConnection() {
        return response.contains("connection: close");
    }
}
