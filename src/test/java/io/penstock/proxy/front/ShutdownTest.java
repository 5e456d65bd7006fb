package io.penstock.proxy.front;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.proxy.ExchangeReport.Result;
import io.penstock.proxy.Lifecycle.Phase;
import io.vertx.core.Future;
import java.net.ConnectException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The way down: first sending clients elsewhere, then taking no new work, then an honest end. */
@SuppressWarnings("NullAway.Init") // Opened before each test.
class ShutdownTest {

    private static final String EVENT = "data: {\"n\":1}\n\n";
    private static final Duration LONG = Duration.ofSeconds(20);

    private ScriptedReplica replica;
    private Stage stage;

    @BeforeEach
    void open() throws Exception {
        replica = ScriptedReplica.start();
        stage = Setting.with(replica).open();
    }

    @AfterEach
    void close() throws Exception {
        stage.close();
        replica.close();
    }

    private static void await(Future<?> future) throws Exception {
        future.toCompletionStage().toCompletableFuture().get(10, TimeUnit.SECONDS);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/health",
                "/version",
                "/nowhere",
                "/v1/models",
                "/v1/responses/r",
                "/v1/embeddings",
                "/v1/chat/completions"
            })
    void lameDuckServesAndClosesTheConnectionAfterIt(String path) throws Exception {
        boolean chat = path.endsWith("completions");
        replica.always(chat ? Script.stream(EVENT, Script.DONE) : Script.json("{}"));
        stage.lifecycle.enter(Phase.LAME_DUCK);
        try (Client client = Client.to(stage)) {
            boolean post = chat || path.endsWith("embeddings");
            client.send(post ? Client.post(path, "{}") : Client.request("GET", path));
            Client.Reply reply = client.reply();
            assertThat(reply.status()).isEqualTo(path.equals("/nowhere") ? 404 : 200);
            assertThat(reply.header("connection")).isEqualTo("close");
            assertThat(client.end()).isEqualTo(Client.End.FIN);
        }
    }

    @Test
    void lameDuckDoesNotCutALargeAnswerShort() throws Exception {
        String body = "z".repeat(900_000);
        replica.always(Script.json(body));
        stage.lifecycle.enter(Phase.LAME_DUCK);
        try (Client client = Client.narrow(stage)) {
            client.send(Client.post("/v1/embeddings", "{}"));
            Eventually.that("the replica is done", () -> replica.call(0).over());
            assertThat(client.reply().body()).isEqualTo(body);
            assertThat(client.end()).isEqualTo(Client.End.FIN);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/embeddings", "/v1/responses/r/cancel"})
    void newRequestOnASurvivingConnectionGets503AndTheConnectionCloses(String path) throws Exception {
        try (Client client = Client.to(stage)) {
            client.send(Client.request("GET", "/health")).reply();
            stage.lifecycle.enter(Phase.CLOSING);
            Client.Reply reply = client.send(Client.post(path, "{}")).reply();
            assertThat(reply.status()).isEqualTo(503);
            assertThat(reply.header("retry-after")).isNotEmpty();
            assertThat(reply.header("connection")).isEqualTo("close");
            assertThat(reply.body()).contains("\"code\":\"shutting_down\"");
            assertThat(client.end()).isEqualTo(Client.End.FIN);
        }
        assertThat(replica.calls()).isEmpty();
    }

    @Test
    void clientWhoseAnswerBeganBeforeTheEndWasKnownIsServedOnceMore() throws Exception {
        CountDownLatch go = new CountDownLatch(1);
        replica.next(Script.begun(EVENT).then(Script.until(go)).then(Script.END))
                .always(Script.stream(EVENT, Script.DONE));
        try (Client client = Client.to(stage)) {
            client.send(Client.chat()).head();
            assertThat(client.chunk()).isEqualTo(EVENT);
            stage.lifecycle.enter(Phase.LAME_DUCK);
            Future<?> down = stage.closeFronts(LONG);
            go.countDown();
            while (!client.chunk().isEmpty()) {
                // To the end of the first answer, whose head did not say that the connection ends.
            }
            Client.Reply second = client.send(Client.chat()).reply();
            assertThat(second.status()).isEqualTo(200);
            assertThat(second.header("connection")).isEqualTo("close");
            assertThat(client.end()).isEqualTo(Client.End.FIN);
            await(down);
        }
    }

    @Test
    void clientThatHadJustConnectedIsServed() throws Exception {
        replica.always(Script.stream(EVENT, Script.DONE));
        try (Client client = Client.to(stage)) {
            Eventually.that("it is seated", () -> stage.connections() == 1);
            Future<?> down = stage.closeFronts(LONG);
            assertThat(client.send(Client.chat()).reply().body()).contains(EVENT);
            assertThat(client.end()).isEqualTo(Client.End.FIN);
            await(down);
        }
    }

    @Test
    void runningStreamFinishesWhileIdleConnectionsAndThePortClose() throws Exception {
        CountDownLatch go = new CountDownLatch(1);
        replica.always(Script.begun(EVENT)
                .then(Script.until(go))
                .then(call -> call.chunk("data: [DONE]\n\n"))
                .then(Script.raw("0\r\n\r\n")));
        try (Client running = Client.to(stage);
                Client idle = Client.to(stage);
                Client mute = Client.to(stage)) {
            running.send(Client.chat()).head();
            assertThat(running.chunk()).isEqualTo(EVENT);
            idle.send(Client.request("GET", "/health")).reply();
            Future<?> down = stage.closeFronts(LONG);
            assertThat(idle.end()).isEqualTo(Client.End.FIN);
            assertThat(mute.end()).isEqualTo(Client.End.FIN);
            Eventually.that("nobody can connect", this::isRefused);
            assertThat(down.isComplete()).isFalse();
            go.countDown();
            assertThat(running.chunk()).isEqualTo("data: [DONE]\n\n");
            assertThat(running.chunk()).isEmpty();
            assertThat(running.end()).isEqualTo(Client.End.FIN);
            await(down);
        }
        assertThat(stage.reports()).extracting(r -> r.result()).containsOnly(Result.COMPLETED);
    }

    private boolean isRefused() {
        try {
            Client.to(stage).close();
            return false;
        } catch (ConnectException refused) {
            return true;
        } catch (java.io.IOException other) {
            return false;
        }
    }

    @Test
    void requestThatWaitsForAReplicaMayStillGetOne() throws Exception {
        replica.always(Script.stream(EVENT, Script.DONE)).refuse();
        Eventually.that("no replica is left", () -> stage.ready() == 0);
        try (Client client = Client.to(stage)) {
            client.send(Client.chat());
            Eventually.that("it waits", () -> stage.waiting() == 1);
            Future<?> down = stage.closeFronts(LONG);
            replica.listen();
            assertThat(client.reply().body()).isEqualTo(EVENT + Script.DONE);
            await(down);
        }
    }

    @Test
    void afterTheDeadlineStreamsGetAnErrorEventAndOthersAnError() throws Exception {
        replica.next(Script.begun(EVENT).then(Script.SILENCE)).always(Script.SILENCE);
        try (Client streaming = Client.to(stage);
                Client silent = Client.to(stage);
                Client uploading = Client.to(stage)) {
            streaming.send(Client.chat()).head();
            silent.send(Client.chat());
            replica.call(1);
            uploading.send("POST /v1/embeddings HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{");
            Eventually.that("all are there", () -> stage.started() == 3);
            Future<?> down = stage.closeFronts(Duration.ofMillis(200));
            String rest = streaming.rest();
            assertThat(rest).contains(EVENT, "\"code\":\"shutting_down\"").doesNotContain("\r\n0\r\n", "[DONE]");
            assertThat(silent.reply().status()).isEqualTo(503);
            assertThat(uploading.reply().status()).isEqualTo(503);
            await(down);
            Eventually.that(
                    "the replica is told", () -> replica.calls().stream().allMatch(call -> call.closedNanos() != 0));
        }
        stage.settle();
        assertThat(stage.reports()).hasSize(3);
        assertThat(stage.report(0).attempts().size()
                        + stage.report(1).attempts().size()
                        + stage.report(2).attempts().size())
                .isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/responses/r/cancel", "/v1/models"})
    void otherRoutesEndAfterTheDeadlineToo(String path) throws Exception {
        if (path.endsWith("models")) {
            replica.at(path, Script.SILENCE);
        }
        replica.always(Script.SILENCE);
        try (Client client = Client.to(stage)) {
            client.send(path.endsWith("models") ? Client.request("GET", path) : Client.post(path, "{}"));
            Eventually.that("it is there", () -> stage.started() == 1);
            Future<?> down = stage.closeFronts(Duration.ofMillis(200));
            client.end();
            await(down);
            stage.report(0);
        }
    }
}
