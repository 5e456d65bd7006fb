package io.penstock.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.vertx.core.json.JsonObject;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class AccessLogTest {

    // 2026-11-24T08:00:00.000Z
    private static final long NOW = 1_795_507_200_000L;

    private final ListAppender<ILoggingEvent> written = new ListAppender<>();
    private final Logger logger = (Logger) LoggerFactory.getLogger(AccessLog.LOGGER);

    @BeforeEach
    void listen() {
        written.start();
        logger.addAppender(written);
    }

    @AfterEach
    void stopListening() {
        logger.detachAppender(written);
    }

    @Test
    void completedStreamIsOneLineWithEveryPhase() {
        assertThat(AccessLog.line(Reports.completed("vllm0"), NOW))
                .isEqualTo("{\"time\":\"2026-11-24T08:00:00.000Z\",\"request_id\":\"req-1\",\"client\":\"10.0.0.9\","
                        + "\"method\":\"POST\",\"route\":\"chat_completions\",\"model\":\"qwen/7b\",\"stream\":true,"
                        + "\"result\":\"completed\",\"failure\":null,\"phase\":null,\"status\":200,\"replica\":\"vllm0\","
                        + "\"attempts\":[{\"replica\":\"vllm0\",\"reason\":\"ok\",\"connect_ms\":1,\"head_ms\":20.5,"
                        + "\"total_ms\":1987.654}],\"queue_ms\":12.346,\"connect_ms\":13.346,\"head_ms\":33,"
                        + "\"first_output_ms\":250,\"total_ms\":2000,\"events\":42,\"bytes_in\":1000,"
                        + "\"bytes_out\":5000}");
    }

    @Test
    void failedRequestNamesEachAttemptsReasonAndSaysNullForWhatNeverHappened() {
        assertThat(AccessLog.line(Reports.refused(), NOW + 7))
                .isEqualTo("{\"time\":\"2026-11-24T08:00:00.007Z\",\"request_id\":\"req-2\",\"client\":\"10.0.0.9\","
                        + "\"method\":\"POST\",\"route\":\"completions\",\"model\":null,\"stream\":false,"
                        + "\"result\":\"refused\",\"failure\":\"upstream_unreachable\",\"phase\":null,\"status\":502,"
                        + "\"replica\":null,\"attempts\":[{\"replica\":\"vllm0\",\"reason\":\"upstream_unreachable\","
                        + "\"connect_ms\":null,\"head_ms\":null,\"total_ms\":0.4},{\"replica\":\"vllm1\","
                        + "\"reason\":\"upstream_died\",\"connect_ms\":0,\"head_ms\":null,\"total_ms\":0.001}],"
                        + "\"queue_ms\":0,\"connect_ms\":null,\"head_ms\":null,\"first_output_ms\":null,"
                        + "\"total_ms\":10000000,\"events\":0,\"bytes_in\":17,\"bytes_out\":120}");
    }

    @Test
    void quotesControlCharactersAndLineBreaksCannotForgeALine() {
        String hostile = "a\"b\\c\n{\"time\":1}\r\u0000\u001b[31m";

        String line = AccessLog.line(Reports.named("models", 404, hostile), NOW);

        assertThat(line).doesNotContain("\n", "\r", "\u0000", "\u001b").contains("a\\\"b\\\\c\\n");
        assertThat(new JsonObject(line).getString("model")).isEqualTo(hostile);
    }

    @Test
    void endlessModelNameIsCutShort() {
        String line = AccessLog.line(Reports.named("models", 404, "m".repeat(100_000)), NOW);

        assertThat(line).hasSizeLessThan(1000);
        assertThat(new JsonObject(line).getString("model")).hasSize(257).endsWith("m…");
    }

    @Test
    void canBeSwitchedOffAndOnWhileRunning() {
        AtomicBoolean on = new AtomicBoolean(false);
        AccessLog log = new AccessLog(on::get, () -> NOW);

        log.exchangeEnded(Reports.completed("vllm0"));
        assertThat(written.list).isEmpty();

        on.set(true);
        log.exchangeEnded(Reports.completed("vllm0"));
        assertThat(written.list)
                .extracting(ILoggingEvent::getFormattedMessage)
                .containsExactly(AccessLog.line(Reports.completed("vllm0"), NOW));
    }
}
