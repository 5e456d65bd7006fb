package io.penstock;

import io.penstock.bench.Cell;
import io.penstock.bench.CellRun;
import io.penstock.bench.Score;
import io.penstock.config.PenstockConfig.Policy;
import io.penstock.selection.PredictionTerms;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.function.LongSupplier;
import picocli.CommandLine.ArgGroup;
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
        description = {
            "Compares routing policies on simulated engines in virtual time: the same calls for each, and the same result"
                    + " on every run.",
            "With --against, --sockets or --replicas: in real time, through Penstock and other proxies in front of the same"
                    + " replicas, simulated or real, by turns."
        })
final class BenchCommand implements Callable<Integer> {

    static final String HEADING =
            "CELL        RATE  SEED  POLICY             GOOD   P50 TTFT  P99 TTFT  QUIET P99   HITS  BUSIEST "
                    + " IDLEST";

    private final LongSupplier nanoClock;
    private final LongSupplier epochMillis;

    @Spec
    @SuppressWarnings("NullAway.Init") // By picocli.
    private CommandSpec spec;

    @Parameters(paramLabel = "WHAT", description = "What to compare: routing.")
    @SuppressWarnings("NullAway.Init") // By picocli.
    private String what;

    @Option(
            names = "--cells",
            split = ",",
            paramLabel = "NAME",
            description =
                    "Which cells; all unless given, and over sockets shared and unequal, or tiny on real replicas.")
    private List<String> cells = List.of();

    @Option(names = "--policies", split = ",", paramLabel = "NAME", description = "Which policies; all unless given.")
    private List<String> policies = List.of("round_robin", "least_in_flight", "predicted_delay");

    @Option(names = "--seeds", defaultValue = "1", paramLabel = "N", description = "Runs of each, on other calls.")
    private int seeds;

    @Option(names = "--rate", paramLabel = "N", description = "Requests per second instead of the cell's own.")
    private double rate;

    @ArgGroup(validate = false)
    private SocketBench sockets = new SocketBench();

    @ArgGroup(validate = false)
    private RoutingSweep sweep = new RoutingSweep();

    /**
     * Makes the command.
     *
     * @param nanoClock time for durations, in nanoseconds
     * @param epochMillis time for dates, in milliseconds since 1970
     */
    BenchCommand(LongSupplier nanoClock, LongSupplier epochMillis) {
        this.nanoClock = nanoClock;
        this.epochMillis = epochMillis;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (!what.equals("routing")) {
            throw new ParameterException(spec.commandLine(), "there is only: bench routing");
        }
        PrintWriter out = spec.commandLine().getOut();
        try {
            if (sockets.wanted()) {
                List<Policy> known = policies.stream().map(BenchCommand::policy).toList();
                sockets.run(chosen(sockets.usual()), known, nanoClock, epochMillis, out);
            } else if (sweep.wanted()) {
                sweep.run(
                        chosen(Cell.ALL),
                        policies,
                        seeds,
                        spec.commandLine().getParseResult().originalArgs(),
                        out);
            } else {
                compareInVirtualTime(out);
            }
            return 0;
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        } catch (ExecutionException e) {
            spec.commandLine().getErr().println("penstock bench: " + e.getMessage());
            return 1;
        }
    }

    private List<Cell> chosen(List<Cell> usual) {
        List<Cell> chosen =
                cells.isEmpty() ? usual : cells.stream().map(Cell::named).toList();
        return chosen.stream().map(each -> rate > 0 ? each.at(rate) : each).toList();
    }

    private void compareInVirtualTime(PrintWriter out) {
        out.println(HEADING);
        for (Cell cell : chosen(Cell.ALL)) {
            for (int seed = 1; seed <= seeds; seed++) {
                compare(cell, seed, out);
            }
        }
    }

    private void compare(Cell cell, int seed, PrintWriter out) {
        for (String policy : policies) {
            Score score = new CellRun(cell, policy(policy), PredictionTerms.ALL, seed).run();
            out.println(line(cell, seed, policy, score));
            out.flush();
        }
    }

    static String line(Cell cell, int seed, String policy, Score score) {
        return String.format(
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
                score.idlest());
    }

    static Policy policy(String name) {
        return Policy.valueOf(name.toUpperCase(Locale.ROOT));
    }
}
