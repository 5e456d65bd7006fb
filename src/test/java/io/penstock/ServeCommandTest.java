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

class ServeCommandTest {

    @TempDir
    private Path folder;

    private final StringWriter err = new StringWriter();

    @Test
    void aBadFileExitsWithTwoAndShowsEveryProblem() throws IOException {
        Path file = write("""
                listen: nowhere
                upstreams:
                  - ftp://a
                  - http://b
                  - http://b
                probe: {interval: 0s, fall: 0, intreval: 2s}
                """);

        assertThat(serve("--config", file.toString())).isEqualTo(2);
        assertThat(err.toString().lines())
                .hasSize(6)
                .allMatch(line -> line.startsWith(file.toString()) || line.matches("[a-z]\\S*: .+"));
        assertThat(err.toString())
                .contains("listen", "upstreams[0]", "upstreams[2]", "probe.interval", "probe.fall", "probe.intreval");
    }

    @Test
    void aMissingFileExitsWithTwo() {
        assertThat(serve("--config", folder.resolve("none").toString())).isEqualTo(2);
        assertThat(err.toString()).contains("there is no such file");
    }

    @Test
    void badOptionsAreProblemsToo() {
        assertThat(serve("--upstream", "vllm:8000", "--listen", "70000")).isEqualTo(2);
        assertThat(err.toString()).contains("--upstream").contains("--listen");
    }

    private Path write(String yaml) throws IOException {
        return Files.writeString(folder.resolve("penstock.yaml"), yaml);
    }

    private int serve(String... arguments) {
        Chance chance = new Chance(() -> 0, () -> 0, () -> 0.5, () -> "id");
        return new CommandLine(new ServeCommand(chance))
                .setErr(new PrintWriter(err, true))
                .execute(arguments);
    }
}
