package io.penstock;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class ImportCommandTest {

    private static final String GUIDE = "src/test/resources/nginx/guide.conf";

    @TempDir
    private Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @Test
    void anEquivalentFileExitsWithZeroAndPassesTheCheck() throws IOException {
        assertThat(run("", GUIDE)).isZero();
        assertThat(err.toString()).isEmpty();

        Path file = Files.writeString(folder.resolve("penstock.yaml"), out.toString());
        assertThat(new CommandLine(new CheckCommand())
                        .setOut(new PrintWriter(new StringWriter()))
                        .execute(file.toString()))
                .isZero();
    }

    @Test
    void aLossExitsWithOneAndStandsInTheFileAndOnStandardError() {
        assertThat(run("upstream u { ip_hash; server a; }\nserver { location / { proxy_pass http://u; } }", "-"))
                .isEqualTo(1);
        assertThat(out.toString()).contains("from standard input", "NOT CARRIED OVER", "  - http://a:80");
        assertThat(err.toString())
                .startsWith("not carried over: ip_hash (line 1): ")
                .hasLineCount(1);
    }

    @Test
    void aMalformedFileExitsWithTwoAndItsLine() {
        assertThat(run("upstream u {\n  server a\n}\n", "-")).isEqualTo(2);
        assertThat(out.toString()).isEmpty();
        assertThat(err.toString())
                .isEqualToNormalizingNewlines("standard input: line 3: unexpected \"}\"; want \";\" before it\n");
    }

    @Test
    void aFileThatIsMissingNoFileOrTooLongExitsWithTwo() {
        assertThat(run("", folder.resolve("none").toString())).isEqualTo(2);
        assertThat(err.toString()).contains("there is no such file");
        assertThat(run("", folder.toString())).isEqualTo(2);
        assertThat(err.toString()).contains("cannot be read: is a directory");
        assertThat(run("#".repeat((1 << 20) + 1), "-")).isEqualTo(2);
        assertThat(err.toString()).contains("it is longer than 1MiB");
        assertThat(out.toString()).isEmpty();
    }

    @Test
    void theProgramKnowsTheCommand() {
        assertThat(Main.commandLine().getSubcommands()).containsKey("import");
    }

    private int run(String input, String... arguments) {
        return new CommandLine(new ImportCommand(new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8))))
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(arguments);
    }
}
