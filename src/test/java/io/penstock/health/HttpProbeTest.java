package io.penstock.health;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.config.Endpoint;
import io.penstock.config.Replica;
import io.penstock.health.HttpProbe.Kind;
import io.penstock.health.HttpProbe.Result;
import io.penstock.health.ScriptedReplica.Manner;
import io.penstock.upstream.Upstream;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.net.SelfSignedCertificate;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class HttpProbeTest {

    /** Longer than anything local takes, unless a test waits for it to pass. */
    private static final Duration LONG = Duration.ofSeconds(20);

    private static final Duration SHORT = Duration.ofMillis(150);

    private Vertx vertx;
    private HttpProbe probe;
    private ScriptedReplica replica;

    @BeforeEach
    void open() throws Exception {
        vertx = Vertx.vertx();
        probe = onLoop(() -> Future.succeededFuture(new HttpProbe(vertx)));
        replica = new ScriptedReplica();
    }

    @AfterEach
    void close() throws Exception {
        replica.close();
        await(vertx.close());
    }

    @ParameterizedTest
    @CsvSource({
        "FINE, PASSED, 200",
        "UNAVAILABLE, FAILED, GET /health answered 503",
        "MOVED, FAILED, GET /health answered 307",
        "ENDLESS, PASSED, 200",
        "HANG_UP, REFUSED, connection closed without an answer"
    })
    void saysWhatItFound(Manner manner, Kind kind, String reason) throws Exception {
        replica.health = manner;

        Result result = health(at("127.0.0.1"), LONG);

        assertThat(result.kind()).isEqualTo(kind);
        assertThat(result.reason()).isEqualTo(reason);
        assertThat(replica.requests).doesNotContain("/elsewhere");
        eventually(() -> replica.openConnections() == 0);
    }

    @Test
    void aResetOnAcceptIsARefusal() throws Exception {
        replica.health = Manner.RESET;

        Result result = health(at("127.0.0.1"), LONG);

        // Whether the reset is seen while writing or while reading is up to the kernel.
        assertThat(result.kind()).isEqualTo(Kind.REFUSED);
        assertThat(result.reason()).isIn("connection reset", "connection closed without an answer");
    }

    @Test
    void anotherProtocolIsAFailure() throws Exception {
        replica.health = Manner.GIBBERISH;

        assertThat(health(at("127.0.0.1"), LONG).kind()).isEqualTo(Kind.FAILED);
    }

    @Test
    void aClosedPortIsRefused() throws Exception {
        replica.close();

        assertThat(health(at("127.0.0.1"), LONG)).isEqualTo(new Result(Kind.REFUSED, "connection refused", null));
    }

    @Test
    void aMuteServerGivesNoHeadAndTheConnectionIsClosed() throws Exception {
        replica.health = Manner.MUTE;

        Result result = health(at("127.0.0.1"), SHORT);

        assertThat(result).isEqualTo(new Result(Kind.NO_HEAD, "GET /health had no answer within 150 ms", "127.0.0.1"));
        eventually(() -> replica.openConnections() == 0);
    }

    @Test
    void aConnectionThatDoesNotComeAboutIsAFailure() throws Exception {
        try (ServerSocket full = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            List<Socket> fillers = fill(full);

            Result result = health(upstream(full.getLocalPort(), false, null, "127.0.0.1"), SHORT);

            assertThat(result).isEqualTo(new Result(Kind.FAILED, "connecting took longer than 150 ms", null));
            for (Socket filler : fillers) {
                filler.close();
            }
        }
    }

    @Test
    void sendsItsNameTheReplicasHostAndItsKey() throws Exception {
        health(upstream(replica.port(), false, "secret", "127.0.0.1"), LONG);

        assertThat(replica.requests).containsExactly("/health");
        assertThat(replica.headers)
                .anySatisfy(line -> assertThat(line).isEqualToIgnoringCase("host: vllm0.test:" + replica.port()))
                .anySatisfy(line -> assertThat(line).isEqualToIgnoringCase("user-agent: penstock-probe"))
                .anySatisfy(line -> assertThat(line).isEqualToIgnoringCase("authorization: Bearer secret"));
    }

    @Test
    void takesTheFirstAddressThatAnswers() throws Exception {
        assertThat(health(at("127.0.0.9", "127.0.0.1", "127.0.0.8"), LONG))
                .isEqualTo(new Result(Kind.PASSED, "200", "127.0.0.1"));
    }

    @Test
    void anAnswerThatIsBadIsAnAnswer() throws Exception {
        try (ScriptedReplica other = new ScriptedReplica("127.0.0.2", replica.port())) {
            other.health = Manner.UNAVAILABLE;

            assertThat(health(at("127.0.0.2", "127.0.0.1"), LONG).address()).isEqualTo("127.0.0.2");
            assertThat(replica.requests).isEmpty();
        }
    }

    @Test
    void theFirstAddressDecidesIfNoneAnswers() throws Exception {
        replica.health = Manner.HANG_UP;

        assertThat(health(at("127.0.0.1", "127.0.0.9"), LONG).reason())
                .isEqualTo("connection closed without an answer");
        assertThat(health(at("127.0.0.9", "127.0.0.1"), LONG).reason()).isEqualTo("connection refused");
    }

    @Test
    void speaksTlsWhereTheReplicaDoes() throws Exception {
        SelfSignedCertificate certificate = SelfSignedCertificate.create("vllm0.test");
        HttpServer server = await(vertx.createHttpServer(
                        new HttpServerOptions().setSsl(true).setKeyCertOptions(certificate.keyCertOptions()))
                .requestHandler(request -> request.response().end())
                .listen(0, "127.0.0.1"));
        Upstream upstream = upstream(server.actualPort(), true, null, "127.0.0.1");
        HttpProbe trusting = onLoop(() -> Future.succeededFuture(new HttpProbe(
                vertx, new HttpClientOptions().setTrustOptions(certificate.trustOptions()), ModelList.MAX_BYTES)));

        assertThat(onLoop(() -> trusting.health(upstream, LONG)).kind()).isEqualTo(Kind.PASSED);
        Result untrusted = health(upstream, LONG);
        assertThat(untrusted.kind()).isEqualTo(Kind.FAILED);
        assertThat(untrusted.reason()).startsWith("TLS failed: ");
    }

    @Test
    void aClosedProbeFailsInsteadOfThrowing() throws Exception {
        await(onLoop(() -> Future.succeededFuture(probe.close())));

        assertThat(health(at("127.0.0.1"), LONG).kind()).isEqualTo(Kind.FAILED);
        assertThat(models(LONG)).isEqualTo(ModelList.SILENT);
    }

    @Test
    void readsTheModels() throws Exception {
        replica.models = ScriptedReplica.modelsAnswer("demo", "lora");

        assertThat(models(LONG)).isEqualTo(new ModelList(Set.of("demo", "lora"), true));
        eventually(() -> replica.openConnections() == 0);
    }

    @ParameterizedTest
    @ValueSource(strings = {"401 Unauthorized", "404 Not Found", "500 Internal Server Error"})
    void anyOtherStatusMeansUnreadable(String status) throws Exception {
        replica.models = ScriptedReplica.answer(status, "{\"data\":[]}");

        assertThat(models(LONG)).isEqualTo(ModelList.UNREADABLE);
    }

    @Test
    void aListOverTheLimitIsNotRead() throws Exception {
        String exact = ScriptedReplica.modelsAnswer("demo");
        int length = exact.length() - exact.indexOf("\r\n\r\n") - 4;
        HttpProbe atLimit = onLoop(() -> Future.succeededFuture(new HttpProbe(vertx, new HttpClientOptions(), length)));
        HttpProbe overLimit =
                onLoop(() -> Future.succeededFuture(new HttpProbe(vertx, new HttpClientOptions(), length - 1)));

        assertThat(onLoop(() -> atLimit.models(at("127.0.0.1"), "127.0.0.1", LONG))
                        .ids())
                .containsExactly("demo");
        assertThat(onLoop(() -> overLimit.models(at("127.0.0.1"), "127.0.0.1", LONG)))
                .isEqualTo(ModelList.UNREADABLE);
        eventually(() -> replica.openConnections() == 0);
    }

    @Test
    void noListInTimeOrHalfAListIsSilence() throws Exception {
        replica.models = null;
        assertThat(models(SHORT)).isEqualTo(ModelList.SILENT);

        replica.models = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"data\":[";
        assertThat(models(SHORT)).isEqualTo(ModelList.SILENT);
        eventually(() -> replica.openConnections() == 0);

        replica.close();
        assertThat(models(LONG)).isEqualTo(ModelList.SILENT);
    }

    private Upstream at(String... addresses) {
        return upstream(replica.port(), false, null, addresses);
    }

    private static Upstream upstream(int port, boolean tls, @Nullable String apiKey, String... addresses) {
        Replica replica = new Replica("vllm0", new Endpoint("vllm0.test", port), tls, false, 1, 0, Set.of(), apiKey);
        return new Upstream("vllm0", "vllm0", replica, List.of(addresses));
    }

    private Result health(Upstream upstream, Duration timeout) throws Exception {
        return onLoop(() -> probe.health(upstream, timeout));
    }

    private ModelList models(Duration timeout) throws Exception {
        return onLoop(() -> probe.models(at("127.0.0.1"), "127.0.0.1", timeout));
    }

    private <T> T onLoop(Supplier<Future<T>> work) throws Exception {
        return await(
                Future.future(promise -> vertx.runOnContext(turn -> work.get().onComplete(promise))));
    }

    private static <T> T await(Future<T> future) throws Exception {
        return future.toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
    }

    /** Connects until nobody else can: the kernel drops what comes after a full backlog. */
    private static List<Socket> fill(ServerSocket server) throws IOException {
        List<Socket> fillers = new ArrayList<>();
        while (fillers.size() < 20) {
            Socket filler = new Socket();
            try {
                filler.connect(server.getLocalSocketAddress(), 200);
                fillers.add(filler);
            } catch (IOException full) {
                filler.close();
                return fillers;
            }
        }
        throw new IllegalStateException("the backlog never filled up");
    }

    private static void eventually(BooleanSupplier condition) throws InterruptedException {
        long attempts = 1000;
        while (!condition.getAsBoolean()) {
            assertThat(attempts--).as("attempts left").isPositive();
            TimeUnit.MILLISECONDS.sleep(10);
        }
    }
}
