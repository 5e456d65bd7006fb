package io.penstock.proxy.front;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.proxy.FailureKind;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Request bodies: limits, memory, silence, and that a replica gets every byte. */
@SuppressWarnings("NullAway.Init") // Opened before each test.
class BodiesTest {

    private static final int MIB = 1 << 20;
    private static final Duration MANY = Duration.ofSeconds(60);

    private ScriptedReplica replica;

    @BeforeEach
    void open() throws Exception {
        replica = ScriptedReplica.start();
    }

    @AfterEach
    void close() throws Exception {
        Eventually.that("no replica is busy any more", () -> replica.busy() == 0);
        replica.close();
    }

    private static String head(String... lines) {
        return Client.request("POST", "/v1/chat/completions", lines);
    }

    @Test
    void bodyOverTheLimitGets413AtOnce() throws Exception {
        try (Stage stage = Setting.with(replica).bodies(MIB, 64L * MIB).open();
                Client client = Client.to(stage)) {
            client.send(head("Content-Length: " + (MIB + 1)));
            Client.Reply reply = client.reply();
            assertThat(reply.status()).isEqualTo(413);
            assertThat(reply.body()).contains("\"code\":\"body_too_large\"", "limits.body");
            client.end();
            assertThat(stage.report(0).failure()).isEqualTo(FailureKind.BODY_TOO_LARGE);
        }
    }

    @Test
    void bodyThatGrowsOverTheLimitGets413() throws Exception {
        try (Stage stage = Setting.with(replica).bodies(MIB, 64L * MIB).open();
                Client client = Client.to(stage)) {
            client.send(head("Transfer-Encoding: chunked"));
            client.send(Integer.toHexString(MIB + 1) + "\r\n");
            client.send(new byte[MIB + 1]);
            assertThat(client.reply().status()).isEqualTo(413);
            client.end();
        }
        assertThat(replica.calls()).isEmpty();
    }

    @Test
    void bodyOfExactlyTheLimitPasses() throws Exception {
        byte[] body = new byte[MIB];
        new Random(1).nextBytes(body);
        try (Stage stage = Setting.with(replica).bodies(MIB, 64L * MIB).open();
                Client client = Client.to(stage)) {
            client.send(head("Content-Length: " + MIB)).send(body);
            assertThat(client.reply().status()).isEqualTo(200);
            assertThat(stage.report(0).bytesIn()).isEqualTo(MIB);
        }
        assertThat(replica.call(0).body).isEqualTo(body);
    }

    @Test
    void clientThatWritesEverythingFirstCanReadTheRefusal() throws Exception {
        int size = 20 * MIB;
        try (Stage stage = Setting.with(replica).bodies(MIB, 64L * MIB).open()) {
            for (int i = 0; i < 3; i++) {
                try (Client client = Client.to(stage)) {
                    client.send(head("Content-Length: " + size)).send(new byte[size]);
                    assertThat(client.reply().status()).isEqualTo(413);
                    client.end();
                }
            }
        }
    }

    @Test
    void clientThatNeverStopsSendingIsClosedAfterAMoment() throws Exception {
        try (Stage stage = Setting.with(replica).bodies(MIB, 64L * MIB).open();
                Client client = Client.to(stage)) {
            client.send(head("Content-Length: " + 20 * MIB));
            assertThat(client.reply().status()).isEqualTo(413);
            long start = System.nanoTime();
            client.end();
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(2));
        }
    }

    private static long takeAll(Stage stage) {
        long before = stage.bodies().reservedBytes();
        while (stage.bodies().tryReserve(16)) {
            assertThat(stage.bodies().reservedBytes()).isPositive();
        }
        return stage.bodies().reservedBytes() - before;
    }

    @Test
    void bodyWaitsForMemoryAndGoesOnWhenThereIsSome() throws Exception {
        try (Stage stage = Setting.with(replica).bodies(MIB, MIB).open();
                Client client = Client.to(stage)) {
            long taken = takeAll(stage);
            String request = Client.chat();
            client.send(request);
            assertThat(client.isSilentFor(150)).isTrue();
            assertThat(replica.calls()).isEmpty();
            stage.bodies().release(taken);
            assertThat(client.reply().status()).isEqualTo(200);
            assertThat(replica.call(0).text()).isEqualTo(request.substring(request.indexOf("\r\n\r\n") + 4));
        }
    }

    @Test
    void bodyThatWaitsForMemoryInVainGets503() throws Exception {
        try (Stage stage = Setting.with(replica).bodies(8 * MIB, 9L * MIB).open();
                Client client = Client.to(stage)) {
            assertThat(stage.bodies().tryReserve(6 * MIB)).isTrue();
            client.send(head("Content-Length: " + 6 * MIB)).send(new byte[MIB / 4]);
            Client.Reply reply = client.reply();
            assertThat(reply.status()).isEqualTo(503);
            assertThat(reply.header("retry-after")).isNotEmpty();
            assertThat(reply.body()).contains("\"code\":\"overloaded\"", "limits.bodyMemory");
            stage.bodies().release(6 * MIB);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void bodyThatCanNeverFitGets413AtOnceAndHearsWhatToRaise(boolean chunked) throws Exception {
        try (Stage stage = Setting.with(replica).bodies(8 * MIB, 4L * MIB).open();
                Client client = Client.to(stage)) {
            long start = System.nanoTime();
            if (chunked) {
                client.send(head("Transfer-Encoding: chunked") + Integer.toHexString(3 * MIB + 1) + "\r\n");
                client.send(new byte[3 * MIB + 1]);
            } else {
                client.send(head("Content-Length: " + (3 * MIB + 1)));
            }
            Client.Reply reply = client.reply();
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(2));
            assertThat(reply.status()).isEqualTo(413);
            assertThat(reply.body()).contains("\"code\":\"body_too_large\"", "3072 KiB", "limits.bodyMemory", "-Xmx");
            client.end();
        }
        assertThat(replica.calls()).isEmpty();
    }

    @Test
    void largestBodyThatFitsPasses() throws Exception {
        try (Stage stage = Setting.with(replica).bodies(8 * MIB, 4L * MIB).open();
                Client client = Client.to(stage)) {
            client.send(head("Content-Length: " + 3 * MIB)).send(new byte[3 * MIB]);
            assertThat(client.reply().status()).isEqualTo(200);
        }
        assertThat(replica.call(0).body).hasSize(3 * MIB);
    }

    @Test
    void chatsGoOnWhileLargeUploadsHoldAllThatTheyCanGet() throws Exception {
        try (Stage stage = Setting.with(replica).bodies(8 * MIB, 9L * MIB).open();
                Client large = Client.to(stage);
                Client next = Client.to(stage);
                Client chunked = Client.to(stage);
                Client chat = Client.to(stage)) {
            large.send(head("Content-Length: " + 6 * MIB)).send(new byte[3 * MIB]);
            Eventually.that("it has its memory", () -> stage.bodyBytes() == 6 * MIB);
            next.send(head("Content-Length: " + 6 * MIB)).send(new byte[100]);
            chunked.send(head("Transfer-Encoding: chunked") + Integer.toHexString(6 * MIB) + "\r\n");
            chunked.send(new byte[2 * MIB]);
            assertThat(chunked.reply().status()).isEqualTo(503);
            for (int i = 0; i < 20; i++) {
                long start = System.nanoTime();
                assertThat(chat.send(Client.chat()).reply().status()).isEqualTo(200);
                assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(1));
            }
            assertThat(next.isSilentFor(1)).isTrue();
        }
    }

    @Test
    void chunkedBodyTakesTheMemoryThatItNeedsAndNoMore() throws Exception {
        CountDownLatch answer = new CountDownLatch(1);
        replica.always(Script.until(answer).then(Script.json("{}")));
        byte[] body = new byte[600_000];
        new Random(9).nextBytes(body);
        try (Stage stage = Setting.with(replica).open();
                Client client = Client.to(stage)) {
            client.send(head("Transfer-Encoding: chunked") + "3e8\r\n").send(Arrays.copyOf(body, 1000));
            Eventually.that("it has begun", () -> stage.bodyBytes() > 0);
            assertThat(stage.bodyBytes()).isLessThan(64 << 10);
            client.send("\r\n" + Integer.toHexString(599_000) + "\r\n")
                    .send(Arrays.copyOfRange(body, 1000, body.length))
                    .send("\r\n0\r\n\r\n");
            assertThat(replica.call(0).body).isEqualTo(body);
            assertThat(stage.bodyBytes()).isEqualTo(body.length);
            answer.countDown();
            assertThat(client.reply().status()).isEqualTo(200);
            assertThat(stage.report(0).bytesIn()).isEqualTo(body.length);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void clientThatLeavesWhileItsBodyWaitsForMemoryLeavesNothingBehind(boolean reset) throws Exception {
        try (Stage stage = Setting.with(replica).bodies(MIB, MIB).open();
                Client client = Client.to(stage)) {
            long taken = takeAll(stage);
            client.send(Client.chat());
            Eventually.that("it is there", () -> stage.started() == 1);
            if (reset) {
                client.reset();
            } else {
                client.fin();
            }
            stage.report(0);
            stage.bodies().release(taken);
            stage.settle();
        }
        assertThat(replica.calls()).isEmpty();
    }

    @Test
    void chunkedBodyIsRefusedWhenItCannotGrow() throws Exception {
        try (Stage stage = Setting.with(replica).bodies(8 * MIB, 8 * MIB).open();
                Client client = Client.to(stage)) {
            assertThat(stage.bodies().tryReserve(5 * MIB)).isTrue();
            client.send(head("Transfer-Encoding: chunked"));
            client.send(Integer.toHexString(3 * MIB) + "\r\n").send(new byte[3 * MIB]);
            Client.Reply reply = client.reply();
            assertThat(reply.status()).isEqualTo(503);
            assertThat(reply.header("retry-after")).isNotEmpty();
            Eventually.that("what it had is given back", () -> stage.bodyBytes() == 5 * MIB);
            stage.bodies().release(5 * MIB);
        }
    }

    @Test
    void silenceInAnUploadGets408() throws Exception {
        try (Stage stage = Setting.with(replica)
                        .clients(MANY, Duration.ofMillis(200), MANY)
                        .open();
                Client client = Client.to(stage)) {
            client.send(head("Content-Length: 1000")).send("{\"model\":");
            Client.Reply reply = client.reply();
            assertThat(reply.status()).isEqualTo(408);
            assertThat(reply.body()).contains("\"code\":\"client_too_slow\"");
            client.end();
        }
    }

    @Test
    void slowUploadThatKeepsComingIsNotSilence() throws Exception {
        try (Stage stage = Setting.with(replica)
                        .clients(MANY, Duration.ofMillis(250), MANY)
                        .open();
                Client client = Client.to(stage)) {
            client.send(head("Content-Length: 8"));
            for (int i = 0; i < 8; i++) {
                Thread.sleep(80);
                client.send("x");
            }
            assertThat(client.reply().status()).isEqualTo(200);
        }
    }

    @Test
    void memoryIsGivenBackAtTheFirstOutput() throws Exception {
        CountDownLatch end = new CountDownLatch(1);
        replica.always(Script.begun(": accepted\n\n")
                .then(Script.after(100))
                .then(call -> call.chunk("data: 1\n\n"))
                .then(Script.until(end))
                .then(Script.END));
        try (Stage stage = Setting.with(replica).open();
                Client client = Client.to(stage)) {
            byte[] body = new byte[300_000];
            client.send(head("Content-Length: " + body.length)).send(body);
            replica.call(0);
            assertThat(stage.bodyBytes()).isEqualTo(body.length);
            client.head();
            assertThat(stage.bodyBytes()).isZero();
            end.countDown();
            assertThat(client.until("\r\n0\r\n\r\n")).isNotEmpty();
        }
    }

    @Test
    void everyByteArrivesAlsoWhenItIsNotJson() throws Exception {
        byte[] body = new byte[3_000_000];
        new Random(7).nextBytes(body);
        try (Stage stage = Setting.with(replica).open();
                Client client = Client.to(stage)) {
            client.send(head("Content-Length: " + body.length, "Content-Type: application/x-strange"))
                    .send(body);
            assertThat(client.reply().status()).isEqualTo(200);
        }
        assertThat(replica.call(0).body).isEqualTo(body);
        assertThat(replica.call(0).header("content-type")).isEqualTo("application/x-strange");
    }

    @Test
    void jsonIsForwardedAsItWasSpelled() throws Exception {
        String body =
                "{ \"model\" : \"m\",\r\n\t\"stream\":false , \"x\":1.0e2, \"model\":\"m\", \"u\":\"\\u00e4ä\" }  ";
        try (Stage stage = Setting.with(replica).open();
                Client client = Client.to(stage)) {
            assertThat(client.send(Client.post("/v1/completions", body)).reply().status())
                    .isEqualTo(200);
        }
        assertThat(new String(replica.call(0).body, StandardCharsets.UTF_8)).isEqualTo(body);
    }
}
