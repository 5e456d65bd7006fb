package io.penstock.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * A replica of three has trouble that lasts, ten clients come every second: who loses what, how long it gets work, when it
 * is back. The table is {@code target/outages.md}.
 */
@Tag("faults")
@SuppressWarnings("NullAway.Init") // Opened before the first test.
class OutagesTest {

    /** Nobody whose request had no output when an engine hung waits longer than this for the whole answer. */
    private static final double SERVED_SECONDS = 20;

    private static final List<OutageRun.Result> RESULTS = new ArrayList<>();
    private static SimProcess teller;
    private static Truth truth;

    @BeforeAll
    static void open(@TempDir Path folder) throws Exception {
        teller = new SimProcess(folder, "teller", 0, 0).ready();
        truth = new Truth(teller.port());
    }

    @AfterAll
    static void close() throws Exception {
        teller.close();
        publish();
    }

    @TestFactory
    Stream<DynamicTest> penstockKeepsItsPromises(@TempDir Path folder) {
        return Outage.all().stream()
                .map(outage -> DynamicTest.dynamicTest(
                        outage.name(), () -> holds(OutageRun.play(folder, outage, Contender.PENSTOCK, truth))));
    }

    @TestFactory
    Stream<DynamicTest> othersGoThroughTheSame(@TempDir Path folder) {
        return Comparison.others()
                .flatMap(other -> Outage.all().stream()
                        .map(outage -> DynamicTest.dynamicTest(
                                other.label() + ": " + outage.name(),
                                () -> RESULTS.add(OutageRun.play(folder, outage, other, truth)))));
    }

    private static void holds(OutageRun.Result result) {
        RESULTS.add(result);
        Outage outage = result.outage();
        SoftAssertions softly = new SoftAssertions();
        softly.assertThat(result.lost()).as("lost before output").isZero();
        softly.assertThat(result.gaveUp()).as("gave up waiting").isZero();
        softly.assertThat(result.slowest()).as("slowest answer, s").isLessThan(SERVED_SECONDS);
        if (outage.outSeconds() > 0) {
            if (!result.wentUnnoticed()) {
                softly.assertThat(result.knownFor()).as("out after, s").isBetween(0.0, (double) outage.outSeconds());
            }
            if (!outage.flapping()) {
                softly.assertThat(result.earlyBack()).as("back too early").isFalse();
                if (!outage.tried()) {
                    softly.assertThat(result.askedLate())
                            .as("asked though it was out")
                            .isZero();
                }
            }
        }
        if (outage.backSeconds() > 0) {
            softly.assertThat(result.back()).as("back after, s").isBetween(0.0, (double) outage.backSeconds());
        }
        if (!outage.goodSide()) {
            softly.assertThat(result.firstGood())
                    .as("first answer after the end, s")
                    .isBetween(0.0, 1.0);
        }
        softly.assertAll();
    }

    private static void publish() throws IOException {
        StringBuilder table =
                new StringBuilder("| what happens to one of three | for | requests | lost | cut | last lost |"
                        + " slowest answer | out after | back after | hedged |");
        List<Contender> others = List.of(Contender.NGINX, Contender.HAPROXY, Contender.VLLM_ROUTER);
        others.forEach(other -> table.append(' ').append(other.label()).append(" |"));
        table.append("\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
                .append("---|".repeat(others.size()))
                .append('\n');
        Map<String, Map<Contender, OutageRun.Result>> rows = new LinkedHashMap<>();
        for (OutageRun.Result each : RESULTS) {
            rows.computeIfAbsent(each.outage().name(), n -> new LinkedHashMap<>())
                    .put(each.contender(), each);
        }
        rows.values().forEach(row -> line(table, row, others));
        Files.createDirectories(Path.of("target"));
        Files.writeString(Path.of("target", "outages.md"), table);
        System.out.println(table);
        assertThat(rows).isNotEmpty();
    }

    private static void line(StringBuilder table, Map<Contender, OutageRun.Result> row, List<Contender> others) {
        OutageRun.Result own = row.get(Contender.PENSTOCK);
        OutageRun.Result any = own == null ? row.values().iterator().next() : own;
        table.append("| %s | %d s |".formatted(any.outage().name(), any.outage().seconds()));
        if (own == null) {
            table.append(" | | | | | | | |");
        } else {
            table.append(" %d | %d | %d | %s | %s | %s | %s | %d |"
                    .formatted(
                            own.requests(),
                            own.lost() + own.gaveUp(),
                            own.cut(),
                            seconds(own.lastLost()),
                            seconds(own.slowest()),
                            seconds(own.out()),
                            seconds(own.back()),
                            own.hedged()));
        }
        for (Contender other : others) {
            OutageRun.Result theirs = row.get(other);
            table.append(
                    theirs == null
                            ? " |"
                            : " %d lost, %d cut, %s |"
                                    .formatted(
                                            theirs.lost() + theirs.gaveUp(), theirs.cut(), seconds(theirs.slowest())));
        }
        table.append('\n');
    }

    private static String seconds(double seconds) {
        return seconds < 0 ? "–" : String.format(java.util.Locale.ROOT, "%.1f s", seconds);
    }
}
