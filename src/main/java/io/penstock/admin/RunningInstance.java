package io.penstock.admin;

import io.penstock.proxy.Receipts;
import io.penstock.selection.LearnedSpeed;
import io.penstock.upstream.LiveUpstreams;
import io.vertx.core.json.JsonObject;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The running Penstock as the operator's port sees it. Everything but {@code scrape} is called on the admin verticle's
 * event loop and reads memory only.
 *
 * @param version which Penstock this is
 * @param upstreams the replicas
 * @param configLoaded whether a configuration is in force
 * @param config how the configuration stands: {@code source} (string), {@code ok} (whether the file as it is now is in
 *     force), and {@code problems}, {@code warnings}, {@code pendingRestart} (lists of strings)
 * @param waiting requests waiting for a replica
 * @param lameDuck whether Penstock is on its way down
 * @param loopProblems what is wrong with the event loops, one phrase each; empty while they turn
 * @param wakeWaiting called when a replica may take work again
 * @param learned what was learned of the replicas, by their ids; empty unless the policy learns
 * @param receipts why the newest requests went where they did
 * @param traffic what happened in the last minute
 * @param frontPort the port that clients connect to
 * @param adminKey what must be shown to change something; gives null if there is no key
 * @param nanoClock the time, in nanoseconds
 * @param scrape all metrics in Prometheus' text format; called on a worker thread
 */
public record RunningInstance(
        String version,
        LiveUpstreams upstreams,
        BooleanSupplier configLoaded,
        Supplier<JsonObject> config,
        LongSupplier waiting,
        BooleanSupplier lameDuck,
        Supplier<List<String>> loopProblems,
        Runnable wakeWaiting,
        Supplier<Map<String, LearnedSpeed>> learned,
        Receipts receipts,
        TrafficRecorder traffic,
        IntSupplier frontPort,
        Supplier<@Nullable String> adminKey,
        LongSupplier nanoClock,
        Supplier<String> scrape) {}
