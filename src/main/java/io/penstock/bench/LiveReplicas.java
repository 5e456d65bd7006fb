package io.penstock.bench;

import io.penstock.sim.SimFleet;
import io.penstock.sim.SimOptions;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpMethod;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The simulated replicas that all contenders have behind them, on fixed ports. */
final class LiveReplicas {

    private static final double SLOWER = 3;
    private static final Pattern HITS = Pattern.compile("(?m)^vllm:prefix_cache_hits_total\\{[^}]*} (\\S+)$");
    private static final Pattern QUERIES = Pattern.compile("(?m)^vllm:prefix_cache_queries_total\\{[^}]*} (\\S+)$");

    private final SimFleet fleet;
    private final HttpClient client;

    /**
     * What the replicas' caches were asked for so far.
     *
     * @param queries prompt tokens
     * @param hits those that were found
     */
    record Lookups(double queries, double hits) {

        Lookups plus(Lookups more) {
            return new Lookups(queries + more.queries, hits + more.hits);
        }

        Lookups since(Lookups before) {
            return new Lookups(queries - before.queries, hits - before.hits);
        }

        double ratio() {
            return queries == 0 ? 0 : hits / queries;
        }
    }

    private LiveReplicas(SimFleet fleet, HttpClient client) {
        this.fleet = fleet;
        this.client = client;
    }

    /**
     * Starts a cell's replicas.
     *
     * @param vertx where they live
     * @param client what reads their metrics
     * @param cell how many and how fast
     * @param speed how many times faster than real ones
     * @param firstPort the port of the first; the others follow; 0 for free ones
     * @param nanoClock time for durations
     * @param epochMillis time for dates
     */
    static Future<LiveReplicas> start(
            Vertx vertx,
            HttpClient client,
            Cell cell,
            double speed,
            int firstPort,
            LongSupplier nanoClock,
            LongSupplier epochMillis) {
        List<SimOptions> options = new ArrayList<>();
        for (int i = 0; i < cell.replicas(); i++) {
            boolean slow = i == 0 && cell.trouble() == Cell.Trouble.SLOW;
            options.add(SimOptions.standard(nanoClock, epochMillis)
                    .withName("vllm" + i)
                    .withAddress("127.0.0.1", firstPort == 0 ? 0 : firstPort + i)
                    .withProfile(cell.profile(), slow ? speed / SLOWER : speed)
                    .withModel("demo")
                    .withSeed(i));
        }
        return SimFleet.start(vertx, options, "127.0.0.1", 0).map(fleet -> new LiveReplicas(fleet, client));
    }

    /** Where each of them listens. */
    List<Integer> ports() {
        return fleet.replicas().stream().map(each -> each.port()).toList();
    }

    /** What all caches together were asked for, by the replicas' own metrics. */
    Future<Lookups> lookups() {
        Future<Lookups> all = Future.succeededFuture(new Lookups(0, 0));
        for (int port : ports()) {
            all = all.compose(before -> client.request(HttpMethod.GET, port, "127.0.0.1", "/metrics")
                    .compose(request -> request.send())
                    .compose(response -> response.body())
                    .map(body ->
                            before.plus(new Lookups(sample(QUERIES, body.toString()), sample(HITS, body.toString())))));
        }
        return all;
    }

    private static double sample(Pattern pattern, String exposition) {
        Matcher found = pattern.matcher(exposition);
        return found.find() ? Double.parseDouble(found.group(1)) : 0;
    }

    Future<Void> close() {
        return fleet.close();
    }
}
