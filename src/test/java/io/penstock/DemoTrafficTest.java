package io.penstock;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.proxy.front.Eventually;
import io.penstock.sim.Fault;
import io.penstock.sim.SimOptions;
import io.penstock.sim.Simulator;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The demo's clients, in front of one simulated replica. */
@Timeout(60)
@SuppressWarnings("NullAway.Init") // Started before each test.
class DemoTrafficTest {

    private static final double OFTEN = 100;

    private final Vertx vertx = Vertx.vertx();
    private Simulator replica;
    private DemoTraffic traffic;

    @BeforeEach
    void start() throws Exception {
        SimOptions options =
                SimOptions.standard(System::nanoTime, System::currentTimeMillis).withPace(Duration.ZERO, Duration.ZERO);
        replica = Simulator.start(vertx, options)
                .toCompletionStage()
                .toCompletableFuture()
                .get(20, TimeUnit.SECONDS);
        traffic = new DemoTraffic(replica.port(), OFTEN, new Random(1)::nextDouble);
    }

    @AfterEach
    void close() throws Exception {
        vertx.close().toCompletionStage().toCompletableFuture().get(20, TimeUnit.SECONDS);
    }

    @Test
    void answersThatCameToTheirEndAreWhole() {
        vertx.deployVerticle(traffic);

        Eventually.that("as many as that", () -> traffic.whole() >= 5);
        assertThat(traffic.cut() + traffic.unanswered()).isZero();
    }

    @Test
    void errorsAreNoAnswers() {
        replica.faults().set(Fault.of(Fault.Kind.ERROR_FIRST));
        vertx.deployVerticle(traffic);

        Eventually.that("as many as that", () -> traffic.unanswered() >= 3);
        assertThat(traffic.whole() + traffic.cut()).isZero();
    }

    @Test
    void whatBreaksOffIsCut() {
        replica.faults().set(Fault.of(Fault.Kind.RESET_AFTER));
        vertx.deployVerticle(traffic);

        Eventually.that("as many as that", () -> traffic.cut() >= 3);
        assertThat(traffic.whole()).isZero();
    }

    @Test
    void whatBreaksBeforeItBeginsIsNoAnswer() {
        replica.faults().set(Fault.of(Fault.Kind.RESET_BEFORE_HEAD));
        vertx.deployVerticle(traffic);

        Eventually.that("as many as that", () -> traffic.unanswered() >= 3);
        assertThat(traffic.whole() + traffic.cut()).isZero();
    }
}
