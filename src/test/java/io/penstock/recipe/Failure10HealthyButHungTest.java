package io.penstock.recipe;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.proxy.AttemptReport;
import io.penstock.proxy.ExchangeReport;
import io.penstock.proxy.FailureKind;
import io.penstock.proxy.front.Client;
import io.penstock.proxy.front.Eventually;
import io.penstock.proxy.front.Setting;
import io.penstock.proxy.front.Stage;
import io.penstock.sim.Fault;
import io.penstock.sim.SimOptions;
import io.penstock.sim.Simulator;
import io.penstock.upstream.Standing;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Recipe failure 10: {@code /health} says 200 while the engine hangs. */
class Failure10HealthyButHungTest {

    private static final Duration SECOND = Duration.ofSeconds(1);

    private final Vertx vertx = Vertx.vertx();

    @AfterEach
    void close() {
        await(vertx.close());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 6})
    void hungEngineIsOutOnceItIsSilentAndBackOnceItMakesTokens(int running) throws Exception {
        Simulator hung = simulator();
        Simulator well = simulator();
        try (Stage stage = Setting.with()
                .replica("127.0.0.1", hung.port(), null, 0)
                .replica("127.0.0.1", well.port(), null, 0)
                .progress(SECOND, SECOND)
                .open()) {
            warm(stage);
            List<Client> streams = streams(stage, running);

            hung.faults().set(Fault.of(Fault.Kind.HANG));
            long began = System.nanoTime();
            try (Client one = Client.to(stage).send(chat(3));
                    Client two = Client.to(stage).send(chat(3))) {
                Eventually.that("in flight there", () -> stage.replica("a").inFlight() > running / 2);
                stage.awaitStanding("a", Standing.STALLED);
                assertThat(since(began)).isLessThan(Duration.ofSeconds(7));
                assertThat(stage.replica("a").reason()).endsWith("metrics frozen");
                // One of them was there, and lost nothing but time.
                assertThat(one.reply().body()).endsWith("data: [DONE]\n\n");
                assertThat(two.reply().body()).endsWith("data: [DONE]\n\n");
            }
            assertThat(stage.reports())
                    .flatExtracting(ExchangeReport::attempts)
                    .extracting(AttemptReport::failure)
                    .contains(FailureKind.HEDGE_LOST);
            staysOut(stage, hung);

            hung.faults().clear();
            long resumed = System.nanoTime();
            stage.awaitStanding("a", Standing.READY);
            assertThat(since(resumed)).isLessThan(Duration.ofSeconds(3));
            for (Client stream : streams) {
                assertThat(stream.until("data: [DONE]\n\n")).contains("finish_reason\":\"length\"");
                stream.close();
            }
            long before = stage.replica("a").started();
            warm(stage);
            assertThat(stage.replica("a").started()).isGreaterThan(before);
        }
    }

    @Test
    void slowPrefillOfALongPromptIsNoHang() throws Exception {
        Simulator slow = simulator();
        Simulator other = simulator();
        try (Stage stage = Setting.with()
                        .replica("127.0.0.1", slow.port(), null, 0)
                        .replica("127.0.0.1", other.port(), null, 0)
                        .progress(SECOND.dividedBy(2), SECOND.dividedBy(2))
                        .open();
                Client client = Client.to(stage)) {
            warm(stage);
            for (Simulator each : List.of(slow, other)) {
                each.faults().next(1, Fault.of(Fault.Kind.STALL_BEFORE_FIRST_TOKEN, 3_000));
            }
            String prompt = "word ".repeat(1_200);
            client.send(Client.post(
                    "/v1/completions",
                    "{\"model\":\"demo\",\"stream\":true,\"max_tokens\":2,\"prompt\":\"" + prompt + "\"}"));
            assertThat(client.reply().status()).isEqualTo(200);
            assertThat(stage.report(stage.reports().size() - 1).attempts()).hasSize(1);
            assertThat(stage.ready()).isEqualTo(2);
        }
    }

    /** However healthy it says it is, and however many requests there are. */
    private static void staysOut(Stage stage, Simulator hung) throws Exception {
        URI health = URI.create("http://127.0.0.1:" + hung.port() + "/health");
        long started = stage.replica("a").started();
        try (Client client = Client.to(stage)) {
            for (int i = 0; i < 20; i++) {
                assertThat(HttpClient.newHttpClient()
                                .send(HttpRequest.newBuilder(health).build(), BodyHandlers.discarding())
                                .statusCode())
                        .isEqualTo(200);
                assertThat(client.send(chat(4)).reply().status()).isEqualTo(200);
                assertThat(stage.replica("a").standing()).isEqualTo(Standing.STALLED);
            }
        }
        assertThat(stage.replica("a").started()).isEqualTo(started);
    }

    private static void warm(Stage stage) throws IOException {
        try (Client client = Client.to(stage)) {
            for (int i = 0; i < 4; i++) {
                assertThat(client.send(chat(1)).reply().status()).isEqualTo(200);
            }
        }
    }

    /** Streams that have begun, half of them on either replica. */
    private static List<Client> streams(Stage stage, int count) throws IOException {
        List<Client> streams = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Client client = Client.to(stage).send(chat(150));
            client.until("\"content\"");
            streams.add(client);
        }
        return streams;
    }

    private static String chat(int tokens) {
        return Client.post(
                "/v1/chat/completions",
                "{\"model\":\"demo\",\"stream\":true,\"max_tokens\":" + tokens
                        + ",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}");
    }

    private Simulator simulator() {
        return await(Simulator.start(vertx, SimOptions.standard(System::nanoTime, System::currentTimeMillis)));
    }

    private static Duration since(long nanos) {
        return Duration.ofNanos(System.nanoTime() - nanos);
    }

    private static <T> T await(Future<T> future) {
        return future.toCompletionStage()
                .toCompletableFuture()
                .orTimeout(10, TimeUnit.SECONDS)
                .join();
    }
}
