package io.penstock.proxy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.proxy.ApiTable.Dialect;
import io.penstock.proxy.SseScanner.Event;
import io.vertx.core.buffer.Buffer;
import java.lang.management.ManagementFactory;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a stream is. {@link SseScannerSplitTest} says that it does not matter how it comes. */
class SseScannerTest {

    private static final String MARK = "\uFEFF";

    /** Lines as they would stand in a file; | ends a line. One letter per event, see {@link EventTrace#verdict}. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '=',
            ignoreLeadingAndTrailingWhitespace = false,
            value = {
                // It says nothing.
                ":a comment||=c",
                ":||=c",
                "||||=cccc",
                "id: 7||=c",
                "retry: 100||=c",
                "unknown: field||=c",
                "database: x||=c",
                "dat: x||=c",
                "Data: x||=c",
                " data: x||=c",
                "events: x||=c",
                "event: delta||=c",
                "event: error||=c",
                "event: response.created||=c",
                "data||=c",
                "data:||=c",
                "data: ||=c",
                "event: delta|data:||=c",
                "id: 1|:c|retry: 1||=c",
                // An error.
                "data: {\"error\": {\"code\": 503}}||=e failed",
                "data:{\"error\":{}}||=e failed",
                "data:  { \t \"error\":{}}||=e failed",
                "data: {\"type\":\"error\",\"error\":{}}||=e failed",
                "data: {\"type\": \"error\"}||=e failed",
                "data: { \"type\" : \"error\" }||=e failed",
                "event: delta|data: {\"type\":\"error\"}||=e failed",
                "event: response.created|data: {\"error\":1}||=e failed",
                "event: error|data: {\"any\":1}||=e failed",
                "event:error|data: x||=e failed",
                "event: error|data||=e failed",
                "data: {\"any\":1}|event: error||=e failed",
                "event: error|data: [DONE]||=e failed",
                "data: {|data: \"error\":1}||=e failed",
                "data: x||event: error|data: x||=oe failed",
                // Accepted, not more.
                "event: response.created|data: {}||=p",
                "event: response.queued|data: {}||=p",
                "event: response.in_progress|data: {}||=p",
                "data: {\"sequence_number\":0,\"type\":1}|event: response.created||=p",
                "data: {\"type\":\"response.created\",\"response\":{}}||=p",
                "data: {\"type\": \"response.queued\"}||=p",
                "data: { \"type\":\"response.in_progress\"}||=p",
                "event:|data: {\"type\":\"response.created\"}||=p",
                "event|data: {\"type\":\"response.created\"}||=p",
                // The end.
                "data: [DONE]||=d complete",
                "data:[DONE]||=d complete",
                "data: [DONE]   ||=d complete",
                "event: delta|data: [DONE]||=d complete",
                "data: x||data: [DONE]||:c||=odc complete",
                "data: [DONE]||data: x||=do complete",
                "data: [DONE]||data: {\"error\":1}||=de complete failed",
                "data: {\"error\":1}||data: [DONE]||=ed failed",
                // Output.
                "data: {\"choices\":[]}||=o",
                "data:x||=o",
                "data: x|data: y||=o",
                "data:|data: y||=o",
                "data|data||=o",
                "data:  ||=o",
                ":comment|data: x||=o",
                "data: x|:comment||=o",
                "data: x|id: 1||=o",
                "event: message_start|data: {\"type\":\"message_start\"}||=o",
                "event: response.output_item.added|data: {}||=o",
                "event: response.created.not|data: {}||=o",
                "event: response.create|data: {}||=o",
                "event:  response.created|data: {}||=o",
                "event: response.created |data: {}||=o",
                "event: delta|data: {\"type\":\"response.created\"}||=o",
                "event: error|event: delta|data: x||=o",
                "event: error |data: x||=o",
                "data:  [DONE]||=o",
                "data: [DONE] not||=o",
                "data: [DONE|data: ]||=o",
                "data: [DONE]|data:||=o",
                "data|data: [DONE]||=o",
                "data: [DON||=o",
                "data: {||=o",
                "data: {\"errors\":[]}||=o",
                "data: {\"err\":[]}||=o",
                "data: {\"error||=o",
                "data: {\"id\":1,\"error\":null}||=o",
                "data: [{\"error\":1}]||=o",
                "data: {\"type\":\"errors\"}||=o",
                "data: {\"type\":\"error||=o",
                "data: {\"type\":error}||=o",
                "data: {\"type\",\"error\"}||=o",
                "data: {\"type\"||=o",
                "data: {\"type\":||=o",
                "data: {\"types\":\"error\"}||=o",
                "data: {\"type\":1,\"error\":1}||=o",
                // The end of an event is missing still.
                "data: {\"choices\":[]}=",
                "data: {\"choices\":[]}|=",
                "data: [DONE]=",
                "data: [DONE]|=",
                "data: {\"error\":1}|=",
            })
    void anEventIsWhatItsFieldsSay(String stream, String verdict) {
        for (Dialect dialect : Dialect.values()) {
            for (String ending : List.of("\n", "\r\n", "\r")) {
                assertThat(verdict(dialect, stream.replace("|", ending)))
                        .as(
                                "%s, lines end with %s",
                                dialect, ending.replace("\r", "CR").replace("\n", "LF"))
                        .isEqualTo(verdict == null ? "" : verdict);
            }
        }
    }

    /** A word means something in its own dialect only. */
    @ParameterizedTest
    @CsvSource({
        "response.completed,   o, d complete, o",
        "response.failed,      o, d complete, o",
        "response.incomplete,  o, d complete, o",
        "response.cancelled,   o, d complete, o",
        "response.done,        o, o,          o",
        "message_stop,         o, o,          d complete",
        "message_delta,        o, o,          o",
        "ping,                 o, o,          p",
        "response.created,     p, p,          p",
        "error,                e failed, e failed, e failed",
    })
    void aWordIsUnderstoodInItsDialect(String word, String openAi, String responses, String anthropic) {
        for (Dialect dialect : Dialect.values()) {
            String verdict = switch (dialect) {
                case OPENAI -> openAi;
                case RESPONSES -> responses;
                case ANTHROPIC -> anthropic;
            };
            assertThat(verdict(dialect, "event: " + word + "\ndata: {\"sequence_number\":8}\n\n"))
                    .as("%s by name", dialect)
                    .isEqualTo(verdict);
            assertThat(verdict(dialect, "data: {\"type\":\"" + word + "\"}\n\n"))
                    .as("%s by type", dialect)
                    .isEqualTo(verdict);
            assertThat(verdict(dialect, "event: " + word + "\ndata:\n\n"))
                    .as("%s without data", dialect)
                    .isEqualTo(word.equals("error") ? "e failed" : "c");
        }
    }

    @Test
    void nothingOfAnEventReachesIntoTheNext() {
        assertThat(verdict(Dialect.OPENAI, "event: error\ndata: {}\n\ndata: x\n\n"))
                .isEqualTo("eo failed");
        assertThat(verdict(Dialect.OPENAI, "event: error\n\ndata: x\n\n")).isEqualTo("co");
        assertThat(verdict(Dialect.OPENAI, "data: x\n\nevent: error\n\n")).isEqualTo("oc");
        assertThat(verdict(Dialect.OPENAI, "data: " + "x".repeat(70) + "\n\ndata: [DONE]\n\n"))
                .isEqualTo("od complete");
        String error = "data: {\"type\":\"error\"}\n\n";
        assertThat(verdict(Dialect.OPENAI, error + "data: {\"type\":\n\n")).isEqualTo("eo failed");
        assertThat(verdict(Dialect.OPENAI, error + "data: {\"type\":\"erro\n\n"))
                .isEqualTo("eo failed");
    }

    @Test
    void aByteOrderMarkCountsForNothingAtTheBeginningOnly() {
        assertThat(verdict(Dialect.OPENAI, MARK + "data: [DONE]\n\n")).isEqualTo("d complete");
        assertThat(verdict(Dialect.OPENAI, MARK + "\ndata: x\n\n")).isEqualTo("co");
        assertThat(verdict(Dialect.OPENAI, MARK + ":\n\n")).isEqualTo("c");
        assertThat(verdict(Dialect.OPENAI, MARK + MARK + "data: x\n\n")).isEqualTo("c");
        assertThat(verdict(Dialect.OPENAI, ":c\n" + MARK + "data: x\n\n")).isEqualTo("c");
        assertThat(verdict(Dialect.OPENAI, "data: x\n\n" + MARK + "data: x\n\n"))
                .isEqualTo("oc");
    }

    @ParameterizedTest
    @CsvSource({
        "'',                   true",
        "'data: x\n\n',        true",
        "':comment\n',         true",
        "':comment\r',         true",
        "'data',               false",
        "'data: x\n',          false",
        "'id: 1\n',            false",
        "'data: x\r\n\r\n',    true",
        "'data: x\r\n\r',      true",
        "'data: x\r\n\r\n\n',  true",
        "'data: x\n\n:',       false",
        "':half a com',        false",
        "'\uFEFF',             false",
        "'\uFEFF\n',           true",
    })
    void aCommentMayBePutBetweenEventsOnly(String soFar, boolean between) {
        assertThat(scanned(Dialect.OPENAI, soFar).scanner.betweenEvents()).isEqualTo(between);
    }

    @Test
    void whatWasSeenIsKept() {
        SseScanner scanner = new SseScanner(Dialect.OPENAI);
        assertThat(scanner.event()).isEqualTo(Event.COMMENT);
        Buffer stream =
                Buffer.buffer(":c\n\nevent: response.created\ndata: 1\n\ndata: 2\n\ndata: 3\n\ndata: {\"error\":4");

        assertThat(scanner.next(stream, 0)).isEqualTo(4);
        assertThat(scanner.events()).isZero();
        assertThat(scanner.next(stream, 4)).isEqualTo(37);
        assertThat(scanner.event()).isEqualTo(Event.PREAMBLE);
        assertThat(scanner.events()).isEqualTo(1);
        assertThat(scanner.outputSeen()).isFalse();
        assertThat(scanner.next(stream, 37)).isEqualTo(46);
        assertThat(scanner.event()).isEqualTo(Event.OUTPUT);
        assertThat(scanner.outputSeen()).isTrue();
        assertThat(scanner.next(stream, 46)).isEqualTo(55);
        assertThat(scanner.events()).isEqualTo(3);
        assertThat(scanner.next(stream, 55)).isEqualTo(-1);
        assertThat(scanner.event()).isEqualTo(Event.OUTPUT);
        assertThat(scanner.failed()).isFalse();
        assertThat(scanner.next(Buffer.buffer(), 0)).isEqualTo(-1);
        assertThat(scanner.next(Buffer.buffer("}\n\n"), 0)).isEqualTo(3);
        assertThat(scanner.failed()).isTrue();
        assertThat(scanner.outputSeen()).isTrue();
        assertThat(scanner.events()).isEqualTo(4);
    }

    @Test
    void theLineFeedOfASplitLineEndBelongsToNothing() {
        SseScanner scanner = new SseScanner(Dialect.OPENAI);

        assertThat(scanner.next(Buffer.buffer("data: x\r\n\r"), 0)).isEqualTo(10);
        assertThat(scanner.next(Buffer.buffer("data: x\r\n\r"), 10)).isEqualTo(-1);
        assertThat(scanner.next(Buffer.buffer("\n"), 0)).isEqualTo(-1);
        assertThat(scanner.betweenEvents()).isTrue();
        assertThat(scanner.next(Buffer.buffer("\n"), 0))
                .as("a blank line of its own")
                .isEqualTo(1);
        assertThat(scanner.event()).isEqualTo(Event.COMMENT);
        assertThat(scanner.events()).isEqualTo(1);
    }

    // ---- how much is looked at -------------------------------------------------------------------------------------

    /** 64 bytes of a line, 64 of the data, and the verdict is a careful one if that is not enough. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 40, 51, 52, 53, 54, 500, 5000})
    void aMarkerIsAMarkerIfItIsSeenWhole(int spaces) {
        String marker = "data: [DONE]" + " ".repeat(spaces);
        assertThat(verdict(Dialect.OPENAI, marker + "\n\n")).isEqualTo(spaces <= 52 ? "d complete" : "o");
        assertThat(verdict(Dialect.OPENAI, marker + "x\n\n")).isEqualTo("o");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 40, 50, 51, 52, 57, 58, 59, 500, 5000})
    void anErrorIsAnErrorIfItsKeyIsSeenWhole(int spaces) {
        String key = "data:{" + " ".repeat(spaces) + "\"error\"";
        assertThat(verdict(Dialect.OPENAI, key + ":1}\n\n")).isEqualTo(spaces <= 51 ? "e failed" : "o");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 53, 54, 55, 57, 58, 59, 62, 63, 64, 65, 600})
    void manyLinesOfDataAreOneAndOnlyItsBeginningMatters(int length) {
        String blanks = "data:  " + " ".repeat(length) + "\n";
        boolean seen = length + 1 <= 64 - "data: ".length();

        assertThat(verdict(Dialect.OPENAI, blanks + "data: [DONE]\n\n")).isEqualTo("o");
        assertThat(verdict(Dialect.OPENAI, blanks + "data: {\"error\":1}\n\n"))
                .isEqualTo(seen && length + 2 + "{\"error\"".length() <= 64 ? "e failed" : "o");
        assertThat(verdict(Dialect.OPENAI, "data: {\n".repeat(1 + length) + "\n"))
                .isEqualTo("o");
        assertThat(verdict(Dialect.OPENAI, "data: [DONE]\n" + "data\n".repeat(1 + length) + "\n"))
                .isEqualTo("o");
    }

    @ParameterizedTest
    @EnumSource
    void aLineOfFiftyMegabytesTakesNoMemory(Dialect dialect) {
        SseScanner scanner = new SseScanner(dialect);
        Buffer piece = Buffer.buffer("x".repeat(1 << 16));
        var thread = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        scanner.next(Buffer.buffer("event: response.created\ndata: "), 0);
        long before = thread.getCurrentThreadAllocatedBytes();

        for (int i = 0; i < 800; i++) {
            assertThat(scanner.next(piece, 0) == -1).isTrue();
        }

        assertThat(thread.getCurrentThreadAllocatedBytes() - before).isLessThan(4 << 20);
        assertThat(scanner.events()).isZero();
        assertThat(scanner.betweenEvents()).isFalse();
        assertThat(scanner.next(Buffer.buffer("\n\n"), 0)).isEqualTo(2);
        assertThat(scanner.event()).isEqualTo(Event.PREAMBLE);
    }

    @Test
    void aLongNameOfAFieldIsNoData() {
        assertThat(verdict(Dialect.OPENAI, "data".repeat(100) + ": x\n\n")).isEqualTo("c");
        assertThat(verdict(Dialect.OPENAI, "event: " + "error".repeat(20) + "\ndata: x\n\n"))
                .isEqualTo("o");
    }

    private static EventTrace scanned(Dialect dialect, String stream) {
        return EventTrace.whole(dialect, stream.getBytes(UTF_8));
    }

    private static String verdict(Dialect dialect, String stream) {
        return scanned(dialect, stream).verdict();
    }
}
