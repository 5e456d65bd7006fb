package io.penstock;

import io.penstock.config.ConfigFile;
import io.penstock.config.Overrides;
import io.penstock.sim.SimFleet;
import io.penstock.sim.SimOptions;
import io.penstock.sim.Simulator;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.RequestOptions;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * {@code penstock rehearse}: one short day in Penstock's life, on simulated replicas. The image build runs it with
 * {@code -XX:AOTCacheOutput}, so that the JVM knows in advance what a start will need.
 */
@Command(
        name = "rehearse",
        hidden = true,
        mixinStandardHelpOptions = true,
        description = "Starts simulated replicas and Penstock, sends some requests through, and exits.")
final class RehearseCommand implements Callable<Integer> {

    private final Chance chance;

    @Option(names = "--requests", paramLabel = "N", defaultValue = "200", description = "How many.")
    private int requests;

    RehearseCommand(Chance chance) {
        this.chance = chance;
    }

    @Override
    public Integer call() throws InterruptedException, ExecutionException {
        Vertx vertx = Main.vertx();
        SimFleet fleet = await(SimFleet.start(vertx, simulators(), "127.0.0.1", 0));
        List<String> urls = new ArrayList<>();
        for (Simulator replica : fleet.replicas()) {
            urls.add("http://127.0.0.1:" + replica.port());
        }
        ConfigFile file = ConfigFile.choose(null, new Overrides("127.0.0.1:0", "127.0.0.1:0", urls));
        Penstock penstock = await(Penstock.start(vertx, file, file.read(), chance));
        HttpClient client = vertx.createHttpClient();
        int failed = 0;
        for (int i = 0; i < requests; i++) {
            failed += await(ask(client, penstock.port(), i)) == 200 ? 0 : 1;
        }
        await(get(client, penstock.adminPort(), "/metrics"));
        await(get(client, penstock.adminPort(), "/readyz"));
        await(vertx.close());
        return failed == 0 ? 0 : 1;
    }

    private List<SimOptions> simulators() {
        SimOptions quick = SimOptions.standard(chance.nanoClock(), chance.epochMillis())
                .withPace(Duration.ofMillis(1), Duration.ofMillis(1));
        return List.of(quick.withName("vllm0"), quick.withName("vllm1"));
    }

    private static Future<Integer> ask(HttpClient client, int port, int number) {
        Buffer body = new JsonObject()
                .put("model", "demo")
                .put("stream", number % 2 == 0)
                .put("max_tokens", 5)
                .put("prompt", "rehearsal " + number)
                .toBuffer();
        return client.request(new RequestOptions()
                        .setMethod(HttpMethod.POST)
                        .setHost("127.0.0.1")
                        .setPort(port)
                        .setURI("/v1/completions"))
                .compose(request -> request.putHeader("content-type", "application/json")
                        .send(body)
                        .compose(response -> response.body().map(whole -> response.statusCode())));
    }

    private static Future<Integer> get(HttpClient client, int port, String path) {
        return client.request(HttpMethod.GET, port, "127.0.0.1", path)
                .compose(request ->
                        request.send().compose(response -> response.body().map(whole -> response.statusCode())));
    }

    private static <T> T await(Future<T> future) throws InterruptedException, ExecutionException {
        return future.toCompletionStage().toCompletableFuture().get();
    }
}
