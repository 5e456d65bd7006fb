package io.penstock.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import io.penstock.config.PenstockConfig;
import io.penstock.proxy.front.Eventually;
import io.penstock.proxy.front.Script;
import io.penstock.proxy.front.ScriptedReplica;
import io.vertx.core.MultiMap;
import java.net.ServerSocket;
import java.util.Collection;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** A collector that is slow, mute or gone costs spans, which are counted, and nothing else. */
class SpanExportTest {

    private final AtomicLong nanos = new AtomicLong();
    private final LongAdder lost = new LongAdder();
    private final ListAppender<ILoggingEvent> heard = new ListAppender<>();

    @BeforeEach
    void listen() {
        heard.start();
        ((Logger) LoggerFactory.getLogger(SpanExport.class)).addAppender(heard);
    }

    @AfterEach
    void stopListening() {
        ((Logger) LoggerFactory.getLogger(SpanExport.class)).detachAppender(heard);
    }

    @Test
    void spansGoToTheCollectorWithItsHeadersAndTheLastOnesAtTheEnd() throws Exception {
        try (ScriptedReplica collector =
                ScriptedReplica.start().always(Script.answer(200, "application/x-protobuf", ""))) {
            OpenTelemetryTracing tracing = exporting("http://127.0.0.1:" + collector.port());
            begin(tracing);
            tracing.close();
            assertThat(collector.call(0).head).startsWith("POST /v1/traces HTTP/1.1\r\n");
            assertThat(collector.call(0).header("x-key")).isEqualTo("Bearer k");
            assertThat(collector.call(0).header("content-type")).isEqualTo("application/x-protobuf");
            assertThat(collector.call(0).text()).contains("front door");
            assertThat(lost.sum()).isZero();
        }
    }

    @Test
    void collectorThatIsDownCostsSpansWhichAreCounted() throws Exception {
        int closed;
        try (ServerSocket socket = new ServerSocket(0)) {
            closed = socket.getLocalPort();
        }
        OpenTelemetryTracing tracing = exporting("http://127.0.0.1:" + closed);
        begin(tracing);
        tracing.close();
        assertThat(lost.sum()).isEqualTo(1);
        assertThat(heard.list)
                .singleElement()
                .satisfies(line -> assertThat(line.getFormattedMessage())
                        .isEqualTo("spans lost since the start: 1; http://127.0.0.1:" + closed
                                + " cannot be reached: java.net.ConnectException"));
    }

    @Test
    void collectorThatAnswersWithAnErrorIsNotAskedAgain() throws Exception {
        try (ScriptedReplica collector = ScriptedReplica.start().always(Script.answer(503, "text/plain", "busy"))) {
            OpenTelemetryTracing tracing = exporting("http://127.0.0.1:" + collector.port() + "/v1/traces");
            begin(tracing);
            tracing.close();
            assertThat(collector.calls()).hasSize(1);
            assertThat(collector.call(0).requestLine()).isEqualTo("POST /v1/traces HTTP/1.1");
            assertThat(lost.sum()).isEqualTo(1);
            assertThat(heard.list)
                    .singleElement()
                    .satisfies(line -> assertThat(line.getFormattedMessage())
                            .isEqualTo("spans lost since the start: 1; http://127.0.0.1:" + collector.port()
                                    + "/v1/traces answers with status 503"));
        }
    }

    @Test
    void collectorThatRefusesThemIsToldOfOnceAMinute() {
        OpenTelemetryTracing tracing = tracing(new Answering(CompletableResultCode.ofFailure()));
        for (int i = 0; i < 2000; i++) {
            begin(tracing);
        }
        Eventually.that("some are lost", () -> lost.sum() > 0);
        nanos.addAndGet(TimeUnit.SECONDS.toNanos(59));
        tracing.close();
        assertThat(lost.sum()).isEqualTo(2000);
        assertThat(heard.list).hasSize(1);
    }

    @Test
    void collectorThatDoesNotAnswerHoldsABoundedNumber() {
        CompletableResultCode never = new CompletableResultCode();
        OpenTelemetryTracing tracing = tracing(new Answering(never));
        for (int i = 0; i < SpanExport.MOST_UNDERWAY + 100; i++) {
            begin(tracing);
        }
        assertThat(lost.sum()).isEqualTo(100);
        assertThat(heard.list).hasSize(1);
        never.succeed();
        Eventually.that("there is room again", () -> {
            long before = lost.sum();
            begin(tracing);
            return lost.sum() == before;
        });
        tracing.close();
    }

    private static void begin(OpenTelemetryTracing tracing) {
        tracing.begin("POST", MultiMap.caseInsensitiveMultiMap()).ended(Reports.completed("vllm0"));
    }

    private OpenTelemetryTracing exporting(String endpoint) {
        return OpenTelemetryTracing.start(
                new PenstockConfig.Tracing(endpoint, "front door", 1, Map.of("x-key", "Bearer k")),
                "1.2.3",
                nanos::get,
                () -> 0,
                lost);
    }

    private OpenTelemetryTracing tracing(SpanExporter exporter) {
        PenstockConfig.Tracing config = new PenstockConfig.Tracing("http://c", "front door", 1, Map.of());
        return new OpenTelemetryTracing(config, "1.2.3", nanos::get, () -> 0, lost, exporter);
    }

    /** Says always the same. */
    private record Answering(CompletableResultCode answer) implements SpanExporter {

        @Override
        public CompletableResultCode export(Collection<SpanData> spans) {
            return answer;
        }

        @Override
        public CompletableResultCode flush() {
            return CompletableResultCode.ofSuccess();
        }

        @Override
        public CompletableResultCode shutdown() {
            return CompletableResultCode.ofSuccess();
        }
    }
}
