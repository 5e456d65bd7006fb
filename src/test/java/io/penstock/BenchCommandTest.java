package io.penstock;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
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

    @ParameterizedTest
    @ValueSource(strings = {"cooking", "routing --cells W99", "routing --cells W1 --policies fastest --rate 1"})
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
