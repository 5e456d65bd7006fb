package io.penstock.proxy;

import io.penstock.config.PenstockConfig;
import java.time.Duration;
import java.util.function.Consumer;

/** How long one request may take: until a replica has room, until its first output, in all. Confined to one event loop. */
final class Deadlines {

    private final Alarm patience;
    private final Alarm firstOutput;
    private final Alarm total;
    private final Runnable waitedLongEnough;
    private final Consumer<ProxyFailure> timedOut;

    /**
     * Sets nothing yet.
     *
     * @param loop the event loop
     * @param waitedLongEnough told when the request must not wait for a replica any more
     * @param timedOut told when one of the operator's limits is reached
     */
    Deadlines(Loop loop, Runnable waitedLongEnough, Consumer<ProxyFailure> timedOut) {
        this.patience = new Alarm(loop.vertx());
        this.firstOutput = new Alarm(loop.vertx());
        this.total = new Alarm(loop.vertx());
        this.waitedLongEnough = waitedLongEnough;
        this.timedOut = timedOut;
    }

    /** Begins; {@code wait} is how long the request may still wait for replicas, failovers included. */
    void begin(Duration wait, PenstockConfig.Timeouts limits) {
        patience.ring(wait, waitedLongEnough);
        limit(firstOutput, limits.firstOutput(), "no output");
        limit(total, limits.total(), "no end");
    }

    private void limit(Alarm alarm, Duration limit, String what) {
        if (!limit.isZero()) {
            String text = what + " within " + limit.toSeconds() + " s";
            alarm.ring(limit, () -> timedOut.accept(new ProxyFailure(FailureKind.TIMED_OUT, text)));
        }
    }

    /** The answer has begun: only the limit of the whole is left. */
    void answering() {
        patience.cancel();
        firstOutput.cancel();
    }

    /** The request is over. */
    void end() {
        answering();
        total.cancel();
    }
}
