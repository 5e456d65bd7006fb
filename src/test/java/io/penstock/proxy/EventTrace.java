package io.penstock.proxy;

import io.penstock.proxy.ApiTable.Dialect;
import io.penstock.proxy.SseScanner.Event;
import io.vertx.core.buffer.Buffer;
import java.util.ArrayList;
import java.util.List;

/** What a scanner said of a stream: each event with its kind and where it ended. */
final class EventTrace {

    /** One event. {@code end} counts from the beginning of the stream. */
    record Seen(Event kind, int end) {}

    final SseScanner scanner;
    private final byte[] stream;
    private final List<Seen> seen = new ArrayList<>();
    private int read;

    EventTrace(Dialect dialect, byte[] stream) {
        this.scanner = new SseScanner(dialect);
        this.stream = stream;
    }

    static EventTrace whole(Dialect dialect, byte[] stream) {
        return new EventTrace(dialect, stream).upTo(stream.length);
    }

    /** Gives the scanner the bytes up to a position, in one chunk. */
    EventTrace upTo(int to) {
        return upTo(to, Buffer.buffer(to - read).appendBytes(stream, read, to - read));
    }

    /** As above; the chunk is made by whoever calls, and has what the stream has there. */
    EventTrace upTo(int to, Buffer chunk) {
        for (int end = scanner.next(chunk, 0); end >= 0; end = scanner.next(chunk, end)) {
            seen.add(new Seen(scanner.event(), read + end));
        }
        read = to;
        return this;
    }

    List<Seen> seen() {
        return seen;
    }

    /** As {@link #seen}, but where a CRLF was split the LF is counted as if it had not been. */
    List<Seen> seenWithWholeLineEnds() {
        List<Seen> whole = new ArrayList<>();
        for (Seen each : seen) {
            boolean split = each.end < stream.length && stream[each.end - 1] == '\r' && stream[each.end] == '\n';
            whole.add(split ? new Seen(each.kind, each.end + 1) : each);
        }
        return whole;
    }

    /** One letter per event: comment, preamble, output, error, end; and what the scanner says of the stream. */
    String verdict() {
        StringBuilder letters = new StringBuilder();
        for (Seen each : seen) {
            letters.append(
                    switch (each.kind) {
                        case COMMENT -> 'c';
                        case PREAMBLE -> 'p';
                        case OUTPUT -> 'o';
                        case ERROR -> 'e';
                        case END -> 'd';
                    });
        }
        return letters.append(scanner.complete() ? " complete" : "")
                .append(scanner.failed() ? " failed" : "")
                .toString()
                .strip();
    }
}
