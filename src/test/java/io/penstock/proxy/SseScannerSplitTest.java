package io.penstock.proxy;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.penstock.proxy.ApiTable.Dialect;
import io.penstock.proxy.EventTrace.Seen;
import io.penstock.proxy.SseScanner.Event;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.internal.buffer.BufferInternal;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** However a stream comes, and wherever it is cut: real ones of vLLM, and made-up ones against {@link PlainSse}. */
class SseScannerSplitTest {

    private static final List<Dialect> DIALECTS = List.of(Dialect.values());
    private static final ByteBuf OFF_HEAP = Unpooled.wrappedBuffer(ByteBuffer.allocateDirect(1 << 16));

    @ParameterizedTest
    @CsvSource({
        "OPENAI,    chat-stream.http,                         ooooooood complete",
        "OPENAI,    chat-stream-usage.http,                   ooooood complete",
        "OPENAI,    chat-stream-usage-continuous.http,        ooooood complete",
        "OPENAI,    chat-stream-sse-keepalive.http,           coooo",
        "OPENAI,    completions-stream.http,                  oooooood complete",
        "OPENAI,    http10-stream.http,                       ooood complete",
        "OPENAI,    stream-200-then-503-in-band.http,         ed failed",
        "OPENAI,    engine-killed-chat-stream-tail.http,      ooooed failed",
        "OPENAI,    api-killed-stream-tail.http,              oo",
        "RESPONSES, responses-stream.http,                    ppooooood complete",
        "RESPONSES, engine-killed-responses-stream-tail.http, ooooooo",
        "ANTHROPIC, messages-stream.http,                     ooooooooood complete",
        "ANTHROPIC, engine-killed-messages-stream-tail.http,  oooooooe failed",
    })
    void aRealStreamIsWhatItWas(Dialect dialect, String file, String verdict) throws IOException {
        byte[] stream = CapturedStream.read(file);
        List<Seen> wanted = PlainSse.read(dialect, latin(stream));

        EventTrace whole = EventTrace.whole(dialect, stream);
        assertThat(whole.verdict()).isEqualTo(verdict);
        assertThat(whole.seen()).isEqualTo(wanted);
        EventTrace byteByByte = new EventTrace(dialect, stream);
        for (int end = 1; end <= stream.length; end++) {
            byteByByte.upTo(end);
        }
        assertThat(byteByByte.seen()).isEqualTo(wanted);
        assertThat(byteByByte.verdict()).isEqualTo(verdict);
        for (int cut = 0; cut <= stream.length; cut++) {
            EventTrace twoPieces = new EventTrace(dialect, stream).upTo(cut).upTo(stream.length);
            if (!twoPieces.seen().equals(wanted)) {
                assertThat(twoPieces.seen()).as("cut at %d", cut).isEqualTo(wanted);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "OPENAI,    chat-stream.http",
        "OPENAI,    completions-stream.http",
        "OPENAI,    stream-200-then-503-in-band.http",
        "RESPONSES, responses-stream.http",
        "ANTHROPIC, messages-stream.http",
        "ANTHROPIC, engine-killed-messages-stream-tail.http",
    })
    void anyThreePiecesSayTheSameAsOne(Dialect dialect, String file) throws IOException {
        String small = latin(CapturedStream.readSmall(file));
        for (String ending : List.of("\n", "\r\n", "\r")) {
            byte[] stream = bytes(small.replace("\n", ending));
            List<Seen> wanted = PlainSse.read(dialect, latin(stream));
            assertThat(wanted).hasSizeGreaterThan(1);
            for (int first = 0; first <= stream.length; first++) {
                for (int second = first; second <= stream.length; second++) {
                    EventTrace pieces = new EventTrace(dialect, stream);
                    pieces.upTo(first).upTo(second).upTo(stream.length);
                    if (!pieces.seenWithWholeLineEnds().equals(wanted)) {
                        assertThat(pieces.seenWithWholeLineEnds())
                                .as("%s cut at %d and %d", file, first, second)
                                .isEqualTo(wanted);
                    }
                }
            }
        }
    }

    /** The strictness that everything rests on: nothing but the marker's last byte makes a stream whole. */
    @ParameterizedTest
    @CsvSource({
        "OPENAI,    chat-stream.http",
        "OPENAI,    completions-stream.http",
        "OPENAI,    http10-stream.http",
        "RESPONSES, responses-stream.http",
        "ANTHROPIC, messages-stream.http",
    })
    void aStreamCutAtAnyByteIsNeverComplete(Dialect dialect, String file) throws IOException {
        byte[] stream = CapturedStream.read(file);
        for (int end = 0; end < stream.length; end++) {
            if (new EventTrace(dialect, stream).upTo(end).scanner.complete()) {
                assertThat(end).as("bytes after which it was complete").isEqualTo(stream.length);
            }
        }
        assertThat(EventTrace.whole(dialect, stream).scanner.complete()).isTrue();
    }

    @Test
    void anEndAfterAnErrorIsNoEndWhereverItIsCut() throws IOException {
        byte[] stream = CapturedStream.read("engine-killed-chat-stream-tail.http");
        EventTrace trace = new EventTrace(Dialect.OPENAI, stream);
        for (int end = 1; end <= stream.length; end++) {
            assertThat(trace.upTo(end).scanner.complete()).isFalse();
        }
        assertThat(trace.seen().get(trace.seen().size() - 1).kind()).isEqualTo(Event.END);
        assertThat(trace.scanner.failed()).isTrue();
    }

    // ---- made up ---------------------------------------------------------------------------------------------------

    private static final List<String> LINES = List.of(
            "",
            "",
            "",
            ":",
            ": keep-alive",
            "data",
            "data:",
            "data: x",
            "data:  y",
            "data: [DONE]",
            "data: [DONE]  ",
            "data: [DONE] x",
            "data: {\"id\":\"chatcmpl-1\",\"delta\":\"gr\u00C3\u00B6\u00C3\u009Fe\"}",
            "data: {\"error\": {\"code\": 503}}",
            "data: {",
            "data: \"error\":1}",
            "data: {\"type\":\"error\"}",
            "data: { \"type\": \"response.created\"}",
            "data: {\"type\":\"message_stop\"}",
            "data: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\" arithmetic\"},\"index\":0}",
            "event",
            "event:",
            "event: error",
            "event:ping",
            "event: message_stop",
            "event: response.in_progress",
            "event: response.completed",
            "event: response.output_text.delta",
            "id: 17",
            "retry: 100",
            "unknown",
            "database: x",
            "\u00EF\u00BB\u00BFdata: x");

    private static String madeUp(Random random) {
        StringBuilder stream = new StringBuilder();
        if (random.nextInt(4) == 0) {
            stream.append("\u00EF\u00BB\u00BF");
        }
        int dull = random.nextInt(3);
        for (int lines = random.nextInt(25); lines >= 0; lines--) {
            stream.append(LINES.get(random.nextInt(LINES.size())));
            if (random.nextInt(12) == 0) {
                stream.append("z".repeat(random.nextInt(900)));
            }
            int ending = dull == 0 ? random.nextInt(3) : dull - 1;
            stream.append(ending == 0 ? "\n" : ending == 1 ? "\r\n" : "\r");
        }
        stream.setLength(Math.max(0, stream.length() - random.nextInt(3)));
        return stream.toString();
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3, 4})
    void anyStreamInAnyPiecesIsWhatAPlainReaderSays(long seed) {
        Random random = new Random(seed);
        for (int round = 0; round < 500; round++) {
            Dialect dialect = DIALECTS.get(random.nextInt(DIALECTS.size()));
            byte[] stream = bytes(madeUp(random));
            List<Seen> wanted = PlainSse.read(dialect, latin(stream));

            EventTrace trace = new EventTrace(dialect, stream);
            int longest = 1 + random.nextInt(1 + random.nextInt(2000));
            for (int from = 0; from < stream.length; ) {
                int to = Math.min(stream.length, from + random.nextInt(1 + longest));
                trace.upTo(to, chunk(random, stream, from, to));
                from = to;
            }

            if (!trace.seenWithWholeLineEnds().equals(wanted)) {
                assertThat(trace.seenWithWholeLineEnds())
                        .as("round %d, %s: %s", round, dialect, latin(stream))
                        .isEqualTo(wanted);
            }
            assertThat(trace.scanner.events())
                    .isEqualTo(wanted.stream()
                            .filter(e -> e.kind() != Event.COMMENT)
                            .count());
        }
    }

    /** The bytes as Vert.x may hand them over: on the heap, outside of it, or a part of something larger. */
    private static Buffer chunk(Random random, byte[] stream, int from, int to) {
        return switch (random.nextInt(4)) {
            case 0 ->
                BufferInternal.buffer(
                        OFF_HEAP.setBytes(8, stream, from, to - from).slice(8, to - from));
            case 1 -> BufferInternal.buffer(Unpooled.wrappedBuffer(stream, from, to - from));
            case 2 -> Buffer.buffer(stream).slice(from, to);
            default -> Buffer.buffer().appendBytes(stream, from, to - from);
        };
    }

    /** Every distance of a line's end from the eight bytes that are looked at together, and from the piece of a chunk. */
    @ParameterizedTest
    @EnumSource
    void aLineEndIsFoundAtAnyPlace(Dialect dialect) {
        for (String ending : List.of("\n", "\r\n", "\r")) {
            for (int length = 0; length < 1100; length++) {
                // 0x0B and 0x0C follow LF, 0x0E follows CR: the neighbors that a search by eight bytes may take for
                // them.
                String text = "x\u000B\u000C\u000E\u008A\u008D\u0000\u00FF"
                        .repeat(length / 8 + 1)
                        .substring(0, length);
                byte[] stream = bytes(":" + text + ending + ending + "data: x" + text + ending + ending);
                EventTrace whole = EventTrace.whole(dialect, stream);
                if (!whole.seen().equals(PlainSse.read(dialect, latin(stream)))) {
                    assertThat(whole.seen()).as("length %d", length).isEqualTo(PlainSse.read(dialect, latin(stream)));
                }
                assertThat(whole.verdict()).isEqualTo("co");
            }
        }
    }

    private static String latin(byte[] bytes) {
        return new String(bytes, ISO_8859_1);
    }

    private static byte[] bytes(String latin) {
        return latin.getBytes(ISO_8859_1);
    }
}
