package io.penstock.proxy.front;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.proxy.ExchangeReport.Result;
import io.penstock.proxy.FailureKind;
import io.penstock.upstream.Outcome;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Routes that are passed through: stored responses, paths that the operator opened. */
@SuppressWarnings("NullAway.Init") // Opened before each test.
class PlainRoutesTest {

    private static final String UPLOAD = "/my/upload";
    private static final String STORED = "/v1/responses/resp_1";

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

    private static Setting uploads(ScriptedReplica... replicas) {
        return Setting.with(replicas).allow(UPLOAD);
    }

    private static byte[] form(int size) throws Exception {
        byte[] audio = new byte[size];
        new Random(3).nextBytes(audio);
        ByteArrayOutputStream form = new ByteArrayOutputStream();
        form.write("--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper\r\n--b\r\n"
                .getBytes(StandardCharsets.UTF_8));
        form.write("Content-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\n"
                .getBytes(StandardCharsets.UTF_8));
        form.write(audio);
        form.write("\r\n--b--\r\n".getBytes(StandardCharsets.UTF_8));
        return form.toByteArray();
    }

    private static String upload(int length, String... headers) {
        return Client.request("POST", UPLOAD, headers)
                .replace(
                        "\r\n\r\n",
                        "\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: " + length + "\r\n\r\n");
    }

    @Test
    void multipartUploadArrivesByteForByte() throws Exception {
        byte[] form = form(3_000_000);
        replica.always(Script.json("{\"text\":\"hi\"}"));
        try (Stage stage = uploads(replica).open();
                Client client = Client.to(stage)) {
            client.send(upload(form.length)).send(form);
            Client.Reply reply = client.reply();
            assertThat(reply.status()).isEqualTo(200);
            assertThat(reply.body()).isEqualTo("{\"text\":\"hi\"}");
            assertThat(stage.report(0).result()).isEqualTo(Result.COMPLETED);
            assertThat(stage.report(0).bytesIn()).isEqualTo(form.length);
            assertThat(stage.report(0).bytesOut()).isEqualTo(13);
            assertThat(stage.replica("a").count(Outcome.COMPLETED)).isEqualTo(1);
        }
        assertThat(replica.call(0).body).isEqualTo(form);
        assertThat(replica.call(0).header("content-type")).isEqualTo("multipart/form-data; boundary=b");
    }

    @Test
    void chunkedUploadArrives() throws Exception {
        try (Stage stage = uploads(replica).open();
                Client client = Client.to(stage)) {
            client.send(
                    Client.request("POST", UPLOAD, "Transfer-Encoding: chunked") + "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
            assertThat(client.reply().status()).isEqualTo(200);
        }
        assertThat(replica.call(0)
                        .text()
                        .replaceAll("\\w+\r\n(\\w*)(\r\n)?", "$1")
                        .strip())
                .contains("abc");
    }

    @Test
    void expectIsAnsweredHere() throws Exception {
        byte[] form = form(1000);
        try (Stage stage = uploads(replica).open();
                Client client = Client.to(stage)) {
            client.send(upload(form.length, "Expect: 100-continue"));
            assertThat(client.head()).isEqualTo("HTTP/1.1 100 Continue\r\n\r\n");
            assertThat(client.send(form).reply().status()).isEqualTo(200);
        }
        assertThat(replica.call(0).headers("expect")).isEmpty();
        assertThat(replica.call(0).body).isEqualTo(form);
    }

    @Test
    void storedResponseIsPassedWithItsQuery() throws Exception {
        replica.always(Script.json("{\"id\":\"resp_1\"}"));
        try (Stage stage = uploads(replica).open();
                Client client = Client.to(stage)) {
            client.send(Client.request("GET", STORED + "?stream=false&x=%41"));
            assertThat(client.reply().body()).isEqualTo("{\"id\":\"resp_1\"}");
            assertThat(client.send(Client.request("POST", STORED + "/cancel", "Content-Length: 0"))
                            .reply()
                            .status())
                    .isEqualTo(200);
            assertThat(stage.report(0).route()).isEqualTo("/v1/responses/{id}");
        }
        assertThat(replica.call(0).requestLine()).isEqualTo("GET " + STORED + "?stream=false&x=%41 HTTP/1.1");
        assertThat(replica.call(1).requestLine()).isEqualTo("POST " + STORED + "/cancel HTTP/1.1");
    }

    @Test
    void operatorsPathsAreOpenAndOthersAreNot() throws Exception {
        try (Stage stage = uploads(replica).allow("/my/route").open();
                Client client = Client.to(stage)) {
            assertThat(client.send(Client.request("GET", "/my/route")).reply().status())
                    .isEqualTo(200);
            assertThat(client.send(Client.request("GET", "/my/%72oute")).reply().status())
                    .isEqualTo(200);
            assertThat(client.send(Client.request("GET", "/my/route/")).reply().status())
                    .isEqualTo(404);
            assertThat(client.send(Client.request("HEAD", "/my/route"))
                            .bodilessReply()
                            .status())
                    .isEqualTo(200);
        }
        assertThat(replica.calls())
                .extracting(Call::requestLine)
                .containsExactly("GET /my/route HTTP/1.1", "GET /my/route HTTP/1.1", "HEAD /my/route HTTP/1.1");
    }

    @ParameterizedTest
    @ValueSource(strings = {"FIN", "RST", "garbage", "partial head"})
    void failingReplicaGets502InJson(String how) throws Exception {
        replica.always(
                switch (how) {
                    case "FIN" -> Script.FIN;
                    case "RST" -> Script.RESET;
                    case "garbage" -> Script.raw("\001\002 what\r\n\r\n").then(Script.SILENCE);
                    default -> Script.raw("HTTP/1.1 200 OK\r\ncont").then(Script.FIN);
                });
        try (Stage stage = uploads(replica).open();
                Client client = Client.to(stage)) {
            Client.Reply reply =
                    client.send(Client.post(UPLOAD, "x", "X-Request-Id: r7")).reply();
            assertThat(reply.status()).isEqualTo(502);
            assertThat(reply.body()).contains("\"code\":\"upstream_died\"", "replica a");
            assertThat(reply.header("x-request-id")).isEqualTo("r7");
            assertThat(stage.report(0).failure()).isEqualTo(FailureKind.DIED_BEFORE_OUTPUT);
            assertThat(stage.replica("a").count(Outcome.FAILED)).isEqualTo(1);
            replica.always(Script.json("{}"));
            assertThat(client.send(Client.request("GET", STORED)).reply().status())
                    .isEqualTo(200);
        }
    }

    @Test
    void refusedConnectionIsMadeGoodElsewhere() throws Exception {
        try (ScriptedReplica other = ScriptedReplica.start();
                Stage stage =
                        uploads(replica, other).probes(Duration.ofSeconds(30)).open();
                Client client = Client.to(stage)) {
            replica.refuse();
            for (int i = 0; i < 3; i++) {
                assertThat(client.send(Client.post(UPLOAD, "abc")).reply().status())
                        .isEqualTo(200);
            }
            assertThat(other.calls()).hasSize(3);
            assertThat(other.call(0).text()).isEqualTo("abc");
        }
    }

    @Test
    void waitingInVainGets503() throws Exception {
        replica.refuse();
        try (Stage stage = uploads(replica)
                        .ready(0)
                        .waiting(10, Duration.ofMillis(200))
                        .open();
                Client client = Client.to(stage)) {
            Client.Reply reply = client.send(Client.post(UPLOAD, "abc")).reply();
            assertThat(reply.status()).isEqualTo(503);
            assertThat(reply.header("retry-after")).isNotEmpty();
            assertThat(reply.body()).contains("no_replica_available");
        }
    }

    @ParameterizedTest
    @EnumSource(ClientLeavesTest.Way.class)
    void clientThatLeavesWhileWaitingLeavesNoGhost(ClientLeavesTest.Way way) throws Exception {
        replica.refuse();
        try (Stage stage = uploads(replica).ready(0).open();
                Client client = Client.to(stage)) {
            client.send(Client.post(UPLOAD, "abc"));
            Eventually.that("it waits", () -> stage.waiting() == 1);
            way.leave(client);
            assertThat(stage.report(0).result()).isEqualTo(Result.CLIENT_LEFT);
            replica.listen();
            Eventually.that("the replica is back", () -> stage.ready() == 1);
            try (Client other = Client.to(stage)) {
                other.send(Client.request("GET", STORED)).reply();
            }
            stage.settle();
            assertThat(replica.calls()).hasSize(1);
        }
    }

    @ParameterizedTest
    @EnumSource(ClientLeavesTest.Way.class)
    void clientThatLeavesWhileConnectingLeavesNoGhost(ClientLeavesTest.Way way) throws Exception {
        try (ScriptedReplica hole = ScriptedReplica.startWithTinyBacklog();
                Stage stage = uploads(hole)
                        .probes(Duration.ofSeconds(30))
                        .connect(Duration.ofMillis(500))
                        .open();
                Client client = Client.to(stage)) {
            hole.blackHole();
            client.send(Client.post(UPLOAD, "abc"));
            Eventually.that("it is being connected", () -> stage.replica("a").inFlight() == 1);
            way.leave(client);
            assertThat(stage.report(0).result()).isEqualTo(Result.CLIENT_LEFT);
            assertThat(stage.replica("a").count(Outcome.IGNORED)).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @EnumSource(ClientLeavesTest.Way.class)
    void clientThatLeavesBeforeTheHeadStopsTheReplica(ClientLeavesTest.Way way) throws Exception {
        replica.always(Script.SILENCE);
        leave(way, Client.request("GET", STORED), false);
    }

    @ParameterizedTest
    @EnumSource(ClientLeavesTest.Way.class)
    void clientThatLeavesInTheBodyStopsTheReplica(ClientLeavesTest.Way way) throws Exception {
        replica.always(Script.begun("data: 1\n\n").then(Script.SILENCE));
        leave(way, Client.request("GET", STORED + "?stream=true"), true);
    }

    private void leave(ClientLeavesTest.Way way, String request, boolean readsHead) throws Exception {
        try (Stage stage = uploads(replica).open();
                Client client = Client.to(stage)) {
            client.send(request);
            Call call = replica.call(0);
            if (readsHead) {
                client.head();
            }
            long left = System.nanoTime();
            way.leave(client);
            Eventually.that("the replica's connection is closed", () -> call.closedNanos() != 0);
            assertThat(Duration.ofNanos(call.closedNanos() - left)).isLessThan(Duration.ofSeconds(1));
            assertThat(stage.report(0).result()).isEqualTo(Result.CLIENT_LEFT);
            assertThat(stage.report(0).status()).isEqualTo(499);
            assertThat(stage.replica("a").count(Outcome.IGNORED)).isEqualTo(1);
        }
    }

    @Test
    void clientThatLeavesDuringTheUploadStopsTheReplica() throws Exception {
        try (Stage stage = uploads(replica).open();
                Client client = Client.to(stage)) {
            client.send(upload(1_000_000)).send(new byte[10_000]);
            Eventually.that("it is under way", () -> stage.replica("a").inFlight() == 1);
            client.reset();
            assertThat(stage.report(0).result()).isEqualTo(Result.CLIENT_LEFT);
            assertThat(stage.replica("a").count(Outcome.FAILED)).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"FIN", "RST", "bad chunk"})
    void deathInTheBodyIsCutAndNeverCleanlyEnded(String how) throws Exception {
        replica.always(Script.begun("data: 1\n\n")
                .then(
                        switch (how) {
                            case "FIN" -> Script.FIN;
                            case "RST" -> Script.after(50).then(Script.RESET);
                            default -> Script.raw("zz\r\n").then(Script.SILENCE);
                        }));
        try (Stage stage = uploads(replica).open();
                Client client = Client.to(stage)) {
            client.send(Client.request("GET", STORED + "?stream=true")).head();
            assertThat(client.rest()).startsWith("9\r\ndata: 1\n\n\r\n").doesNotContain("\r\n0\r\n");
            assertThat(stage.report(0).result()).isEqualTo(Result.BROKEN);
            assertThat(stage.replica("a").count(Outcome.FAILED)).isEqualTo(1);
        }
    }

    @Test
    void staleConnectionsCostNobodyAnError() throws Exception {
        replica.always(Script.json("{}")).idle(20);
        try (Stage stage = uploads(replica).open();
                Client client = Client.to(stage)) {
            int failed = 0;
            for (int i = 0; i < 60; i++) {
                failed += client.send(Client.request("GET", STORED)).reply().status() == 200 ? 0 : 1;
                Thread.sleep(18 + i % 4); // The replica closes at 20 ms: this is the race itself.
            }
            assertThat(failed).isZero();
        }
    }

    @Test
    void earlyAnswerReachesAClientThatIsStillSending() throws Exception {
        replica.refuse();
        try (Stage stage = uploads(replica)
                        .ready(0)
                        .waiting(10, Duration.ofMillis(100))
                        .open();
                Client client = Client.to(stage)) {
            int size = 20 << 20;
            client.send(upload(size)).send(new byte[size]);
            assertThat(client.reply().status()).isEqualTo(503);
        }
    }
}
