package io.penstock.proxy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Objects;

/** The events that a real vLLM sent, out of the chunks of a captured answer. */
final class CapturedStream {

    private CapturedStream() {}

    /** The bytes of a captured stream. What stands before the first whole chunk is cut off. */
    static byte[] read(String file) throws IOException {
        String all;
        try (InputStream in = CapturedStream.class.getResourceAsStream("/vllm-observed/" + file)) {
            all = new String(Objects.requireNonNull(in, file).readAllBytes(), StandardCharsets.ISO_8859_1);
        }
        int answer = all.indexOf("=== RESPONSE");
        int at = all.indexOf("\r\n", answer + 1);
        StringBuilder body = new StringBuilder();
        while (at >= 0) {
            int end = all.indexOf("\r\n", at + 2);
            String size = end < 0 ? "" : all.substring(at + 2, end);
            if (size.matches("[1-9a-f][0-9a-f]*")) {
                int from = end + 2;
                at = Math.min(all.length(), from + Integer.parseInt(size, 16));
                body.append(all, from, at);
            } else {
                at = end;
            }
        }
        return bytes(body.toString());
    }

    /** The first and the last two events, without the middle of long lines: small enough to be cut in every way. */
    static byte[] readSmall(String file) throws IOException {
        String[] events = new String(read(file), StandardCharsets.ISO_8859_1).split("(?<=\n\n)", -1);
        StringBuilder small = new StringBuilder();
        for (int i = 0; i < events.length; i++) {
            // The last piece is the empty one after the last blank line.
            if (i < 2 || i >= events.length - 3) {
                small.append(events[i].replaceAll("(?m)^(data.{45}).+(.{8})$", "$1$2"));
            }
        }
        return bytes(small.toString());
    }

    private static byte[] bytes(String latin) {
        return latin.getBytes(StandardCharsets.ISO_8859_1);
    }
}
