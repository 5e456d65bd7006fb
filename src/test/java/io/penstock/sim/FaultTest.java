package io.penstock.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.vertx.core.Vertx;
import io.vertx.core.transport.Transport;
import io.vertx.junit5.VertxExtension;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a client sees of each fault, on a raw socket. */
@ExtendWith(VertxExtension.class)
class FaultTest {

    private static final String CHAT = "/v1/chat/completions";
    private static final String WHOLE = "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"max_tokens\":4}";
    private static final String STREAM = "{\"stream\":true," + WHOLE.substring(1);
    private static final String DONE = "data: [DONE]\n\n";

    private Simulator simulator;

    @BeforeEach
    void start(Vertx vertx) {
        simulator = Simulator.start(
                        vertx,
                        SimOptions.standard(System::nanoTime, System::currentTimeMillis)
                                .withPace(Duration.ofMillis(5), Duration.ofMillis(2)))
                .await();
    }

    @Test
    void refuseClosesThePortAndLeavesRunningStreamsAlone() throws IOException {
        try (RawClient client = stream("slow:100")) {
            client.head();

            simulator.faults().set(Fault.of(Fault.Kind.REFUSE));
            until(() -> refused(simulator));

            assertThat(client.chunk()).contains("assistant");
            simulator.faults().clear();
            until(() -> !refused(simulator));
        }
    }

    @Test
    void refuseEndsByItselfWhenItHasATime() throws IOException {
        simulator.faults().set(Fault.parse("refuse:300ms"));
        until(() -> refused(simulator));

        until(() -> !refused(simulator));

        assertThat(simulator.faults().active()).isEmpty();
    }

    @Test
    void slowStartKeepsThePortClosedForATime(Vertx vertx) throws IOException {
        Simulator late = Simulator.start(
                        vertx,
                        SimOptions.standard(System::nanoTime, System::currentTimeMillis)
                                .withRates(java.util.List.of(RatedFault.parse("slow-start:400"))))
                .await();
        Instant start = Instant.now();
        assertThat(late.port()).isPositive();
        assertThat(refused(late)).isTrue();

        until(() -> !refused(late));

        assertThat(Duration.between(start, Instant.now())).isBetween(Duration.ofMillis(200), Duration.ofSeconds(5));
    }

    @Test
    void blackHoleAnswersNothingAndIsAdministrableAllTheSame() throws IOException {
        simulator.faults().set(Fault.of(Fault.Kind.BLACK_HOLE));
        try (RawClient client = RawClient.to(simulator);
                RawClient admin = RawClient.to(simulator)) {
            client.send(RawClient.get("/health"));
            assertThat(client.isSilentFor(150)).isTrue();

            assertThat(admin.send(RawClient.post("/sim/clear", "")).reply().status())
                    .isEqualTo(200);
            assertThat(admin.send(RawClient.get("/health")).reply().status()).isEqualTo(200);
        }
    }

    @Test
    void holdBeforeHeadWaitsForItsTime() throws IOException {
        try (RawClient client = stream("hold-before-head:200")) {
            assertThat(client.isSilentFor(100)).isTrue();
            assertThat(client.reply().body()).endsWith(DONE);
        }
        try (RawClient client = stream("hold-before-head")) {
            assertThat(client.isSilentFor(100)).isTrue();
        }
    }

    @Test
    void stallBeforeFirstTokenSendsTheHeadAndWaits() throws IOException {
        try (RawClient client = stream("stall-before-first-token:200")) {
            assertThat(client.head()).startsWith("HTTP/1.1 200 OK\r\n");
            assertThat(client.isSilentFor(100)).isTrue();
            assertThat(client.chunk()).contains("\"role\":\"assistant\"");
        }
        try (RawClient client = stream("stall-before-first-token")) {
            client.head();
            assertThat(client.isSilentFor(100)).isTrue();
        }
    }

    @Test
    void stallAfterSendsSoManyTokensAndNothingMore() throws IOException {
        try (RawClient client = stream("stall-after:2")) {
            assertThat(tokens(client, 2)).isEqualTo(2);
            assertThat(client.isSilentFor(100)).isTrue();
            assertThat(simulator.traffic().inFlight()).isOne();
        }
        until(() -> simulator.traffic().inFlight() == 0);
        assertThat(simulator.traffic().aborted()).isOne();
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "1, 1", "3, 3", "4, 4"})
    void resetAfterResetsInPlaceOfTheNextToken(int after, int tokens) throws IOException {
        try (RawClient client = stream("reset-after:" + after)) {
            tokens(client, tokens);
            assertThat(client.end()).isEqualTo(RawClient.End.RESET);
        }
        assertThat(simulator.traffic().cut()).isOne();
    }

    @Test
    void finAfterEndsInTheMiddleOfAChunk() throws IOException {
        try (RawClient client = stream("fin-after:2")) {
            tokens(client, 2);
            String rest = client.restText();
            int size = Integer.parseInt(rest.substring(0, rest.indexOf('\r')), 16);
            assertThat(rest.length()).isLessThan(size).isGreaterThan(4);
        }
    }

    @Test
    void endAfterLooksCleanButSaysNothingOfAnEnd() throws IOException {
        try (RawClient client = stream("end-after:2")) {
            RawClient.Reply reply = client.reply();
            assertThat(reply.chunks()).hasSize(3);
            assertThat(reply.body()).doesNotContain("[DONE]").doesNotContain("\"finish_reason\":\"");
            assertThat(client.send(RawClient.get("/health")).reply().status()).isEqualTo(200);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "/v1/chat/completions, [DONE]",
        "/v1/completions, [DONE]",
        "/v1/messages, message_stop",
        "/v1/responses, response.completed"
    })
    void noDoneLeavesOutTheEndMarkerOnly(String path, String marker) throws IOException {
        try (RawClient client = open(path, "no-done")) {
            RawClient.Reply without = client.reply();
            client.send(RawClient.post(path, body(path)));
            RawClient.Reply with = client.reply();
            assertThat(without.body()).doesNotContain(marker);
            assertThat(with.chunks().get(with.chunks().size() - 1)).contains(marker);
            assertThat(without.chunks()).hasSize(with.chunks().size() - 1);
        }
    }

    @Test
    void errorFirstIsTheRecordedOverloadInBand() throws IOException {
        Capture capture = Capture.read("stream-200-then-503-in-band.http");
        try (RawClient client = RawClient.to(simulator)) {
            client.send(RawClient.post(CHAT, STREAM, "x-sim-fault: error-first", "Connection: close"));
            assertThat(Capture.shape(client.restText())).isEqualTo(Capture.shape(capture.response()));
        }
    }

    @Test
    void errorFirstIsAPlain503ForWholeAnswers() throws IOException {
        Capture capture = Capture.read("error-503-queue-full.http");
        try (RawClient client = RawClient.to(simulator)) {
            client.send(RawClient.post(CHAT, WHOLE, "x-sim-fault: error-first", "Connection: close"));
            assertThat(Capture.shape(client.restText())).isEqualTo(Capture.shape(capture.response()));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "/v1/chat/completions, engine-killed-chat-stream-tail.http, data: {\"error",
        "/v1/messages, engine-killed-messages-stream-tail.http, event: error"
    })
    void errorAfterIsTheRecordedDeathOfAnEngine(String path, String recording, String from) throws IOException {
        String recorded = Capture.read(recording).response();
        try (RawClient client = open(path, "error-after:2")) {
            String seen = client.until("\r\n0\r\n\r\n");
            assertThat(seen.substring(seen.indexOf(from)).strip())
                    .isEqualTo(recorded.substring(recorded.indexOf(from)).strip());
        }
    }

    @Test
    void errorAfterOnResponsesEndsWithoutAWord() throws IOException {
        try (RawClient client = open("/v1/responses", "error-after:2")) {
            client.head();
            String seen = client.restText();
            assertThat(seen)
                    .endsWith("\n\n\r\n")
                    .doesNotContain("response.completed")
                    .doesNotContain("error");
        }
    }

    @Test
    void errorAfterIsAPlain500ForWholeAnswers() throws IOException {
        Capture capture = Capture.read("engine-killed-chat-nonstream.http");
        try (RawClient client = RawClient.to(simulator)) {
            client.send(RawClient.post(CHAT, WHOLE, "x-sim-fault: error-after:2", "Connection: close"));
            assertThat(Capture.shape(client.restText())).isEqualTo(Capture.shape(capture.response()));
        }
    }

    @Test
    void malformedChunkHasASizeThatIsNoNumber() throws IOException {
        try (RawClient client = stream("malformed-chunk-after:1")) {
            tokens(client, 1);
            assertThat(client.restText()).startsWith("zz\r\n");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/chat/completions", "/v1/completions", "/v1/messages", "/v1/responses"})
    void splitDoneIsWholeWhenPutTogether(String path) throws IOException {
        try (RawClient client = open(path, "split-done")) {
            RawClient.Reply split = client.reply();
            client.send(RawClient.post(path, body(path)));
            RawClient.Reply usual = client.reply();
            assertThat(split.chunks()).hasSize(usual.chunks().size() + 1);
            assertThat(Capture.shape(split.body())).isEqualTo(Capture.shape(usual.body()));
            assertThat(split.chunks().get(split.chunks().size() - 1)).hasSize(5);
        }
    }

    @Test
    void trickleSendsTheSameBytesOneByOne() throws IOException {
        Instant start = Instant.now();
        try (RawClient client = RawClient.to(simulator)) {
            client.send(RawClient.get("/version", "x-sim-fault: trickle:1"));
            RawClient.Reply slow = client.reply();
            assertThat(slow.body()).isEqualTo("{\"version\":\"0.32.0\"}");
            assertThat(Duration.between(start, Instant.now()))
                    .isGreaterThan(Duration.ofMillis(slow.head().length()));
            assertThat(client.send(RawClient.get("/health")).reply().status()).isEqualTo(200);
        }
    }

    @Test
    void trickleStopsWhenTheClientLeaves() throws IOException {
        try (RawClient client = stream("trickle:5")) {
            client.until("HTTP/1.1");
        }
        until(() -> simulator.traffic().aborted() == 1 && simulator.traffic().inFlight() == 0);
    }

    @Test
    void slowMultipliesEveryWait() throws IOException {
        Instant start = Instant.now();
        try (RawClient client = stream("slow:20")) {
            assertThat(client.reply().body()).endsWith(DONE);
        }
        // 5 ms and 3 × 2 ms, 20 times.
        assertThat(Duration.between(start, Instant.now())).isGreaterThan(Duration.ofMillis(200));
    }

    @Test
    void hangStopsRunningStreamsAndMetricsButNotHealth() throws IOException {
        try (RawClient running = stream("slow:50");
                RawClient other = RawClient.to(simulator)) {
            tokens(running, 1);
            simulator.faults().set(Fault.of(Fault.Kind.HANG));
            assertThat(running.isSilentFor(300)).isTrue();

            String frozen = other.send(RawClient.get("/metrics")).reply().body();
            assertThat(frozen).contains("vllm:num_requests_running{engine=\"0\",model_name=\"demo\"} 1.0\n");
            assertThat(other.send(RawClient.get("/health")).reply().status()).isEqualTo(200);
            try (RawClient late = stream("slow:1")) {
                assertThat(late.head()).startsWith("HTTP/1.1 200 OK\r\n");
                assertThat(other.send(RawClient.get("/metrics")).reply().body()).isEqualTo(frozen);
                simulator.faults().clear(Fault.Kind.HANG);
                late.until("[DONE]");
            }
            running.until("[DONE]");
            assertThat(other.send(RawClient.get("/metrics")).reply().body()).isNotEqualTo(frozen);
        }
    }

    @Test
    void countedHangsAreAboutSingleRequests() throws IOException {
        simulator.faults().next(1, Fault.of(Fault.Kind.HANG));
        try (RawClient hung = RawClient.to(simulator);
                RawClient fine = RawClient.to(simulator)) {
            hung.send(RawClient.post(CHAT, STREAM)).head();
            assertThat(fine.send(RawClient.post(CHAT, STREAM)).reply().body()).endsWith(DONE);
            assertThat(hung.isSilentFor(50)).isTrue();
        }
    }

    @Test
    void healthFaultsTouchHealthAlone() throws IOException {
        Capture capture = Capture.read("health-503.http");
        simulator.faults().next(1, Fault.of(Fault.Kind.HEALTH_503));
        try (RawClient client = RawClient.to(simulator)) {
            assertThat(client.send(RawClient.get("/version")).reply().status()).isEqualTo(200);
            client.send(RawClient.get("/health", "Connection: close"));
            assertThat(Capture.shape(client.restText())).isEqualTo(Capture.shape(capture.response()));
        }
        simulator.faults().next(1, Fault.of(Fault.Kind.HEALTH_HANG));
        try (RawClient client = RawClient.to(simulator)) {
            assertThat(client.send(RawClient.get("/health")).isSilentFor(100)).isTrue();
        }
        try (RawClient client = RawClient.to(simulator)) {
            assertThat(client.send(RawClient.get("/health")).reply().status()).isEqualTo(200);
        }
    }

    @ParameterizedTest
    @CsvSource({"true, draining-new-stream.http", "false, draining-new-nonstream.http"})
    void drainingIsHealthyAndRefusesNewRequestsAsRecorded(boolean streams, String recording) throws IOException {
        simulator.faults().set(Fault.of(Fault.Kind.DRAINING));
        try (RawClient client = RawClient.to(simulator)) {
            assertThat(client.send(RawClient.get("/health")).reply().status()).isEqualTo(200);
            client.send(RawClient.post(CHAT, streams ? STREAM : WHOLE, "Connection: close"));
            assertThat(Capture.shape(client.restText()))
                    .isEqualTo(Capture.shape(Capture.read(recording).response()));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "/v1/chat/completions, 503, '{\"error\":{\"message\":\"The engine is currently busy'",
        "/v1/chat/completions, 500, '{\"error\":{\"message\":\"EngineCore'",
        "/v1/responses, 429, '{\"error\":{\"message\":\"The simulator'",
        "/v1/messages, 503, '{\"type\":\"error\",\"error\":{\"type\":\"Service Unavailable\"'"
    })
    void statusAnswersBeforeAnyOutputInTheShapeOfItsApi(String path, int status, String body) throws IOException {
        try (RawClient client = open(path, "status:" + status)) {
            RawClient.Reply reply = client.reply();
            assertThat(reply.status()).isEqualTo(status);
            assertThat(reply.body()).startsWith(body);
        }
    }

    @Test
    void shortBodyEndsBeforeItsLength() throws IOException {
        try (RawClient client = whole("short-body")) {
            String head = client.head();
            int length = Integer.parseInt(head.replaceAll("(?s).*content-length: (\\d+).*", "$1"));
            assertThat(client.restText()).hasSize(length / 2).startsWith("{\"id\"");
        }
    }

    @Test
    void connectionsEndBeforeTheHeadByResetOrFin() throws IOException {
        try (RawClient client = stream("reset-before-head")) {
            assertThat(client.end()).isEqualTo(RawClient.End.RESET);
        }
        try (RawClient client = stream("close-before-head")) {
            assertThat(client.restText()).isEmpty();
        }
    }

    @ParameterizedTest
    @CsvSource({"reset-after:2, RESET", "fin-after:2, FIN", "end-after:2, FIN", "malformed-chunk-after:0, FIN"})
    void wholeAnswersAreCutBeforeTheirFirstByte(String fault, RawClient.End end) throws IOException {
        try (RawClient client = whole(fault)) {
            assertThat(client.end()).isEqualTo(end);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"no-done", "split-done", "slow:2"})
    void faultsOfStreamsDoNotHarmWholeAnswers(String fault) throws IOException {
        try (RawClient client = whole(fault)) {
            assertThat(client.reply().status()).isEqualTo(200);
        }
    }

    @Test
    void unknownFaultsAreAnsweredWithTheMenu() throws IOException {
        try (RawClient client = stream("no-such-thing")) {
            RawClient.Reply reply = client.reply();
            assertThat(reply.status()).isEqualTo(400);
            assertThat(reply.body()).contains("no fault called 'no-such-thing'").contains("reset-after");
        }
    }

    @Test
    void faultsOfThePortAreNotTakenFromAHeader() throws IOException {
        try (RawClient client = stream("refuse")) {
            assertThat(client.reply().body()).contains("refuse is not about single requests");
        }
    }

    @Test
    void breaksInTheSameWayOnTheNativeTransport() throws IOException {
        assumeTrue(Transport.EPOLL != null && Transport.EPOLL.available());
        Vertx vertx = Vertx.builder().withTransport(Transport.EPOLL).build();
        try {
            start(vertx);
            resetAfterResetsInPlaceOfTheNextToken(2, 2);
            connectionsEndBeforeTheHeadByResetOrFin();
            refuseClosesThePortAndLeavesRunningStreamsAlone();
            try (RawClient client = stream("slow:100")) {
                client.head();
                client.closeSendingHalf();
                assertThat(client.restText()).isEmpty();
            }
            until(() -> simulator.traffic().aborted() == 2);
        } finally {
            vertx.close().await();
        }
    }

    @Test
    void aRateHitsTheSameRequestsForTheSameSeed(Vertx vertx) throws IOException {
        assertThat(hits(vertx, 7)).isEqualTo(hits(vertx, 7)).contains(true).contains(false);
    }

    private java.util.List<Boolean> hits(Vertx vertx, long seed) throws IOException {
        Simulator rated = Simulator.start(
                        vertx,
                        SimOptions.standard(System::nanoTime, System::currentTimeMillis)
                                .withSeed(seed)
                                .withPace(Duration.ofMillis(1), Duration.ofMillis(1))
                                .withRates(java.util.List.of(RatedFault.parse("status:503@0.3"))))
                .await();
        java.util.List<Boolean> hits = new java.util.ArrayList<>();
        try (RawClient client = RawClient.to(rated)) {
            for (int i = 0; i < 20; i++) {
                hits.add(client.send(RawClient.post(CHAT, WHOLE)).reply().status() == 503);
            }
        }
        return hits;
    }

    private RawClient stream(String fault) throws IOException {
        return open(CHAT, fault);
    }

    private RawClient whole(String fault) throws IOException {
        return RawClient.to(simulator).send(RawClient.post(CHAT, WHOLE, "x-sim-fault: " + fault));
    }

    private RawClient open(String path, String fault) throws IOException {
        return RawClient.to(simulator).send(RawClient.post(path, body(path), "X-Sim-Fault: " + fault));
    }

    private static String body(String path) {
        return switch (path) {
            case "/v1/completions" -> "{\"stream\":true,\"prompt\":\"Hi\",\"max_tokens\":4}";
            case "/v1/responses" -> "{\"stream\":true,\"input\":\"Hi\",\"max_output_tokens\":4}";
            default -> STREAM;
        };
    }

    /** Reads the head, the role event and so many tokens of a chat stream. */
    private static int tokens(RawClient client, int count) throws IOException {
        client.head();
        if (count > 0) {
            assertThat(client.chunk()).contains("\"role\":\"assistant\"");
        }
        for (int i = 0; i < count; i++) {
            assertThat(client.chunk()).contains("\"delta\":{\"content\":");
        }
        return count;
    }

    private static boolean refused(Simulator simulator) {
        try {
            return RawClient.isRefused(simulator.port());
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /** Waits for a condition, ten seconds at most. */
    static void until(BooleanSupplier condition) {
        Instant deadline = Instant.now().plusSeconds(10);
        while (!condition.getAsBoolean()) {
            assertThat(Instant.now()).isBefore(deadline);
            java.util.concurrent.locks.LockSupport.parkNanos(2_000_000);
        }
    }
}
