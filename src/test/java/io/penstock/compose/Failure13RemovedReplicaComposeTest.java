package io.penstock.compose;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Recipe failure 13: there is no drain; removing a replica kills its streams. */
@Tag("compose")
class Failure13RemovedReplicaComposeTest {

    /** Ten seconds: time enough for the removal to be over long before the stream. */
    private static final int LONG = 500;

    @Test
    void removedByAnEditAReplicaGetsNoNewRequestsAndFinishesItsStreams() throws Exception {
        try (Stack stack = new Stack()) {
            String kept = "http://" + stack.replica(1) + ":8000";
            stack.configure(kept, "http://" + stack.replica(2) + ":8000");
            stack.scale(2);
            List<CompletableFuture<String>> streams = streamsOnBoth(stack);
            long before = stack.upstream(stack.replica(1)).getLong("started");

            stack.configure(kept);

            stack.until("the edit is applied", Duration.ofSeconds(6), () -> !stack.isUsable(stack.replica(2)));
            assertThat(streams).noneMatch(CompletableFuture::isDone);
            for (int i = 0; i < 6; i++) {
                assertThat(stack.ask().statusCode()).isEqualTo(200);
            }
            assertThat(stack.upstream(stack.replica(1)).getLong("started")).isEqualTo(before + 6);
            assertWhole(streams);
        }
    }

    @Test
    void scaledAwayAContainerFinishesItsStreamsAndNoNewRequestIsLost() throws Exception {
        try (Stack stack = new Stack()) {
            stack.configure("{dns: sim, port: 8000}");
            stack.scale(2);
            List<CompletableFuture<String>> streams = streamsOnBoth(stack);

            CompletableFuture<Integer> refused = CompletableFuture.supplyAsync(() -> refusedUntilDone(stack, streams));
            stack.scale(1);

            assertThat(refused.get(60, TimeUnit.SECONDS)).isZero();
            assertThat(stack.compose("ps", "-q", "sim").text().lines()).hasSize(1);
            assertWhole(streams);
            assertThat(stack.ask().statusCode()).isEqualTo(200);
        }
    }

    /** Asks until the streams have ended, and says how often the answer was none. */
    private static int refusedUntilDone(Stack stack, List<CompletableFuture<String>> streams) {
        int refused = 0;
        while (!streams.stream().allMatch(CompletableFuture::isDone)) {
            try {
                refused += stack.ask().statusCode() == 200 ? 0 : 1;
            } catch (IOException e) {
                refused++;
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
        return refused;
    }

    private static List<CompletableFuture<String>> streamsOnBoth(Stack stack) throws Exception {
        stack.until(
                "both are in rotation",
                () -> stack.upstreams().stream()
                                .filter(each -> each.getBoolean("usable"))
                                .count()
                        == 2);
        List<CompletableFuture<String>> streams = List.of(stack.stream(LONG), stack.stream(LONG));
        stack.until(
                "a stream on each",
                () -> stack.upstreams().stream()
                                .filter(each -> each.getInteger("inFlight") == 1)
                                .count()
                        == 2);
        return streams;
    }

    private static void assertWhole(List<CompletableFuture<String>> streams) throws Exception {
        for (CompletableFuture<String> stream : streams) {
            assertThat(stream.get(60, TimeUnit.SECONDS))
                    .endsWith("data: [DONE]\n\n")
                    .doesNotContain("\"error\"");
        }
    }
}
