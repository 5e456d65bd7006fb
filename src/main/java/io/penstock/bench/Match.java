package io.penstock.bench;

import io.penstock.config.PenstockConfig.Policy;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.PoolOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * One cell in real time over sockets: several balancers in front of the same replicas, by turns, each with the same
 * requests. Its methods wait, so no event loop may call them.
 */
public final class Match implements AutoCloseable {

    private static final int MOST_CONNECTIONS = 4_000;
    private static final int LOOK_SECONDS = 2;
    private static final int START_SECONDS = 60;
    private static final long LOOK_AGAIN_MILLIS = 250;
    /** Who was there before the replicas and probes them has to see that they are there again. */
    private static final int SETTLE_SECONDS = 6;

    private final Vertx vertx;
    private final HttpClient client;
    private final LongSupplier nanoClock;
    private final Cell cell;
    private final Pace pace;
    private final LiveReplicas replicas;
    private final List<OwnProxy> own = new ArrayList<>();
    private final List<Contender> contenders = new ArrayList<>();

    /**
     * Starts the replicas unless they are there, and Penstock once for each policy.
     *
     * @param vertx where replicas and client live
     * @param nanoClock time for durations
     * @param epochMillis time for dates
     * @param cell what is asked of whom
     * @param pace how long, and how fast
     * @param backends which replicas
     * @param policies whether Penstock takes part, and how it selects
     * @param others who else does; each sends its requests to the replicas' ports
     * @throws IOException if a process does not start
     * @throws ExecutionException if a port is taken, or somebody does not answer
     * @throws InterruptedException if the caller is interrupted
     */
    public Match(
            Vertx vertx,
            LongSupplier nanoClock,
            LongSupplier epochMillis,
            Cell cell,
            Pace pace,
            Backends backends,
            List<Policy> policies,
            List<Contender> others)
            throws IOException, ExecutionException, InterruptedException {
        this.vertx = vertx;
        this.nanoClock = nanoClock;
        this.cell = cell;
        this.pace = pace;
        this.client = vertx.createHttpClient(
                new HttpClientOptions().setKeepAliveTimeout(3), new PoolOptions().setHttp1MaxSize(MOST_CONNECTIONS));
        this.replicas = backends.running().isEmpty()
                ? await(LiveReplicas.start(
                        vertx, client, cell, pace.speed(cell), backends.firstPort(), nanoClock, epochMillis))
                : LiveReplicas.running(backends.running(), client);
        try {
            Path folder = Files.createTempDirectory("penstock-bench");
            for (Policy policy : policies) {
                OwnProxy started = OwnProxy.start(folder, policy, replicas.addresses());
                own.add(started);
                contenders.add(started.contender());
            }
            contenders.addAll(others);
            if (backends.running().isEmpty() && !others.isEmpty()) {
                Thread.sleep(SETTLE_SECONDS * 1_000L);
            }
            for (Contender each : contenders) {
                awaitAnswers(each);
            }
        } catch (IOException | ExecutionException | InterruptedException e) {
            close();
            throw e;
        }
    }

    /**
     * How many times faster than real ones the replicas are, and requests come.
     *
     * @return at most 1
     */
    public double speed() {
        return pace.speed(cell);
    }

    /**
     * Lets everybody have its turn so many times. Who begins changes from round to round.
     *
     * @param rounds how many
     * @param progress told of each block
     * @return how everybody did, in the order in which they were named
     * @throws ExecutionException if the replicas cannot be asked
     * @throws InterruptedException if the caller is interrupted
     */
    public List<MatchScore> play(int rounds, Consumer<MatchScore> progress)
            throws ExecutionException, InterruptedException {
        Map<Contender, List<Block.Result>> results = new LinkedHashMap<>();
        contenders.forEach(each -> results.put(each, new ArrayList<>()));
        int number = 0;
        for (int round = 1; round <= rounds; round++) {
            for (int i = 0; i < contenders.size(); i++) {
                Contender next = contenders.get((i + round - 1) % contenders.size());
                Block block = new Block(vertx, client, nanoClock, replicas, next, pace, cell, round, ++number);
                Block.Result result = await(block.run());
                results.computeIfAbsent(next, each -> new ArrayList<>()).add(result);
                progress.accept(MatchScore.of(next.name(), List.of(result)));
            }
        }
        List<MatchScore> scores = new ArrayList<>();
        results.forEach((contender, blocks) -> scores.add(MatchScore.of(contender.name(), blocks)));
        return scores;
    }

    private void awaitAnswers(Contender contender) throws ExecutionException, InterruptedException {
        long until = nanoClock.getAsLong() + START_SECONDS * 1_000_000_000L;
        while (!await(models(contender).recover(cause -> Future.succeededFuture(false)))) {
            if (nanoClock.getAsLong() - until > 0) {
                throw new ExecutionException(
                        contender.name() + " does not answer at " + contender.host() + ":" + contender.port(), null);
            }
            Thread.sleep(LOOK_AGAIN_MILLIS);
        }
    }

    private Future<Boolean> models(Contender contender) {
        // On the client's own thread from the first step to the last: a body that ends before it is asked for never
        // comes.
        Promise<Boolean> answered = Promise.promise();
        vertx.runOnContext(go -> client.request(HttpMethod.GET, contender.port(), contender.host(), "/v1/models")
                .compose(request ->
                        request.send().compose(response -> response.body().map(body -> response.statusCode() == 200)))
                .onComplete(answered));
        return answered.future().timeout(LOOK_SECONDS, TimeUnit.SECONDS);
    }

    private static <T> T await(Future<T> future) throws ExecutionException, InterruptedException {
        return future.toCompletionStage().toCompletableFuture().get();
    }

    @Override
    public void close() {
        own.forEach(OwnProxy::close);
        client.close()
                .eventually(() -> replicas.close())
                .toCompletionStage()
                .toCompletableFuture()
                .join();
    }
}
