package io.penstock;

import io.penstock.bench.Cell;
import io.penstock.bench.CellRun;
import io.penstock.bench.RoutingReport;
import io.penstock.bench.Score;
import io.penstock.bench.Sweep;
import io.penstock.selection.PredictionTerms;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The part of {@code penstock bench routing} that goes through many rates and draws pictures. */
final class RoutingSweep {

    private static final List<Double> USUAL = List.of(0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 1.8);

    @Option(
            names = "--sweep",
            split = ",",
            paramLabel = "TIMES",
            description = "Virtual time at several rates: so many times that of the cell, rising. For the pictures"
                    + " 0.2,0.4 and so on to 1.8 unless given.")
    private List<Double> times = List.of();

    @Option(
            names = "--report",
            paramLabel = "FILE",
            description = "Writes a page with pictures: one HTML file that needs nothing else.")
    private @Nullable Path report;

    @Option(names = "--plots", paramLabel = "FOLDER", description = "Writes the same pictures as SVG files.")
    private @Nullable Path plots;

    boolean wanted() {
        return report != null || plots != null || !times.isEmpty();
    }

    void run(List<Cell> cells, List<String> policies, int seeds, List<String> arguments, PrintWriter out)
            throws IOException {
        out.println(BenchCommand.HEADING);
        List<Sweep> sweeps = new ArrayList<>();
        for (Cell cell : cells) {
            Sweep sweep = new Sweep(cell);
            for (double each : times.isEmpty() ? USUAL : times) {
                Cell changed = cell.at(cell.rate() * each);
                for (String policy : policies) {
                    sweep.add(policy, changed.rate(), runs(changed, policy, seeds, out));
                }
            }
            sweeps.add(sweep);
        }
        write(new RoutingReport(sweeps, policies, seeds, "penstock " + String.join(" ", arguments)));
    }

    private static List<Score> runs(Cell cell, String policy, int seeds, PrintWriter out) {
        List<Score> runs = new ArrayList<>();
        for (int seed = 1; seed <= seeds; seed++) {
            Score score = new CellRun(cell, BenchCommand.policy(policy), PredictionTerms.ALL, seed).run();
            out.println(BenchCommand.line(cell, seed, policy, score));
            runs.add(score);
        }
        out.flush();
        return runs;
    }

    private void write(RoutingReport found) throws IOException {
        if (report != null) {
            Files.writeString(report, found.page());
        }
        if (plots != null) {
            Files.createDirectories(plots);
            for (Map.Entry<String, String> each : found.files().entrySet()) {
                Files.writeString(plots.resolve(each.getKey()), each.getValue());
            }
        }
    }
}
