package io.penstock.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.penstock.config.Endpoint;
import io.penstock.config.PenstockConfig.Policy;
import io.penstock.sim.SimFleet;
import io.penstock.sim.SimOptions;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpServerRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class MatchTest {

    private final Vertx vertx = Vertx.vertx();

    @AfterEach
    void close() throws Exception {
        vertx.close().toCompletionStage().toCompletableFuture().get(20, TimeUnit.SECONDS);
    }

    @Test
    void everybodyHasItsTurnWithTheSameRequests() throws Exception {
        List<String> turns = new ArrayList<>();
        Contender broken = new Contender("broken", "127.0.0.1", serverThatOnlyKnowsItsModels());

        List<MatchScore> scores;
        try (Match match = match(List.of(), List.of(broken))) {
            assertThat(match.speed()).isEqualTo(1);
            scores = match.play(2, each -> turns.add(each.name()));
        }

        String penstock = "penstock predicted_delay";
        assertThat(turns).containsExactly(penstock, "broken", "broken", penstock);
        assertThat(scores).extracting(MatchScore::name).containsExactly(penstock, "broken");
        MatchScore good = scores.get(0);
        assertThat(good.requests()).isPositive().isEqualTo(scores.get(1).requests());
        assertThat(good.errors()).isZero();
        assertThat(good.meanSeconds()).isPositive();
        assertThat(good.hits()).isBetween(0.3, 0.97);
        assertThat(good.predictedHits()).isCloseTo(good.hits(), within(0.15));
        assertThat(scores.get(1).predictedHits()).isNaN();
        assertThat(scores.get(1).errors()).isEqualTo(scores.get(1).requests());
        assertThat(scores.get(1).hits()).isNaN();
    }

    /** What only primes would otherwise be counted when it ends, and the engine counted it when it began. */
    @Test
    void nobodyAsksBeforeThePrimersAreAnswered() throws Exception {
        SlowToBegin slow = new SlowToBegin();

        List<MatchScore> scores;
        try (Match match = match(List.of(), List.of(new Contender("slow", "127.0.0.1", slow.port)))) {
            scores = match.play(1, each -> {});
        }

        assertThat(slow.early).isZero();
        assertThat(scores.get(1).requests()).isPositive();
        assertThat(scores.get(1).errors()).isZero();
    }

    @Test
    void replicasThatAreThereAlreadyAreAskedAndStay() throws Exception {
        List<SimOptions> options = List.of(SimOptions.standard(System::nanoTime, System::currentTimeMillis)
                .withAddress("127.0.0.1", 0)
                .withProfile(Cell.named("W1").profile(), 1)
                .withModel("demo"));
        SimFleet fleet = await(SimFleet.start(vertx, options, "127.0.0.1", 0));
        int port = fleet.replicas().get(0).port();

        List<MatchScore> scores;
        try (Match match = match(List.of(new Endpoint("127.0.0.1", port)), List.of())) {
            scores = match.play(1, each -> {});
        }

        assertThat(scores.get(0).errors()).isZero();
        assertThat(scores.get(0).hits()).isPositive();
        HttpClient client = vertx.createHttpClient();
        Lookups after = await(Lookups.ofReplica(client, "127.0.0.1", port));
        assertThat(after.hits()).isPositive();
        await(fleet.close());
    }

    @Test
    void aTakenPortIsAFailure() throws Exception {
        int taken = serverThatOnlyKnowsItsModels();

        assertThatThrownBy(() -> new Match(
                        vertx,
                        System::nanoTime,
                        System::currentTimeMillis,
                        Cell.named("unequal"),
                        new Pace(1, 1, 10_000),
                        new Backends(List.of(), taken),
                        List.of(),
                        List.of()))
                .isInstanceOf(ExecutionException.class);
    }

    private Match match(List<Endpoint> running, List<Contender> others) throws Exception {
        Cell few = new Cell(
                "few",
                new Workload(20, 100, 5, 0, 2, 1_000, 1, false),
                Cell.named("W1").profile(),
                2,
                Cell.Trouble.SLOW,
                1,
                1);
        return new Match(
                vertx,
                System::nanoTime,
                System::currentTimeMillis,
                few,
                new Pace(0.5, 1, 10_000),
                new Backends(running, 0),
                List.of(Policy.PREDICTED_DELAY),
                others);
    }

    private int serverThatOnlyKnowsItsModels() throws Exception {
        return listen(request -> request.response()
                .setStatusCode(request.path().equals("/v1/models") ? 200 : 500)
                .end());
    }

    private int listen(Handler<HttpServerRequest> handler) throws Exception {
        return await(vertx.createHttpServer().requestHandler(handler).listen(0, "127.0.0.1"))
                .actualPort();
    }

    /** Both of its primers wait until long after the others would have been due. */
    private final class SlowToBegin {

        private static final int PRIMERS = 2;
        private static final long LONG_MILLIS = 800;

        private final int port;
        // Confined to the server's event loop.
        private final List<HttpServerRequest> held = new ArrayList<>();
        private boolean answered;
        // Read once the bench is over.
        private volatile int early;

        SlowToBegin() throws Exception {
            port = listen(this::handle);
        }

        private void handle(HttpServerRequest request) {
            if (request.path().equals("/v1/models") || answered) {
                answer(request);
                return;
            }
            held.add(request);
            if (held.size() == PRIMERS) {
                vertx.setTimer(LONG_MILLIS, timer -> {
                    early = held.size() - PRIMERS;
                    answered = true;
                    held.forEach(this::answer);
                });
            }
        }

        private void answer(HttpServerRequest request) {
            request.response()
                    .putHeader("content-type", "text/event-stream")
                    .end("data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\ndata: [DONE]\n\n");
        }
    }

    private static <T> T await(Future<T> future) throws Exception {
        return future.toCompletionStage().toCompletableFuture().get(10, TimeUnit.SECONDS);
    }
}
