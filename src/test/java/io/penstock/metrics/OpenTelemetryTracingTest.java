package io.penstock.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.penstock.proxy.front.Call;
import io.penstock.proxy.front.Client;
import io.penstock.proxy.front.Eventually;
import io.penstock.proxy.front.Script;
import io.penstock.proxy.front.ScriptedReplica;
import io.penstock.proxy.front.Setting;
import io.penstock.proxy.front.Stage;
import io.penstock.upstream.EngineActivity.Suspicion;
import io.penstock.upstream.Standing;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a tracing system is told of a request, over real sockets, and what the replicas are told of the trace. */
@SuppressWarnings("NullAway.Init") // Opened before each test.
class OpenTelemetryTracingTest {

    private static final String EVENT = "data: {\"n\":1}\n\n";
    private static final String ERROR = "data: {\"error\":{\"message\":\"boom\",\"code\":500}}\n\n";
    private static final Script GOOD = Script.stream(EVENT, Script.DONE);
    private static final String TRACE = "0af7651916cd43dd8448eb211c80319c";
    private static final String PARENT = "b7ad6b7169203331";

    private final Spans spans = new Spans(1);
    private ScriptedReplica one;
    private ScriptedReplica two;

    @BeforeEach
    void open() throws Exception {
        one = ScriptedReplica.start().always(GOOD);
        two = ScriptedReplica.start().always(GOOD);
    }

    @AfterEach
    void close() throws Exception {
        one.close();
        two.close();
        spans.tracing.close();
        assertThat(spans.lost.sum()).isZero();
    }

    @Test
    void requestIsAServerSpanWithAClientSpanForItsAttempt() throws Exception {
        ask(one, "X-Request-Id: me");
        SpanData server = spans.server();
        assertThat(server.getName()).isEqualTo("POST /v1/chat/completions");
        assertThat(server.getParentSpanContext().isValid()).isFalse();
        assertThat(server.getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
        assertThat(server.getResource().toString()).contains("front door", "1.2.3");
        assertThat(Spans.text(server, "http.route")).isEqualTo("/v1/chat/completions");
        assertThat(Spans.text(server, "gen_ai.request.model")).isEqualTo("m");
        assertThat(Spans.text(server, "gen_ai.operation.name")).isEqualTo("chat");
        assertThat(Spans.text(server, "penstock.request_id")).isEqualTo("me");
        assertThat(Spans.text(server, "penstock.result")).isEqualTo("completed");
        assertThat(Spans.text(server, "error.type")).isNull();
        assertThat(Spans.number(server, "http.response.status_code")).isEqualTo(200);
        assertThat(Spans.events(server)).containsExactly("first_output");
        SpanData attempt = spans.attempt();
        assertThat(attempt.getName()).isEqualTo("attempt a");
        assertThat(attempt.getParentSpanContext()).isEqualTo(server.getSpanContext());
        assertThat(Spans.text(attempt, "penstock.choice")).isNotEmpty();
        assertThat(Spans.number(attempt, "server.port")).isEqualTo(one.port());
        assertThat(Spans.number(attempt, "http.response.status_code")).isEqualTo(200);
        assertThat(Spans.events(attempt)).containsExactly("first_output");
        assertThat(attempt.getStartEpochNanos()).isGreaterThanOrEqualTo(server.getStartEpochNanos());
        assertThat(attempt.getEndEpochNanos()).isLessThanOrEqualTo(server.getEndEpochNanos());
        assertThat(one.call(0).header("traceparent")).isEqualTo(Spans.traceparent(attempt));
        assertThat(spans.all()).hasSize(2);
    }

    @Test
    void noSpanHoldsAPromptAnAnswerOrAKey() throws Exception {
        one.always(Script.stream("data: {\"text\":\"hush-answer\"}\n\n", Script.DONE));
        try (Stage stage = Setting.with(one).traced(spans.tracing).open();
                Client client = Client.to(stage)) {
            client.send(Client.post(
                    "/v1/chat/completions?key=hush-query",
                    "{\"model\":\"m\",\"stream\":true,\"prompt\":\"hush-prompt\"}",
                    "Authorization: Bearer hush-key"));
            assertThat(client.reply().body()).contains("hush-answer");
        }
        assertThat(spans.all())
                .hasSize(2)
                .allSatisfy(span -> assertThat(span.toString()).doesNotContain("hush"));
    }

    @Test
    void clientsTraceGoesOnThroughTheAttempt() throws Exception {
        ask(one, "traceparent: 00-" + TRACE + "-" + PARENT + "-01", "tracestate: a=1", "TraceState: b=2");
        assertThat(spans.server().getParentSpanContext().getSpanId()).isEqualTo(PARENT);
        assertThat(spans.server().getTraceId()).isEqualTo(TRACE);
        Call call = one.call(0);
        assertThat(call.header("traceparent")).isEqualTo(Spans.traceparent(spans.attempt()));
        assertThat(call.header("tracestate").replace(" ", "")).isEqualTo("a=1,b=2");
    }

    @Test
    void whatTheClientDoesNotSampleIsNotToldAndSaysSoToTheReplica() throws Exception {
        ask(one, "traceparent: 00-" + TRACE + "-" + PARENT + "-00");
        assertThat(spans.all()).isEmpty();
        assertThat(one.call(0).header("traceparent"))
                .matches("00-" + TRACE + "-[0-9a-f]{16}-00")
                .doesNotContain(PARENT);
    }

    @Test
    void clientThatSamplesIsHeardThoughTheShareIsZero() throws Exception {
        Spans none = new Spans(0);
        try (Stage stage = Setting.with(one).traced(none.tracing).open()) {
            ask(stage);
            ask(stage, "traceparent: 00-" + TRACE + "-" + PARENT + "-01");
        }
        assertThat(one.call(0).header("traceparent")).matches("00-[0-9a-f]{32}-[0-9a-f]{16}-0[02]");
        assertThat(none.all())
                .hasSize(2)
                .allSatisfy(span -> assertThat(span.getTraceId()).isEqualTo(TRACE));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "traceparent: 00-" + TRACE + "-" + PARENT + "-01\r\ntraceparent: 00-" + TRACE + "-" + PARENT + "-01",
                "traceparent: 00-" + TRACE + "-0000000000000000-01",
                "traceparent: 00-" + TRACE + "-" + PARENT,
                "traceparent: ff-" + TRACE + "-" + PARENT + "-01",
                "traceparent: nonsense"
            })
    void whatIsNoParentBeginsANewTrace(String headers) throws Exception {
        ask(one, headers, "tracestate: a=1");
        assertThat(spans.server().getParentSpanContext().isValid()).isFalse();
        assertThat(spans.server().getTraceId()).isNotEqualTo(TRACE);
        assertThat(one.call(0).header("traceparent")).isEqualTo(Spans.traceparent(spans.attempt()));
        assertThat(one.call(0).header("tracestate")).isEmpty();
    }

    @Test
    void withoutTracingAClientsHeadersPassAsTheyAre() throws Exception {
        try (Stage stage = Setting.with(one).open()) {
            ask(stage, "traceparent: 00-" + TRACE + "-" + PARENT + "-01", "tracestate: a=1");
            ask(stage);
        }
        assertThat(one.call(0).header("traceparent")).isEqualTo("00-" + TRACE + "-" + PARENT + "-01");
        assertThat(one.call(0).header("tracestate")).isEqualTo("a=1");
        assertThat(one.call(1).header("traceparent")).isEmpty();
        assertThat(spans.all()).isEmpty();
    }

    @Test
    void failoverIsTwoAttemptsOfWhichOneFailed() throws Exception {
        Script firstDies = call -> (one.calls().size() + two.calls().size() == 1 ? Script.FIN : GOOD).play(call);
        one.always(firstDies);
        two.always(firstDies);
        try (Stage stage = Setting.with(one, two).traced(spans.tracing).open()) {
            ask(stage);
        }
        List<SpanData> attempts = spans.attempts();
        assertThat(attempts).hasSize(2);
        assertThat(attempts.get(0).getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
        assertThat(Spans.text(attempts.get(0), "error.type")).isEqualTo("upstream_died");
        assertThat(Spans.events(attempts.get(0))).isEmpty();
        assertThat(attempts.get(1).getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
        assertThat(Spans.events(attempts.get(1))).containsExactly("first_output");
        assertThat(spans.server().getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
        assertThat(Spans.number(spans.server(), "penstock.attempts")).isEqualTo(2);
        assertThat(Set.of(one.call(0).header("traceparent"), two.call(0).header("traceparent")))
                .isEqualTo(Set.of(Spans.traceparent(attempts.get(0)), Spans.traceparent(attempts.get(1))));
    }

    @Test
    void connectionThatIsRefusedIsAnAttemptToo() throws Exception {
        try (Stage stage = Setting.with(one, two)
                .probes(Duration.ofSeconds(5))
                .traced(spans.tracing)
                .open()) {
            one.refuse();
            ask(stage);
            ask(stage);
            one.listen();
        }
        assertThat(spans.attempts())
                .filteredOn(span -> "upstream_unreachable".equals(Spans.text(span, "error.type")))
                .singleElement()
                .satisfies(span -> assertThat(Spans.number(span, "server.port")).isEqualTo(one.port()));
        assertThat(spans.attempts()).hasSize(3);
    }

    @Test
    void clientThatLeavesTheQueueLeavesAWaitAndNoAttempt() throws Exception {
        CountDownLatch go = new CountDownLatch(1);
        one.always(Script.until(go).then(GOOD));
        Setting narrow = Setting.with().replica("127.0.0.1", one.port(), null, 1);
        try (Stage stage = narrow.traced(spans.tracing).open();
                Client first = Client.to(stage).send(Client.chat())) {
            one.call(0);
            try (Client second = Client.to(stage).send(Client.chat("X-Request-Id: left"))) {
                Eventually.that("it waits", () -> stage.waiting() == 1);
                assertThat(second.isSilentFor(20)).isTrue();
            }
            stage.report(0);
            go.countDown();
            first.reply();
        }
        SpanData wait = Spans.only(spans.waits());
        SpanData server = spans.all().stream()
                .filter(span -> "left".equals(Spans.text(span, "penstock.request_id")))
                .findFirst()
                .orElseThrow();
        assertThat(wait.getName()).isEqualTo("wait for a replica");
        assertThat(wait.getParentSpanContext()).isEqualTo(server.getSpanContext());
        assertThat(Spans.text(server, "penstock.result")).isEqualTo("client_left");
        assertThat(Spans.text(server, "penstock.phase")).isEqualTo("queue");
        assertThat(server.getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
        assertThat(spans.attempts()).hasSize(1);
    }

    @Test
    void hedgeIsTwoAttemptsAndTheLoserIsNoError() throws Exception {
        one.always(Script.begun().then(Script.SILENCE));
        try (Stage stage = Setting.with(one, two).traced(spans.tracing).open()) {
            stage.replica("b").engine().suspect(new Suspicion(Standing.SUSPECT, "out of the way"));
            try (Client client = Client.to(stage).send(Client.chat())) {
                one.call(0);
                stage.replica("b").engine().suspect(null);
                stage.suspect("a", Standing.SUSPECT);
                assertThat(client.reply().body()).isEqualTo(EVENT + Script.DONE);
            }
        }
        List<SpanData> attempts = spans.attempts();
        assertThat(attempts).extracting(SpanData::getName).containsExactly("attempt a", "attempt b");
        assertThat(Spans.text(attempts.get(0), "penstock.failure")).isEqualTo("hedge_lost");
        assertThat(attempts)
                .allSatisfy(span -> assertThat(span.getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET));
        assertThat(attempts.get(0).getAttributes().toString()).doesNotContain("penstock.hedge");
        assertThat(attempts.get(1).getAttributes().toString()).contains("penstock.hedge=true");
    }

    @Test
    void errorInTheMiddleOfAStreamIsAnErrorOfBoth() throws Exception {
        one.always(Script.begun(EVENT, ERROR).then(Script.END));
        try (Stage stage = Setting.with(one).traced(spans.tracing).open();
                Client client = Client.to(stage).send(Client.chat())) {
            client.until("boom");
            client.end();
            stage.report(0);
        }
        for (SpanData span : List.of(spans.server(), spans.attempt())) {
            assertThat(span.getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
            assertThat(Spans.text(span, "error.type")).isEqualTo(Spans.text(span, "penstock.failure"));
            assertThat(Spans.events(span)).containsExactly("first_output");
        }
        assertThat(Spans.text(spans.server(), "penstock.result")).isEqualTo("broken");
        // The head said 200, and was not lying.
        assertThat(Spans.number(spans.server(), "http.response.status_code")).isNull();
    }

    @Test
    void replicasOwnErrorIsAnErrorOfItsAttempt() throws Exception {
        one.always(Script.answer(400, "application/json", "{}"));
        ask(one);
        assertThat(Spans.text(spans.attempt(), "error.type")).isEqualTo("400");
        assertThat(spans.server().getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
        assertThat(Spans.text(spans.server(), "penstock.result")).isEqualTo("upstream_error");
    }

    @Test
    void plainRoutesHaveSpansTooAndWhatPenstockAnswersItselfHasNone() throws Exception {
        one.always(Script.json("{}"));
        String parent = "traceparent: 00-" + TRACE + "-" + PARENT + "-01";
        try (Stage stage = Setting.with(one).traced(spans.tracing).open()) {
            List<Integer> statuses = new ArrayList<>();
            for (String path : List.of("/v1/responses/r_1", "/nowhere", "/health", "/version", "/v1/models")) {
                try (Client client = Client.to(stage)) {
                    statuses.add(client.send(Client.request("GET", path, parent))
                            .reply()
                            .status());
                }
            }
            assertThat(statuses).containsExactly(200, 404, 200, 200, 200);
        }
        assertThat(spans.all())
                .extracting(SpanData::getName)
                .containsExactly("attempt a", "GET /v1/responses/{id}", "GET");
        assertThat(one.call(0).header("traceparent")).isEqualTo(Spans.traceparent(spans.attempt()));
    }

    private void ask(ScriptedReplica replica, String... headers) throws IOException {
        try (Stage stage = Setting.with(replica).traced(spans.tracing).open()) {
            ask(stage, headers);
        }
    }

    private static void ask(Stage stage, String... headers) throws IOException {
        try (Client client = Client.to(stage)) {
            client.send(Client.chat(headers)).reply();
        }
    }
}
