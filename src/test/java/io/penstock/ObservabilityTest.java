package io.penstock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Alerts and dashboard speak of metrics that there are, and every alert says what to do. */
class ObservabilityTest {

    private static final Path ALERTS = Path.of("conf", "alerts.yml");
    private static final Path ALERT_TESTS = Path.of("conf", "alerts.test.yml");
    private static final Path RUNBOOK = Path.of("docs", "operations.md");
    private static final Path CHECK =
            Path.of("conf", "observability", "check.sh").toAbsolutePath();

    private static final Pattern METRIC = Pattern.compile("\\bpenstock_[a-z_]+");
    private static final Pattern NAME = Pattern.compile("- alert: (\\w+)");

    @ParameterizedTest
    @ValueSource(
            strings = {"conf/alerts.yml", "conf/alerts.test.yml", "conf/observability/grafana/dashboards/penstock.json"
            })
    void nobodyAsksForAMetricThatThereIsNot(String file) throws Exception {
        String page = Files.readString(Path.of("docs", "metrics.md"));
        Set<String> unknown = found(METRIC, Files.readString(Path.of(file)));
        unknown.removeIf(name -> page.contains("`" + name + "`")
                || page.contains("`" + name.replaceFirst("_(bucket|sum|count|max)$", "") + "` | histogram"));

        assertThat(unknown).isEmpty();
    }

    @Test
    void everyAlertSaysWhatItIsAndWhatToDoAndHasATest() throws Exception {
        String tests = Files.readString(ALERT_TESTS);
        List<String> runbook = Files.readAllLines(RUNBOOK);
        List<String> alerts = Arrays.asList(Files.readString(ALERTS).split("(?=      - alert: )", -1));
        assertThat(alerts).hasSizeGreaterThan(8);

        for (String alert : alerts.subList(1, alerts.size())) {
            String name = found(NAME, alert).iterator().next().substring("- alert: ".length());
            assertThat(alert)
                    .contains("{severity: ", " summary: ", " description: ")
                    .contains("runbook: docs/operations.md#" + name.toLowerCase(Locale.ROOT));
            assertThat(runbook).contains("### " + name);
            assertThat(tests).contains("- name: " + name + "\n", "        alertname: " + name + "\n");
        }
    }

    @Test
    void promtoolIsContent() throws Exception {
        assumeTrue(promtoolIsThere(), "there is no promtool in the PATH");

        Process check =
                new ProcessBuilder(CHECK.toString()).redirectErrorStream(true).start();
        String said = new String(check.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

        assertThat(check.waitFor()).as(said).isZero();
    }

    /** Whether Prometheus' own checks can be run here. */
    static boolean promtoolIsThere() {
        return Arrays.stream(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator, -1))
                .anyMatch(folder -> Files.isExecutable(Path.of(folder, "promtool")));
    }

    private static Set<String> found(Pattern pattern, String text) {
        Set<String> all = new TreeSet<>();
        Matcher matcher = pattern.matcher(text);
        while (matcher.find()) {
            all.add(matcher.group());
        }
        return all;
    }
}
