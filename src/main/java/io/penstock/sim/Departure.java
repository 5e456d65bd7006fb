package io.penstock.sim;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.time.Duration;

/** The time between the order to stop and the stop, in which running requests may finish. Confined to one event loop. */
final class Departure {

    private final Traffic traffic;
    private final Timers timers;
    private final Promise<Void> over = Promise.promise();
    // Written on the event loop, read by any thread that asks for the simulator's state.
    private volatile boolean underway;

    Departure(Traffic traffic, Timers timers) {
        this.traffic = traffic;
        this.timers = timers;
    }

    /**
     * Begins; the first time counts.
     *
     * @param limit how long it may take
     * @return completes when no request for output is left, or when the time is over
     */
    Future<Void> begin(Duration limit) {
        if (!underway) {
            underway = true;
            Timers.Alarm alarm = timers.after(limit, over::tryComplete);
            over.future().onComplete(done -> alarm.cancel());
            requestEnded();
        }
        return over.future();
    }

    boolean isUnderway() {
        return underway;
    }

    /** Looks whether that was the last one. */
    void requestEnded() {
        if (underway && traffic.inFlight() == 0) {
            over.tryComplete();
        }
    }
}
