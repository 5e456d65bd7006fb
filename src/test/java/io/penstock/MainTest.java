package io.penstock;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class MainTest {

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private final CommandLine main =
            Main.commandLine().setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));

    @Test
    void allCommandsAreThere() {
        assertThat(main.getSubcommands().keySet())
                .containsExactly(
                        "serve", "demo", "sim", "check", "import", "status", "drain", "undrain", "bench", "rehearse");
    }

    @Test
    void theHelpNamesEveryCommandWithItsPurposeAndWhereToStart() {
        assertThat(main.execute("--help")).isZero();

        List<String> shown = main.getSubcommands().entrySet().stream()
                .filter(each -> !each.getValue().getCommandSpec().usageMessage().hidden())
                .map(Map.Entry::getKey)
                .toList();
        assertThat(shown)
                .allSatisfy(command -> assertThat(out.toString()).containsPattern("(?m)^  " + command + " +[A-Z]\\w+"));
        assertThat(out.toString()).contains("penstock demo");
        assertThat(err.toString()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"serve", "demo", "sim", "check", "import", "status", "drain", "undrain", "bench", "rehearse"})
    void everyCommandExplainsItself(String command) {
        assertThat(main.execute(command, "--help")).isZero();

        assertThat(out.toString()).contains("Usage: penstock " + command).contains("--help");
        assertThat(out.toString()).as("variables are filled in").doesNotContain("${");
        assertThat(err.toString()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"serve", "demo", "sim", "check", "import", "status", "drain", "undrain", "bench", "rehearse"})
    void everyOptionAndParameterIsDescribed(String command) {
        CommandLine.Model.CommandSpec spec =
                Objects.requireNonNull(main.getSubcommands().get(command)).getCommandSpec();

        assertThat(spec.args())
                .isNotEmpty()
                .allSatisfy(
                        each -> assertThat(each.description()).as("%s", each).isNotEmpty());
        assertThat(spec.usageMessage().description()).isNotEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "serve --no-such-option",
        "serve --upstream",
        "demo --replicas many",
        "drain",
        "undrain",
        "check",
        "import",
        "status --admin nowhere:x",
    })
    void wrongUsageExitsWithTwoAndShowsTheRight(String arguments) {
        assertThat(main.execute(arguments.split(" ", -1))).isEqualTo(2);

        assertThat(out.toString()).isEmpty();
        assertThat(err.toString()).contains("Usage: penstock");
    }

    @Test
    void aMistypedCommandIsToldTheRightOne() {
        assertThat(main.execute("sever")).isEqualTo(2);

        assertThat(err.toString()).contains("'sever'").contains("penstock serve");
    }

    @Test
    void theVersionIsOfTheJarOrSaysThatThereIsNone() {
        String packaged = Version.class.getPackage().getImplementationVersion();

        assertThat(main.execute("--version")).isZero();

        assertThat(Version.current()).isEqualTo(Objects.requireNonNullElse(packaged, "development"));
        assertThat(new Version().getVersion()).containsExactly("penstock " + Version.current());
        assertThat(out.toString().strip()).isEqualTo("penstock " + Version.current());
    }
}
