package io.penstock.bench;

import io.penstock.config.Endpoint;
import io.penstock.sim.SimFleet;
import io.penstock.sim.SimOptions;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClient;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/** The replicas that all contenders have behind them, on fixed ports. */
final class LiveReplicas {

    private static final double SLOWER = 3;

    private final List<Endpoint> addresses;
    private final HttpClient client;
    private final Supplier<Future<Void>> end;

    private LiveReplicas(List<Endpoint> addresses, HttpClient client, Supplier<Future<Void>> end) {
        this.addresses = addresses;
        this.client = client;
        this.end = end;
    }

    /** Those that are there already, and stay. */
    static LiveReplicas running(List<Endpoint> addresses, HttpClient client) {
        return new LiveReplicas(addresses, client, Future::succeededFuture);
    }

    /**
     * Starts a cell's replicas, simulated.
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
        return SimFleet.start(vertx, options, "127.0.0.1", 0)
                .map(fleet -> new LiveReplicas(
                        fleet.replicas().stream()
                                .map(each -> new Endpoint("127.0.0.1", each.port()))
                                .toList(),
                        client,
                        fleet::close));
    }

    /** Where each of them listens. */
    List<Endpoint> addresses() {
        return addresses;
    }

    /** What all caches together were asked for, by the replicas' own metrics. */
    Future<Lookups> lookups() {
        Future<Lookups> all = Future.succeededFuture(Lookups.NONE);
        for (Endpoint each : addresses) {
            all = all.compose(before ->
                    Lookups.ofReplica(client, each.host(), each.port()).map(before::plus));
        }
        return all;
    }

    Future<Void> close() {
        return end.get();
    }
}
