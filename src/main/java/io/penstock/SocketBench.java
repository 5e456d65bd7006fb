package io.penstock;

import io.penstock.bench.Backends;
import io.penstock.bench.Cell;
import io.penstock.bench.Contender;
import io.penstock.bench.Match;
import io.penstock.bench.MatchScore;
import io.penstock.bench.Pace;
import io.penstock.config.Endpoint;
import io.penstock.config.PenstockConfig.Policy;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.function.LongSupplier;
import picocli.CommandLine.Option;

/** The part of {@code penstock bench routing} that runs in real time over sockets. */
final class SocketBench {

    @Option(
            names = "--against",
            paramLabel = "NAME=URL",
            description =
                    "Real time over sockets, and this proxy takes part. May be repeated. It has to send its requests"
                            + " to the replicas, which this command starts.")
    private Map<String, String> others = Map.of();

    @Option(names = "--sockets", description = "Real time over sockets; implied by --against.")
    private boolean sockets;

    @Option(
            names = "--replicas",
            split = ",",
            paramLabel = "HOST:PORT",
            converter = EndpointArgument.class,
            description =
                    "Real time over sockets, with these replicas, which are there already and serve the model demo,"
                            + " instead of simulated ones.")
    private List<Endpoint> replicas = List.of();

    @Option(
            names = "--replica-port",
            defaultValue = "8101",
            paramLabel = "PORT",
            description = "Over sockets: the first simulated replica's port; the others follow. Default: 8101.")
    private int firstPort;

    @Option(
            names = "--rounds",
            defaultValue = "3",
            paramLabel = "N",
            description = "Over sockets: how often everybody has its turn. Default: 3.")
    private int rounds;

    @Option(
            names = "--seconds",
            defaultValue = "20",
            paramLabel = "N",
            description = "Over sockets: how much of each turn is measured. Default: 20.")
    private double seconds;

    @Option(
            names = "--warm-up",
            defaultValue = "6",
            paramLabel = "N",
            description = "Over sockets: how many seconds of requests go before. Default: 6.")
    private double warmUpSeconds;

    boolean wanted() {
        return sockets || !others.isEmpty() || !replicas.isEmpty();
    }

    /** The cells that are run unless some are named. */
    List<Cell> usual() {
        return replicas.isEmpty() ? Cell.SMALL_ENOUGH : List.of(Cell.TINY);
    }

    /** Runs the cells one after the other. */
    void run(List<Cell> cells, List<Policy> policies, LongSupplier nanoClock, LongSupplier epochMillis, PrintWriter out)
            throws IOException, ExecutionException, InterruptedException {
        List<Contender> contenders = new ArrayList<>();
        others.forEach((name, url) -> contenders.add(Contender.at(name, url)));
        for (Cell cell : cells) {
            if (!cell.fitsRealTime()) {
                throw new IllegalArgumentException("--cells: " + cell.name() + " runs in virtual time only");
            }
        }
        // Real replicas are as fast as they are.
        Pace pace = replicas.isEmpty()
                ? Pace.on(Runtime.getRuntime().availableProcessors(), warmUpSeconds, seconds)
                : new Pace(warmUpSeconds, seconds, Double.MAX_VALUE);
        Backends backends = new Backends(replicas, firstPort);
        Vertx vertx = Main.vertx();
        try {
            for (Cell cell : cells) {
                try (Match match =
                        new Match(vertx, nanoClock, epochMillis, cell, pace, backends, policies, contenders)) {
                    out.println(String.format(
                            Locale.ROOT,
                            "%s: %.1f requests/s, %d replicas, at %.0f %% of their speed, %d rounds",
                            cell.name(),
                            cell.rate() * match.speed(),
                            replicas.isEmpty() ? cell.replicas() : replicas.size(),
                            100 * match.speed(),
                            rounds));
                    print(match.play(rounds, each -> out.println("  " + line(each))), out);
                }
            }
        } finally {
            vertx.close().toCompletionStage().toCompletableFuture().get();
        }
    }

    private static void print(List<MatchScore> scores, PrintWriter out) {
        double bestMean =
                scores.stream().mapToDouble(MatchScore::meanSeconds).min().orElse(0);
        double bestP99 =
                scores.stream().mapToDouble(MatchScore::p99Seconds).min().orElse(0);
        out.println();
        out.println("CONTENDER                   REQUESTS  ERRORS   HITS  INDEX  MEAN TTFT   P50 TTFT   P99 TTFT"
                + "  MEAN/BEST  P99/BEST");
        for (MatchScore each : scores) {
            out.println(String.format(
                    Locale.ROOT,
                    "%s %10.2f %9.2f",
                    line(each),
                    each.meanSeconds() / bestMean,
                    each.p99Seconds() / bestP99));
        }
        out.println();
        out.flush();
    }

    private static String line(MatchScore each) {
        return String.format(
                Locale.ROOT,
                "%-27s %8d %7d %6s %6s %8.3f s %8.3f s %8.3f s",
                each.name(),
                each.requests(),
                each.errors(),
                percent(each.hits()),
                percent(each.predictedHits()),
                each.meanSeconds(),
                each.medianSeconds(),
                each.p99Seconds());
    }

    private static String percent(double share) {
        return Double.isNaN(share) ? "-" : String.format(Locale.ROOT, "%.1f%%", 100 * share);
    }
}
