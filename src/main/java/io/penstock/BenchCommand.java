package io.penstock;

import io.penstock.bench.Cell;
import io.penstock.bench.CellRun;
import io.penstock.bench.Score;
import io.penstock.config.PenstockConfig.Policy;
import io.penstock.selection.PredictionTerms;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code penstock bench routing}: what each policy makes of the same calls, in virtual time. */
@Command(
        name = "bench",
        mixinStandardHelpOptions = true,
        description = "Compares routing policies on simulated engines in virtual time.")
final class BenchCommand implements Callable<Integer> {

    @Spec
    @SuppressWarnings("NullAway.Init") // By picocli.
    private CommandSpec spec;

    @Parameters(paramLabel = "WHAT", description = "What to compare: routing.")
    @SuppressWarnings("NullAway.Init") // By picocli.
    private String what;

    @Option(names = "--cells", split = ",", paramLabel = "NAME", description = "Which cells; all unless given.")
    private List<String> cells = Cell.ALL.stream().map(Cell::name).toList();

    @Option(names = "--policies", split = ",", paramLabel = "NAME", description = "Which policies; all unless given.")
    private List<String> policies = List.of("round_robin", "least_in_flight", "predicted_delay");

    @Option(names = "--seeds", defaultValue = "1", paramLabel = "N", description = "Runs of each, on other calls.")
    private int seeds;

    @Option(names = "--rate", paramLabel = "N", description = "Requests per second instead of the cell's own.")
    private double rate;

    @Override
    public Integer call() {
        if (!what.equals("routing")) {
            throw new ParameterException(spec.commandLine(), "there is only: bench routing");
        }
        PrintWriter out = spec.commandLine().getOut();
        out.println("CELL        RATE  SEED  POLICY             GOOD   P50 TTFT  P99 TTFT  QUIET P99   HITS  BUSIEST "
                + " IDLEST");
        try {
            for (String name : cells) {
                for (int seed = 1; seed <= seeds; seed++) {
                    compare(rate > 0 ? Cell.named(name).at(rate) : Cell.named(name), seed, out);
                }
            }
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
        return 0;
    }

    private void compare(Cell cell, int seed, PrintWriter out) {
        for (String policy : policies) {
            Policy known = Policy.valueOf(policy.toUpperCase(Locale.ROOT));
            Score score = new CellRun(cell, known, PredictionTerms.ALL, seed).run();
            out.println(String.format(
                    Locale.ROOT,
                    "%-10s %5.1f  %4d  %-16s %5.1f%%  %7.3f s %7.3f s  %7.3f s  %4.1f%%  %7.2f %7.2f",
                    cell.name(),
                    cell.rate(),
                    seed,
                    policy,
                    100 * score.good(),
                    score.medianSeconds(),
                    score.p99Seconds(),
                    score.quietP99Seconds(),
                    100 * score.hits(),
                    score.busiest(),
                    score.idlest()));
            out.flush();
        }
    }
}
