package io.penstock.proxy.front;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.proxy.ExchangeReport.Result;
import io.penstock.proxy.FailureKind;
import io.penstock.upstream.Outcome;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Forms with audio in them: they are routed, made good elsewhere and ended like any other inference. */
@SuppressWarnings("NullAway.Init") // Opened before each test.
class FormsTest {

    private static final int MIB = 1 << 20;
    private static final String TYPE = "multipart/form-data; boundary=----cafe1234";
    private static final String TRANSCRIPTIONS = "/v1/audio/transcriptions";

    private ScriptedReplica one;
    private ScriptedReplica other;

    @BeforeEach
    void open() throws Exception {
        one = ScriptedReplica.start();
        other = ScriptedReplica.start();
    }

    @AfterEach
    void close() throws Exception {
        Eventually.that("no replica is busy any more", () -> one.busy() == 0 && other.busy() == 0);
        one.close();
        other.close();
    }

    private static byte[] form(int audioBytes, String model, boolean stream) throws Exception {
        byte[] audio = new byte[audioBytes];
        new Random(11).nextBytes(audio);
        ByteArrayOutputStream form = new ByteArrayOutputStream();
        form.writeBytes(part("name=\"file\"; filename=\"a.wav\"\r\nContent-Type: audio/wav"));
        form.writeBytes(audio);
        form.writeBytes("\r\n".getBytes(StandardCharsets.US_ASCII));
        form.writeBytes(part("name=\"model\""));
        form.writeBytes((model + "\r\n").getBytes(StandardCharsets.UTF_8));
        form.writeBytes(part("name=\"stream\""));
        form.writeBytes((stream + "\r\n------cafe1234--\r\n").getBytes(StandardCharsets.US_ASCII));
        return form.toByteArray();
    }

    private static byte[] part(String head) {
        return ("------cafe1234\r\nContent-Disposition: form-data; " + head + "\r\n\r\n")
                .getBytes(StandardCharsets.US_ASCII);
    }

    private static Client send(Client client, String path, byte[] form) throws Exception {
        return client.send(Client.request("POST", path, "Content-Type: " + TYPE, "Content-Length: " + form.length))
                .send(form);
    }

    @Test
    void twentyFiveMegabytesOfAudioArriveByteForByte() throws Exception {
        byte[] form = form(25 * MIB, "m", false);
        one.always(Script.json("{\"text\":\"hi\"}"));
        try (Stage stage = Setting.with(one).open();
                Client client = Client.to(stage)) {
            Client.Reply reply = send(client, TRANSCRIPTIONS, form).reply();
            assertThat(reply.status()).isEqualTo(200);
            assertThat(reply.body()).isEqualTo("{\"text\":\"hi\"}");
            assertThat(stage.report(0).model()).isEqualTo("m");
            assertThat(stage.report(0).route()).isEqualTo(TRANSCRIPTIONS);
            assertThat(stage.report(0).bytesIn()).isEqualTo(form.length);
        }
        assertThat(one.call(0).body).isEqualTo(form);
        assertThat(one.call(0).header("content-type")).isEqualTo(TYPE);
        assertThat(one.call(0).header("content-length")).isEqualTo(String.valueOf(form.length));
    }

    @ParameterizedTest
    @ValueSource(strings = {TRANSCRIPTIONS, "/v1/audio/translations"})
    void formGoesToAReplicaThatServesItsModel(String path) throws Exception {
        other.at(
                "/v1/models",
                Script.json("{\"object\":\"list\",\"data\":[{\"id\":\"whisper\",\"object\":\"model\"}]}"));
        try (Stage stage = Setting.with(one, other).open();
                Client client = Client.to(stage)) {
            Eventually.that(
                    "the models are known",
                    () -> Boolean.TRUE.equals(stage.replica("b").serves("whisper"))
                            && Boolean.TRUE.equals(stage.replica("a").serves("m")));
            for (int i = 0; i < 4; i++) {
                send(client, path, form(1000, "whisper", false)).reply();
            }
            for (int i = 0; i < 3; i++) {
                send(client, path, form(1000, "m", false)).reply();
            }
            assertThat(stage.reports()).allMatch(report -> report.result() == Result.COMPLETED);
        }
        assertThat(other.calls()).hasSize(4);
        assertThat(one.calls()).hasSize(3);
    }

    @ParameterizedTest
    @ValueSource(strings = {"FIN", "RST", "cut"})
    void formOfAReplicaThatDiesIsMadeGoodElsewhere(String how) throws Exception {
        byte[] form = form(3 * MIB, "m", false);
        Script death = switch (how) {
            case "FIN" -> Script.FIN;
            case "RST" -> Script.RESET;
            default ->
                Script.raw(Script.head(200, "application/json", 50) + "{\"text\":")
                        .then(Script.FIN);
        };
        one.always(death);
        other.always(Script.json("{\"text\":\"hi\"}"));
        try (Stage stage = Setting.with(one, other).open()) {
            for (int i = 0; i < 2; i++) { // One of the two has begun at the replica that dies.
                try (Client client = Client.to(stage)) {
                    Client.Reply reply = send(client, TRANSCRIPTIONS, form).reply();
                    assertThat(reply.status()).isEqualTo(200);
                    assertThat(reply.body()).isEqualTo("{\"text\":\"hi\"}");
                }
            }
            assertThat(stage.replica("a").count(Outcome.FAILED)).isPositive();
        }
        assertThat(one.call(0).body).isEqualTo(form);
        assertThat(other.call(0).body).isEqualTo(form);
        assertThat(other.call(1).body).isEqualTo(form);
    }

    @Test
    void formOverTheLimitGets413() throws Exception {
        byte[] form = form(2 * MIB, "m", false);
        try (Stage stage = Setting.with(one).bodies(MIB, 64L * MIB).open();
                Client client = Client.to(stage)) {
            Client.Reply reply = send(client, TRANSCRIPTIONS, form).reply();
            assertThat(reply.status()).isEqualTo(413);
            assertThat(reply.body()).contains("\"code\":\"body_too_large\"", "limits.body");
            assertThat(stage.report(0).failure()).isEqualTo(FailureKind.BODY_TOO_LARGE);
        }
        assertThat(one.calls()).isEmpty();
    }

    @Test
    void transcriptionIsStreamedEventByEvent() throws Exception {
        CountDownLatch second = new CountDownLatch(1);
        one.always(Script.begun("data: {\"text\":\"a\"}\n\n")
                .then(Script.until(second))
                .then(call -> call.chunk("data: {\"text\":\"b\"}\n\n"))
                .then(call -> call.chunk("data: [DONE]\n\n"))
                .then(Script.raw("0\r\n\r\n")));
        try (Stage stage = Setting.with(one).open();
                Client client = Client.to(stage)) {
            assertThat(send(client, TRANSCRIPTIONS, form(100_000, "m", true)).head())
                    .contains("text/event-stream");
            assertThat(client.chunk()).isEqualTo("data: {\"text\":\"a\"}\n\n");
            second.countDown();
            assertThat(client.until("\r\n0\r\n\r\n")).contains("\"b\"", "data: [DONE]\n\n");
            assertThat(stage.report(0).stream()).isTrue();
            assertThat(stage.report(0).result()).isEqualTo(Result.COMPLETED);
        }
    }

    @Test
    void transcriptionThatBreaksNeverLooksWhole() throws Exception {
        one.always(Script.begun("data: {\"text\":\"a\"}\n\n").then(Script.FIN));
        try (Stage stage = Setting.with(one).open();
                Client client = Client.to(stage)) {
            send(client, TRANSCRIPTIONS, form(1000, "m", true)).head();
            assertThat(client.rest())
                    .contains("\"a\"", "\"code\":\"upstream_died\"")
                    .doesNotContain("[DONE]")
                    .doesNotContain("\r\n0\r\n");
            assertThat(stage.report(0).result()).isEqualTo(Result.BROKEN);
        }
    }

    @Test
    void clientThatWaitsForATranscriptionStreamHearsSignsOfLife() throws Exception {
        CountDownLatch go = new CountDownLatch(1);
        one.always(Script.until(go).then(Script.stream("data: 1\n\n", "data: [DONE]\n\n")));
        try (Stage stage = Setting.with(one).heartbeat(Duration.ofMillis(50)).open();
                Client client = Client.to(stage)) {
            send(client, TRANSCRIPTIONS, form(1000, "m", true)).head();
            assertThat(client.chunk()).startsWith(":");
            go.countDown();
            assertThat(client.until("\r\n0\r\n\r\n")).contains("[DONE]");
        }
    }

    @Test
    void clientThatLeavesStopsTheTranscription() throws Exception {
        one.always(Script.SILENCE);
        try (Stage stage = Setting.with(one).open();
                Client client = Client.to(stage)) {
            send(client, TRANSCRIPTIONS, form(1000, "m", false));
            Call call = one.call(0);
            client.fin();
            Eventually.that("the replica's connection is closed", () -> call.closedNanos() != 0);
            assertThat(stage.report(0).result()).isEqualTo(Result.CLIENT_LEFT);
        }
    }
}
