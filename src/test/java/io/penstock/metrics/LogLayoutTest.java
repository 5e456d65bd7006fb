package io.penstock.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.joran.JoranConfigurator;
import ch.qos.logback.classic.util.LogbackMDCAdapter;
import ch.qos.logback.core.joran.spi.JoranException;
import io.vertx.core.json.JsonObject;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/** The logging set-up that ships, in a context of its own, writing where the test can see it. */
@Isolated("redirects standard output")
class LogLayoutTest {

    private final PrintStream console = System.out;
    private final ByteArrayOutputStream written = new ByteArrayOutputStream();

    @AfterEach
    void restore() {
        System.setOut(console);
    }

    @Test
    void accessLinesAreRawAndOperatorLinesAreShort() throws JoranException {
        String text = logged("");

        assertThat(text.lines()).hasSize(2);
        assertThat(text).contains("{\"request\":1}\n");
        assertThat(text.lines().filter(line -> line.matches("\\d\\d:\\d\\d:\\d\\d\\.\\d{3} INFO  Drain - going down")))
                .hasSize(1);
    }

    @Test
    void operatorLinesAreJsonOnRequest() throws JoranException {
        String text = logged("json");

        String operator = text.lines()
                .filter(line -> line.contains("going down"))
                .findFirst()
                .orElseThrow();
        JsonObject json = new JsonObject(operator);
        assertThat(json.getString("formattedMessage")).isEqualTo("going down");
        assertThat(json.getString("loggerName")).isEqualTo("io.penstock.Drain");
        assertThat(json.getString("level")).isEqualTo("INFO");
    }

    private String logged(String format) throws JoranException {
        System.setOut(new PrintStream(written, true, StandardCharsets.UTF_8));
        LoggerContext context = new LoggerContext();
        context.setMDCAdapter(new LogbackMDCAdapter());
        context.putProperty("PENSTOCK_LOG", format);
        JoranConfigurator configurator = new JoranConfigurator();
        configurator.setContext(context);
        configurator.doConfigure(DroppingAppender.class.getResource("/logback.xml"));
        context.getLogger("io.vertx.core.Noise").info("not interesting");
        context.getLogger("penstock.access").info("{\"request\":1}");
        context.getLogger("io.penstock.Drain").info("going down");
        context.stop();
        return written.toString(StandardCharsets.UTF_8);
    }
}
