package io.penstock;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class BenchCommandTest {

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @Test
    void everyPolicyGetsTheSameCalls() {
        assertThat(run("routing --cells W1 --rate 1 --seeds 2")).isZero();

        assertThat(out.toString().lines()).hasSize(1 + 2 * 3).anyMatch(line -> line.matches("W1 .*predicted_delay.*"));
    }

    @Test
    void ratesAreGoneThroughAndDrawn(@TempDir Path folder) throws IOException {
        Path page = folder.resolve("routing.html");
        Path plots = folder.resolve("plots");

        assertThat(run("routing --cells W5 --rate 2 --sweep 0.5,1 --report " + page + " --plots " + plots))
                .isZero();

        assertThat(out.toString().lines()).hasSize(1 + 2 * 3).anyMatch(line -> line.matches("W5 +1\\.0 .*"));
        assertThat(page).content().contains("<h2>W5</h2>", "--sweep 0.5,1 --report");
        assertThat(plots.resolve("W5-p99.svg")).content().startsWith("<svg xmlns");
    }

    @Test
    void overSocketsEverybodyIsListed() {
        String pace = " --rounds 1 --seconds 1 --warm-up 0.2 --replica-port 0";

        assertThat(run("routing --sockets --cells unequal --policies least_in_flight,predicted_delay" + pace))
                .isZero();

        assertThat(out.toString())
                .containsPattern("unequal: .* requests/s, 4 replicas")
                .containsPattern("penstock least_in_flight +[1-9]\\d* +0 ")
                .containsPattern("penstock predicted_delay +[1-9]\\d* +0 ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "cooking",
                "routing --cells W99",
                "routing --cells W1 --policies fastest --rate 1",
                "routing --against it=https://proxy",
                "routing --sockets --cells W8c"
            })
    void whatItDoesNotKnowIsAMistake(String words) {
        assertThat(run(words)).isEqualTo(2);
        assertThat(err.toString()).isNotEmpty();
    }

    private int run(String words) {
        return new CommandLine(new BenchCommand(System::nanoTime, System::currentTimeMillis))
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(words.split(" "));
    }
}
