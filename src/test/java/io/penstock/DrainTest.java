package io.penstock;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.config.PenstockConfig;
import io.penstock.proxy.Lifecycle;
import io.penstock.proxy.Lifecycle.Phase;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class DrainTest {

    private static final Duration DEADLINE = Duration.ofSeconds(33);

    private final Lifecycle lifecycle = new Lifecycle();
    private final List<String> steps = Collections.synchronizedList(new ArrayList<>());
    private final CountDownLatch frontsClosing = new CountDownLatch(1);
    private final Promise<Void> frontsClosed = Promise.promise();

    private Supplier<Future<?>> handOver = Future::succeededFuture;
    private Vertx vertx;

    @BeforeEach
    void start() {
        vertx = Vertx.vertx();
    }

    @AfterEach
    void stop() throws Exception {
        await(vertx.close());
    }

    @Test
    void nothingHappensBeforeItIsAskedFor() {
        drain();

        assertThat(lifecycle.phase()).isEqualTo(Phase.SERVING);
        assertThat(steps).isEmpty();
    }

    @Test
    void clientsAreSentElsewhereFirstAndTheFrontsStayOpen() {
        drain().run(new PenstockConfig.Drain(Duration.ofHours(1), DEADLINE))
                .onFailure(unexpected -> steps.add("failed"));

        assertThat(lifecycle.phase()).isEqualTo(Phase.LAME_DUCK);
        assertThat(steps).isEmpty();
    }

    @Test
    void thenTheFrontsCloseOnceNewWorkIsRefusedAndItIsOverWhenTheyAre() throws Exception {
        long begun = System.nanoTime();
        Future<Void> down = drain().run(new PenstockConfig.Drain(Duration.ofMillis(200), DEADLINE));
        assertThat(lifecycle.phase()).isEqualTo(Phase.LAME_DUCK);

        assertThat(frontsClosing.await(20, SECONDS)).isTrue();
        assertThat(Duration.ofNanos(System.nanoTime() - begun)).isGreaterThanOrEqualTo(Duration.ofMillis(190));
        assertThat(steps).containsExactly("CLOSING, fronts have PT33S");
        assertThat(down.isComplete()).isFalse();

        frontsClosed.complete();
        await(down);
    }

    @Test
    void withoutALameDuckTheFrontsCloseAtOnce() throws Exception {
        Future<Void> down = drain().run(new PenstockConfig.Drain(Duration.ZERO, DEADLINE));

        assertThat(frontsClosing.await(20, SECONDS)).isTrue();
        frontsClosed.complete();
        await(down);
        assertThat(lifecycle.phase()).isEqualTo(Phase.CLOSING);
    }

    @Test
    void betweenThemItServesUntilTheOtherProcessHasTheNewConnections() throws Exception {
        Promise<Void> handedOver = Promise.promise();
        CountDownLatch asked = new CountDownLatch(1);
        handOver = () -> {
            steps.add("hand over in " + lifecycle.phase());
            asked.countDown();
            return handedOver.future();
        };
        Future<Void> down = drain().run(new PenstockConfig.Drain(Duration.ZERO, DEADLINE));

        assertThat(asked.await(20, SECONDS)).isTrue();
        assertThat(lifecycle.phase()).isEqualTo(Phase.LAME_DUCK);
        handedOver.complete();
        frontsClosed.complete();
        await(down);
        assertThat(steps).containsExactly("hand over in LAME_DUCK", "CLOSING, fronts have PT33S");
    }

    @Test
    void aFrontThatCannotCloseIsNoSecret() {
        frontsClosed.fail("stuck");
        Future<Void> down = drain().run(new PenstockConfig.Drain(Duration.ZERO, DEADLINE));

        assertThatThrownBy(() -> await(down))
                .isInstanceOf(ExecutionException.class)
                .hasMessageContaining("stuck");
    }

    private Drain drain() {
        return new Drain(vertx, lifecycle, handOver, deadline -> {
            steps.add(lifecycle.phase() + ", fronts have " + deadline);
            frontsClosing.countDown();
            return frontsClosed.future();
        });
    }

    private static void await(Future<?> future) throws Exception {
        future.toCompletionStage().toCompletableFuture().get(20, SECONDS);
    }
}
