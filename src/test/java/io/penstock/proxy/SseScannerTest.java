package io.penstock.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.buffer.Buffer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class SseScannerTest {

    /** Lines as they would stand in a file; | is the end of a line. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '=',
            value = {
                // No output: nothing is promised yet.
                ":a comment||                                            = 0 waits",
                "||||                                                    = 0 waits",
                "id: 7||                                                 = 0 waits",
                "retry: 100||                                            = 0 waits",
                "data||                                                  = 0 waits",
                "data:||                                                 = 0 waits",
                "unknown: field||                                        = 0 waits",
                "database: x||                                           = 0 waits",
                "events: x||                                             = 0 waits",
                "data: {\"error\": {\"code\": 503}}||                    = 1 waits",
                "data:{\"error\":{}}||                                   = 1 waits",
                "data: {\"type\":\"error\",\"error\":{}}||               = 1 waits",
                "event: error|data: {\"any\":1}||                        = 1 waits",
                "data: {\"any\":1}|event: error||                        = 1 waits",
                "data: [DONE]||                                          = 1 waits",
                "data:[DONE]||                                           = 1 waits",
                "event: response.created|data: {}||                      = 1 waits",
                "event: response.queued|data: {}||                       = 1 waits",
                "event: response.in_progress|data: {}||                  = 1 waits",
                "data: {\"error\":{}}||data: [DONE]||                    = 2 waits",
                ":c||event: response.created|data: {}||:c||              = 1 waits",
                // The end of an event is missing still.
                "data: {\"choices\":[]}                                  = 0 waits",
                "data: {\"choices\":[]}|                                 = 0 waits",
                // Output.
                "data: {\"choices\":[]}||                                = 1 output",
                "data:x||                                                = 1 output",
                "data: x|data: y||                                       = 1 output",
                "data:|data: y||                                         = 1 output",
                ":comment|data: x||                                      = 1 output",
                "data: x|:comment||                                      = 1 output",
                "event: message_start|data: {\"type\":\"message_start\"}|| = 1 output",
                "event: ping|data: {\"type\": \"ping\"}||                = 1 output",
                "event: response.output_item.added|data: {}||            = 1 output",
                "event: response.created.not|data: {}||                  = 1 output",
                "data: [DONE] not||                                      = 1 output",
                "data: {\"errors\":[]}||                                 = 1 output",
                "data: {\"id\":1,\"error\":null}||                       = 1 output",
                "data: {\"error\":{}}||data: x||                         = 2 output",
                "event: error|event: delta|data: x||                     = 1 output",
            })
    void anEventIsWhatItsFieldsSay(String stream, String verdict) {
        for (String ending : List.of("\n", "\r\n", "\r")) {
            assertThat(verdict(stream.strip().replace("|", ending)))
                    .as("lines end with %s", ending.replace("\r", "CR").replace("\n", "LF"))
                    .isEqualTo(verdict.strip());
        }
    }

    @Test
    void theKindOfAnEventDoesNotReachIntoTheNext() {
        assertThat(verdict("event: error\ndata: {}\n\ndata: x\n\n")).isEqualTo("2 output");
        assertThat(verdict("event: response.created\n\ndata: x\n\n")).isEqualTo("2 output");
    }

    @ParameterizedTest
    @CsvSource({
        "'',                   true",
        "'data: x\n\n',        true",
        "':comment\n',         true",
        "'data',               false",
        "'data: x\n',          false",
        "'data: x\r\n\r\n',    true",
        "'data: x\r\n\r',      true",
        "':half a com',        false",
    })
    void aCommentMayBePutBetweenEventsOnly(String soFar, boolean between) {
        assertThat(scanned(Buffer.buffer(soFar)).betweenEvents()).isEqualTo(between);
    }

    @Test
    void aLineOfAnyLengthTakesNoMemory() {
        SseScanner scanner = new SseScanner();
        Buffer piece = Buffer.buffer("x".repeat(1 << 16));
        scanner.scan(Buffer.buffer("data: "));
        for (int i = 0; i < 200; i++) {
            scanner.scan(piece);
        }
        assertThat(scanner.events()).isZero();

        scanner.scan(Buffer.buffer("\n\n"));
        assertThat(scanner.events()).isEqualTo(1);
        assertThat(scanner.outputSeen()).isTrue();
    }

    @Test
    void aLongNameOfAFieldIsNoData() {
        assertThat(verdict("data".repeat(100) + ": x\n\n")).isEqualTo("0 waits");
    }

    // ---- what a real vLLM sends ------------------------------------------------------------------------------------

    @ParameterizedTest
    @CsvSource({
        // File, events, events before the first output.
        "chat-stream.http,                         9, 0",
        "chat-stream-usage.http,                   7, 0",
        "chat-stream-usage-continuous.http,        7, 0",
        "completions-stream.http,                  8, 0",
        "messages-stream.http,                    11, 0",
        "responses-stream.http,                   9, 2",
        "http10-stream.http,                       5, 0",
        "engine-killed-chat-stream-tail.http,      6, 0",
        "engine-killed-messages-stream-tail.http,  8, 0",
    })
    void realStreamsBeginWithOutputAtTheRightEvent(String file, long events, int preamble) throws IOException {
        byte[] stream = capturedStream(file);
        SseScanner scanner = new SseScanner();
        long before = 0;
        for (byte each : stream) {
            scanner.scan(Buffer.buffer(new byte[] {each}));
            before = scanner.outputSeen() ? before : scanner.events();
        }

        assertThat(scanner.outputSeen()).isTrue();
        assertThat(before).isEqualTo(preamble);
        assertThat(scanner.events()).isEqualTo(events);
    }

    @Test
    void anOverloadUnderStatus200IsNoOutput() throws IOException {
        assertThat(verdict(new String(capturedStream("stream-200-then-503-in-band.http"), StandardCharsets.UTF_8)))
                .isEqualTo("2 waits");
    }

    // ---- split anywhere --------------------------------------------------------------------------------------------

    static Stream<String> endings() {
        return Stream.of("\n", "\r\n", "\r");
    }

    private static String everything(String ending) {
        return String.join(
                ending,
                ": hello",
                "",
                "event: response.created",
                "data: {\"type\":\"response.created\"}",
                "",
                ":",
                "data: {\"error\": {\"message\": \"größe\", \"code\": 503}}",
                "",
                "event: error",
                "data: {\"type\":\"error\"}",
                "",
                "data: [DONE]",
                "",
                "",
                "id: 1",
                "event: delta",
                "data: first",
                "data: second",
                ": in the middle",
                "data",
                "",
                "data:last",
                "",
                "");
    }

    /** After every prefix the verdict is the same, however the prefix was cut in two. */
    @ParameterizedTest
    @MethodSource("endings")
    void twoPiecesSayTheSameAsOne(String ending) {
        byte[] stream = everything(ending).getBytes(StandardCharsets.UTF_8);
        for (int end = 0; end <= stream.length; end++) {
            String whole = state(scanned(piece(stream, 0, end)));
            for (int cut = 0; cut <= end; cut++) {
                SseScanner scanner = scanned(piece(stream, 0, cut));
                scanner.scan(piece(stream, cut, end));
                assertThat(state(scanner)).as("%d bytes cut at %d", end, cut).isEqualTo(whole);
            }
        }
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3})
    void anyNumberOfPiecesSayTheSameAsOne(long seed) {
        Random random = new Random(seed);
        for (String ending : endings().toList()) {
            byte[] stream = everything(ending).repeat(3).getBytes(StandardCharsets.UTF_8);
            String whole = state(scanned(Buffer.buffer(stream)));
            for (int round = 0; round < 500; round++) {
                SseScanner scanner = new SseScanner();
                for (int from = 0; from < stream.length; ) {
                    int to = Math.min(stream.length, from + random.nextInt(1 + random.nextInt(40)));
                    scanner.scan(piece(stream, from, to));
                    from = to;
                }
                assertThat(state(scanner)).isEqualTo(whole);
            }
        }
    }

    @Test
    void allLineEndingsSayTheSame() {
        List<String> verdicts = new ArrayList<>();
        endings().forEach(ending -> verdicts.add(verdict(everything(ending))));

        assertThat(verdicts).containsOnly("6 output");
    }

    private static Buffer piece(byte[] bytes, int from, int to) {
        return Buffer.buffer().appendBytes(bytes, from, to - from);
    }

    private static SseScanner scanned(Buffer stream) {
        SseScanner scanner = new SseScanner();
        scanner.scan(stream);
        return scanner;
    }

    private static String verdict(String stream) {
        SseScanner scanner = scanned(Buffer.buffer(stream));
        return scanner.events() + (scanner.outputSeen() ? " output" : " waits");
    }

    private static String state(SseScanner scanner) {
        return scanner.events() + " " + scanner.outputSeen() + " " + scanner.betweenEvents();
    }

    /** The body of a captured answer, out of its chunks; what stands before the first whole chunk is cut off. */
    private static byte[] capturedStream(String file) throws IOException {
        String all;
        try (InputStream in = SseScannerTest.class.getResourceAsStream("/vllm-observed/" + file)) {
            all = new String(Objects.requireNonNull(in, file).readAllBytes(), StandardCharsets.ISO_8859_1);
        }
        if (file.startsWith("http10")) {
            return all.substring(all.indexOf("\r\n\r\n", all.indexOf("=== RESPONSE")) + 4)
                    .getBytes(StandardCharsets.ISO_8859_1);
        }
        StringBuilder body = new StringBuilder();
        int at = all.indexOf("\r\n", all.indexOf("=== RESPONSE") + 1);
        while (at >= 0) {
            int end = all.indexOf("\r\n", at + 2);
            String size = end < 0 ? "" : all.substring(at + 2, end);
            if (size.matches("[1-9a-f][0-9a-f]*")) {
                int length = Integer.parseInt(size, 16);
                body.append(all, end + 2, end + 2 + length);
                at = end + 2 + length;
            } else {
                at = end;
            }
        }
        return body.toString().getBytes(StandardCharsets.ISO_8859_1);
    }
}
