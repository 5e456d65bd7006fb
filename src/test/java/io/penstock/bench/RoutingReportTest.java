package io.penstock.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.StringReader;
import java.util.List;
import java.util.Map;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xml.sax.InputSource;

class RoutingReportTest {

    private static final List<String> POLICIES = List.of("predicted_delay", "least_in_flight");

    private final Sweep shared = sweep("W3", 1.0, 0.8);
    private final Sweep flood = sweep("W10", 0.95, 0.5);

    @Test
    void thePageNeedsNothingElse() {
        String page = report("penstock bench <routing>").page();

        assertThat(page)
                .contains("<h2>W3</h2>", "<h2>W10</h2>", "150 texts of 6000 tokens", "penstock bench &lt;routing&gt;")
                .contains("p99 of the steady caller")
                .doesNotContain("http:", "https:", "<script", "<link", "@import", "url(");
    }

    @Test
    void everyPictureIsAFileThatStandsAlone() throws Exception {
        Map<String, String> files = report("again").files();

        assertThat(files.keySet())
                .containsExactly(
                        "capacity.svg", "hits.svg", "W3-good.svg", "W3-p99.svg", "W10-good.svg", "W10-p99.svg");
        for (String each : files.values()) {
            assertThat(DocumentBuilderFactory.newInstance()
                            .newDocumentBuilder()
                            .parse(new InputSource(new StringReader(each)))
                            .getDocumentElement()
                            .getTagName())
                    .isEqualTo("svg");
            assertThat(each).contains("prefers-color-scheme:dark");
        }
    }

    @Test
    void pointsSayWhatTheyAre() {
        assertThat(report("again").files().get("W3-good.svg")).contains("least_in_flight, 18/s: 80.0 %");
        assertThat(report("again").files().get("W3-p99.svg")).contains("predicted_delay, 4.5/s: 0.500 s");
        // Nothing is shared in W10.
        assertThat(report("again").files().get("hits.svg")).contains("W3").doesNotContain("W10");
    }

    @Test
    void capacityLiesBetweenTheLastGoodRateAndTheFirstBadOne() {
        assertThat(shared.capacity("predicted_delay")).isEqualTo(18);
        assertThat(shared.unbroken("predicted_delay")).isTrue();
        assertThat(shared.capacity("least_in_flight")).isEqualTo(4.5 + 13.5 * 0.1 / 0.2);
        assertThat(shared.unbroken("least_in_flight")).isFalse();
    }

    @Test
    void theMeanOfSeveralRunsIsTakenFigureByFigure() {
        assertThat(Score.mean(List.of(score(0.5, 1), score(1, 3)))).isEqualTo(score(0.75, 2));
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "0.25, 0.25", "0.5, 0.5", "12, 12", "12.54, 13", "0.02, 0.02", "147.6, 148", "1.5, 1.5"})
    void valuesHaveNoNeedlessDigits(double value, String written) {
        assertThat(Scale.plain(value)).isEqualTo(written);
    }

    @ParameterizedTest
    @CsvSource({"0.3", "1", "1.72", "9", "12.6", "147.6", "3000"})
    void anAxisEndsBeyondItsValuesAndHasFewTicks(double most) {
        Scale scale = Scale.linear(most, 0, 100);

        assertThat(scale.most()).isGreaterThanOrEqualTo(most * 0.999).isLessThanOrEqualTo(2 * most);
        assertThat(scale.ticks()).hasSizeBetween(3, 8).startsWith(0.0);
        assertThat(scale.at(scale.most())).isEqualTo(100);
    }

    @Test
    void aLogarithmicAxisGoesFromPowerToPower() {
        Scale scale = Scale.logarithmic(0.03, 40, 200, 0);

        assertThat(scale.ticks()).hasSize(5);
        assertThat(scale.at(1)).isEqualTo(100);
        assertThat(scale.at(0)).isEqualTo(200);
    }

    private RoutingReport report(String command) {
        return new RoutingReport(List.of(shared, flood), POLICIES, 1, command);
    }

    private static Sweep sweep(String name, double predicted, double fewest) {
        Cell cell = Cell.named(name);
        Sweep sweep = new Sweep(cell);
        for (double times : new double[] {0.5, 2}) {
            sweep.add("predicted_delay", times * cell.rate(), List.of(score(predicted, 0.5)));
            sweep.add("least_in_flight", times * cell.rate(), List.of(score(times < 1 ? 1 : fewest, 2)));
        }
        return sweep;
    }

    private static Score score(double good, double p99) {
        return new Score(good, 0, 0.1, p99, p99, 0.4, 1.1, 0.9);
    }
}
