package io.penstock.sim;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.junit5.VertxExtension;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a client sees of a replica that was told to stop and given time. */
@ExtendWith(VertxExtension.class)
class SimShutdownTest {

    private static final String CHAT = "/v1/chat/completions";
    private static final String STREAM =
            "{\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"max_tokens\":20}";
    private static final Duration LONG = Duration.ofMinutes(5);

    private Simulator simulator;

    @BeforeEach
    void start(Vertx vertx) {
        simulator = Simulator.start(
                        vertx,
                        SimOptions.standard(System::nanoTime, System::currentTimeMillis)
                                .withPace(Duration.ofMillis(300), Duration.ofMillis(10)))
                .await();
    }

    @Test
    void runningStreamComesWholeAndThenItIsGone() throws Exception {
        try (RawClient client = RawClient.to(simulator)) {
            client.send(RawClient.post(CHAT, STREAM)).head();

            Future<Void> down = simulator.shutDown(LONG);
            client.until("data: [DONE]\n\n");
            client.until("0\r\n\r\n");

            assertThat(client.end()).isEqualTo(RawClient.End.FIN);
            await(down);
            assertThat(simulator.isRunning()).isFalse();
            assertThat(RawClient.isRefused(simulator.port())).isTrue();
        }
    }

    @ParameterizedTest
    @CsvSource({"true, draining-new-stream.http", "false, draining-new-nonstream.http"})
    void newRequestGetsTheRecordedErrorAndTheConnectionEnds(boolean streams, String recording) throws IOException {
        try (RawClient running = RawClient.to(simulator);
                RawClient late = RawClient.to(simulator)) {
            running.send(RawClient.post(CHAT, STREAM, "x-sim-fault: stall-after"))
                    .head();
            Future<Void> unused = simulator.shutDown(LONG);
            FaultTest.until(() -> simulator.state().getBoolean("shuttingDown"));

            late.send(RawClient.post(CHAT, streams ? STREAM : STREAM.replace("true", "false")));

            assertThat(Capture.shape(late.restText()))
                    .isEqualTo(Capture.shape(Capture.read(recording).response()));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/health", "/v1/models", "/metrics"})
    void looksHealthyMeanwhile(String path) throws IOException {
        try (RawClient running = RawClient.to(simulator)) {
            running.send(RawClient.post(CHAT, STREAM, "x-sim-fault: stall-after"))
                    .head();
            Future<Void> down = simulator.shutDown(LONG);

            try (RawClient other = RawClient.to(simulator)) {
                assertThat(other.send(RawClient.get(path)).reply().status()).isEqualTo(200);
                assertThat(down.isComplete()).isFalse();
            }
        }
    }

    @Test
    void streamThatIsNotDoneInTimeIsCut() throws Exception {
        try (RawClient client = RawClient.to(simulator)) {
            client.send(RawClient.post(CHAT, STREAM, "x-sim-fault: stall-after:2"))
                    .head();

            await(simulator.shutDown(Duration.ofMillis(500)));

            assertThat(client.end()).isEqualTo(RawClient.End.RESET);
            assertThat(simulator.traffic().cut()).isOne();
        }
    }

    @Test
    void goesAtOnceWhenItsLastClientLeaves() throws Exception {
        try (RawClient client = RawClient.to(simulator)) {
            client.send(RawClient.post(CHAT, STREAM, "x-sim-fault: stall-after"))
                    .head();
            Future<Void> down = simulator.shutDown(LONG);
            Future<Void> again = simulator.shutDown(LONG);

            client.reset();

            await(down);
            await(again);
        }
    }

    @Test
    void unusedReplicaGoesAtOnceAndComesBackForNewRequests() throws Exception {
        try (RawClient unused = RawClient.to(simulator)) {
            unused.send(RawClient.get("/health")).reply();

            await(simulator.shutDown(LONG));

            assertThat(unused.end()).isEqualTo(RawClient.End.FIN);
        }
        await(simulator.shutDown(LONG)); // There is nothing left to do.
        simulator.restart().await();
        try (RawClient client = RawClient.to(simulator)) {
            assertThat(client.send(RawClient.post(CHAT, STREAM)).reply().status())
                    .isEqualTo(200);
        }
    }

    @Test
    void fleetIsDownWhenAllReplicasAre(Vertx vertx) throws Exception {
        SimOptions options = SimOptions.standard(System::nanoTime, System::currentTimeMillis);
        SimFleet fleet =
                SimFleet.start(vertx, List.of(options, options), "127.0.0.1", 0).await();
        try (RawClient client = RawClient.to(fleet.replicas().get(1))) {
            client.send(RawClient.post(CHAT, STREAM, "x-sim-fault: stall-after"))
                    .head();
            Future<Void> down = fleet.shutDown(LONG);
            FaultTest.until(() -> !fleet.replicas().get(0).isRunning());
            assertThat(down.isComplete()).isFalse();

            client.reset();

            await(down);
        }
    }

    private static void await(Future<Void> down) throws Exception {
        down.await(20, TimeUnit.SECONDS);
    }
}
