package io.penstock;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class CheckCommandTest {

    @TempDir
    private Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @Test
    void aGoodFileExitsWithZeroAndShowsItsWarnings() throws IOException {
        Path file = write("upstreams: [http://a]\ntimeouts: {upstreamIdle: 9s}\n");
        assertThat(run(file.toString())).isZero();
        assertThat(out.toString()).isEqualToNormalizingNewlines(file + " is good, upstreams: 1\n");
        assertThat(err.toString())
                .startsWith("warning: timeouts.upstreamIdle: ")
                .hasLineCount(1);
    }

    @Test
    void aBadFileExitsWithTwoAndShowsEveryProblem() throws IOException {
        Path file = write("upstreams: []\nprobe: {fall: 0}\ntimeouts: {upstreamIdle: 9s}\n");
        assertThat(run(file.toString())).isEqualTo(2);
        assertThat(out.toString()).isEmpty();
        assertThat(err.toString().lines().map(line -> line.substring(0, 18)))
                .containsExactly(
                        "problem: upstreams",
                        "problem: probe.fal",
                        "warning: timeouts.",
                        file.toString().substring(0, 18));
    }

    @Test
    void aMissingFileExitsWithTwo() {
        assertThat(run(folder.resolve("none").toString())).isEqualTo(2);
        assertThat(err.toString()).contains("there is no such file");
    }

    @Test
    void noFileNamedExitsWithTwo() {
        assertThat(run()).isEqualTo(2);
        assertThat(err.toString()).contains("FILE");
    }

    private Path write(String yaml) throws IOException {
        return Files.writeString(folder.resolve("penstock.yaml"), yaml);
    }

    private int run(String... arguments) {
        return new CommandLine(new CheckCommand())
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(arguments);
    }
}
