package io.penstock.sim;

import io.vertx.core.buffer.Buffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Turns the bytes of one connection into requests, as strict as the parser that vLLM's server uses: a bare line feed, a
 * space before a colon, two lengths, a length beside a transfer coding and unknown codings are refused (RFC 9112,
 * sections 2.2, 5.1 and 6.3). Headers have no size limit there, so they have none here. Confined to one event loop.
 */
final class HttpRequestReader {

    /** What the bytes turned out to be, told in order. */
    interface Listener {

        /** The head of a request came with {@code Expect: 100-continue} and its body has not come yet. */
        void onExpectContinue();

        /** A whole request came. */
        void onRequest(SimRequest request);

        /** What came is not HTTP. Nothing is read after this. */
        void onInvalid();
    }

    private enum State {
        HEAD,
        BODY,
        CHUNK_SIZE,
        CHUNK,
        CHUNK_END,
        TRAILER,
        INVALID
    }

    private static final int MAX_TARGET = 65_536;
    private static final int CR = '\r';
    private static final int LF = '\n';

    private final Listener listener;
    private Buffer unread = Buffer.buffer();
    private int position;
    private State state = State.HEAD;
    private List<String> headLines = new ArrayList<>();
    private @Nullable SimRequest head;
    private Buffer body = Buffer.buffer();
    private long wanted;

    HttpRequestReader(Listener listener) {
        this.listener = listener;
    }

    /** Takes the next bytes and tells the listener what they complete. */
    void read(Buffer bytes) {
        unread.appendBuffer(bytes);
        boolean more = true;
        while (more && state != State.INVALID) {
            more = switch (state) {
                case HEAD -> readHeadLine();
                case BODY -> readBody(State.HEAD);
                case CHUNK_SIZE -> readChunkSize();
                case CHUNK -> readBody(State.CHUNK_END);
                case CHUNK_END -> readChunkEnd();
                case TRAILER -> readTrailer();
                case INVALID -> false;
            };
        }
        unread = position == unread.length() ? Buffer.buffer() : unread.getBuffer(position, unread.length());
        position = 0;
    }

    private boolean readHeadLine() {
        String line = line();
        if (line == null) {
            return false;
        }
        if (!line.isEmpty()) {
            headLines.add(line);
        } else if (!headLines.isEmpty()) {
            endHead();
        }
        return true;
    }

    private void endHead() {
        SimRequest parsed = parseHead(headLines);
        headLines = new ArrayList<>();
        if (parsed == null || !frame(parsed)) {
            fail();
            return;
        }
        head = parsed;
        body = Buffer.buffer();
        if (state == State.HEAD) {
            complete();
        } else if ("100-continue".equalsIgnoreCase(parsed.header("expect")) && position == unread.length()) {
            listener.onExpectContinue();
        }
    }

    private static @Nullable SimRequest parseHead(List<String> lines) {
        String[] first = lines.get(0).split(" ", -1);
        if (first.length != 3
                || !first[0].matches("[A-Z]+")
                || first[1].isEmpty()
                || first[1].length() > MAX_TARGET
                || !first[2].matches("HTTP/1\\.[01]")) {
            return null;
        }
        List<Map.Entry<String, String>> headers = new ArrayList<>();
        for (String line : lines.subList(1, lines.size())) {
            int colon = line.indexOf(':');
            if (colon < 1 || !line.substring(0, colon).matches("[!#$%&'*+.^_`|~0-9A-Za-z-]+")) {
                return null;
            }
            headers.add(Map.entry(
                    line.substring(0, colon), line.substring(colon + 1).strip()));
        }
        return new SimRequest(first[0], first[1], first[2].endsWith("0"), headers, Buffer.buffer());
    }

    /** Decides how the body is delimited; false if that cannot be said. */
    private boolean frame(SimRequest request) {
        List<String> lengths = values(request, "content-length");
        List<String> codings = values(request, "transfer-encoding");
        if (lengths.size() > 1 || codings.size() > 1 || (!lengths.isEmpty() && !codings.isEmpty())) {
            return false;
        }
        if (!codings.isEmpty()) {
            state = State.CHUNK_SIZE;
            return codings.get(0).equalsIgnoreCase("chunked");
        }
        if (!lengths.isEmpty()) {
            if (!lengths.get(0).matches("[0-9]{1,18}")) {
                return false;
            }
            wanted = Long.parseLong(lengths.get(0));
            state = wanted > 0 ? State.BODY : State.HEAD;
        }
        return true;
    }

    private static List<String> values(SimRequest request, String name) {
        return request.headers().stream()
                .filter(header -> header.getKey().equalsIgnoreCase(name))
                .map(Map.Entry::getValue)
                .toList();
    }

    private boolean readBody(State next) {
        int available = (int) Math.min(wanted, unread.length() - position);
        body.appendBuffer(unread, position, available);
        position += available;
        wanted -= available;
        if (wanted > 0) {
            return false;
        }
        state = next;
        if (next == State.HEAD) {
            complete();
        }
        return true;
    }

    private boolean readChunkSize() {
        String line = line();
        if (line == null) {
            return false;
        }
        int extension = line.indexOf(';');
        String size = extension < 0 ? line : line.substring(0, extension).strip();
        if (!size.matches("[0-9a-fA-F]{1,15}")) {
            fail();
            return false;
        }
        wanted = Long.parseLong(size, 16);
        state = wanted == 0 ? State.TRAILER : State.CHUNK;
        return true;
    }

    private boolean readChunkEnd() {
        String line = line();
        if (line == null) {
            return false;
        }
        if (!line.isEmpty()) {
            fail();
            return false;
        }
        state = State.CHUNK_SIZE;
        return true;
    }

    private boolean readTrailer() {
        String line = line();
        if (line != null && line.isEmpty()) {
            state = State.HEAD;
            complete();
        }
        return line != null;
    }

    private void complete() {
        SimRequest request = head;
        head = null;
        if (request != null) {
            listener.onRequest(
                    new SimRequest(request.method(), request.target(), request.http10(), request.headers(), body));
        }
    }

    /** The next whole line without its end, or null if it has not come yet or is not one. */
    private @Nullable String line() {
        for (int i = position; i < unread.length(); i++) {
            if (unread.getByte(i) == LF) {
                if (i == position || unread.getByte(i - 1) != CR) {
                    fail();
                    return null;
                }
                String line = unread.getString(position, i - 1, StandardCharsets.ISO_8859_1.name());
                position = i + 1;
                return line;
            }
        }
        return null;
    }

    private void fail() {
        state = State.INVALID;
        listener.onInvalid();
    }
}
