package io.penstock;

import io.penstock.config.PenstockConfig;
import io.penstock.proxy.Lifecycle;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.function.Function;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The way down: first a lame duck that serves normally while every answer sends its client elsewhere, then no new work
 * and time for the running requests, then an honest end for the rest.
 */
final class Drain {

    private static final Logger LOG = LoggerFactory.getLogger(Drain.class);

    private final Vertx vertx;
    private final Lifecycle lifecycle;
    private final Supplier<Future<?>> handOver;
    private final Function<Duration, Future<?>> closeFronts;

    /**
     * Prepares it.
     *
     * @param vertx the timer
     * @param lifecycle what everyone looks at
     * @param handOver leaves new connections to another process, if there is one; completes when those that had begun are
     *     here
     * @param closeFronts stops listening and waits for running requests, up to the duration it is given
     */
    Drain(Vertx vertx, Lifecycle lifecycle, Supplier<Future<?>> handOver, Function<Duration, Future<?>> closeFronts) {
        this.vertx = vertx;
        this.lifecycle = lifecycle;
        this.handOver = handOver;
        this.closeFronts = closeFronts;
    }

    /**
     * Goes down.
     *
     * @param times how long each step may take
     * @return completes when the last request has ended
     */
    Future<Void> run(PenstockConfig.Drain times) {
        LOG.info(
                "going down: serving for {} s more while clients are sent elsewhere",
                times.lameDuck().toSeconds());
        lifecycle.enter(Lifecycle.Phase.LAME_DUCK);
        Promise<Void> lameDuckOver = Promise.promise();
        vertx.setTimer(Math.max(1, times.lameDuck().toMillis()), fired -> lameDuckOver.complete());
        return lameDuckOver.future().compose(over -> handOver.get()).compose(over -> {
            LOG.info(
                    "going down: no new work, running requests have {} s",
                    times.deadline().toSeconds());
            lifecycle.enter(Lifecycle.Phase.CLOSING);
            return closeFronts.apply(times.deadline()).mapEmpty();
        });
    }
}
