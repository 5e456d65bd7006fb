package io.penstock.proxy.front;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.proxy.ExchangeReport.Result;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A stream of three events that ends after each of its bytes, in every way a stream can end: it is made good elsewhere or
 * the client can tell. Only the whole one ends cleanly, and it is the replica's, byte for byte.
 */
class TruncationTest {

    private static final Map<String, List<String>> STREAMS = Map.of(
            "/v1/chat/completions",
            List.of(
                    "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}\n\n",
                    "data: {\"choices\":[{\"delta\":{\"content\":\"ä\"}}]}\n\n",
                    "data: [DONE]\n\n"),
            "/v1/completions",
            List.of(
                    "data: {\"choices\":[{\"text\":\"a\"}]}\n\n",
                    "data: {\"choices\":[{\"text\":\"\",\"finish_reason\":\"stop\"}]}\n\n",
                    "data: [DONE]\n\n"),
            "/v1/responses",
            List.of(
                    "event: response.created\ndata: {\"type\":\"response.created\"}\n\n",
                    "event: response.output_text.delta\ndata: {\"delta\":\"a\"}\n\n",
                    "event: response.completed\ndata: {\"type\":\"response.completed\"}\n\n"),
            "/v1/messages",
            List.of(
                    "event: message_start\ndata: {\"type\":\"message_start\"}\n\n",
                    "event: content_block_delta\ndata: {\"delta\":{\"text\":\"a\"}}\n\n",
                    "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"));

    /** How the stream ends where it ends. */
    enum Ending {
        CLEAN,
        FIN,
        RESET
    }

    static Stream<Arguments> cases() {
        return STREAMS.keySet().stream()
                .sorted()
                .flatMap(path -> Stream.of(Ending.values()).map(ending -> Arguments.of(path, ending)));
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("cases")
    void onlyTheWholeStreamEndsCleanly(String path, Ending ending) throws Exception {
        byte[] whole = String.join("", STREAMS.getOrDefault(path, List.of())).getBytes(StandardCharsets.UTF_8);
        AtomicReference<Script> first = new AtomicReference<>();
        try (ScriptedReplica one = ScriptedReplica.start();
                ScriptedReplica two = ScriptedReplica.start();
                Stage stage =
                        Setting.with(one, two).probes(Duration.ofSeconds(20)).open()) {
            Script either = call -> {
                Script trouble = first.getAndSet(null);
                (trouble == null ? cut(whole, whole.length, Ending.CLEAN) : trouble).play(call);
            };
            one.always(either);
            two.always(either);
            int broken = 0;
            for (int length = 0; length < whole.length; length++) {
                first.set(cut(whole, length, ending));
                broken += tell(stage, path, whole, length);
                assertThat(first.get()).isNull();
            }
            stage.settle();
            assertThat(broken).isBetween(1, whole.length - 1);
            assertThat(stage.reports())
                    .filteredOn(r -> r.result() == Result.BROKEN)
                    .hasSize(broken);
            assertThat(stage.reports())
                    .filteredOn(r -> r.result() == Result.COMPLETED)
                    .hasSize(whole.length - broken);
        }
    }

    private static Script cut(byte[] whole, int length, Ending ending) {
        return call -> {
            call.send(Script.STREAM_HEAD);
            if (length > 0) {
                call.send(Integer.toHexString(length) + "\r\n");
                call.send(Arrays.copyOf(whole, length));
                call.send("\r\n");
            }
            switch (ending) {
                case CLEAN -> call.send("0\r\n\r\n");
                case FIN -> call.fin();
                case RESET -> {
                    Thread.sleep(2); // A reset overtakes what was not read yet.
                    call.reset();
                }
            }
        };
    }

    /** Returns 1 if the client was told of a break, 0 if it got the whole answer. */
    private static int tell(Stage stage, String path, byte[] whole, int length) throws IOException {
        String text = new String(whole, StandardCharsets.UTF_8);
        String marker = text.substring(text.lastIndexOf("\n\n", text.length() - 3) + 2);
        StringBuilder got = new StringBuilder();
        boolean clean = false;
        try (Client client = Client.to(stage)) {
            client.send(Client.post(path, "{\"stream\":true}")).head();
            for (String chunk = client.chunk(); !chunk.isEmpty(); chunk = client.chunk()) {
                got.append(chunk);
            }
            clean = true;
        } catch (IOException cut) {
            assertThat(got.toString())
                    .as("after %d bytes", length)
                    .contains("error")
                    .doesNotContain(marker);
        }
        if (clean) {
            assertThat(got.toString()).as("after %d bytes", length).isEqualTo(text);
        }
        return clean ? 0 : 1;
    }
}
