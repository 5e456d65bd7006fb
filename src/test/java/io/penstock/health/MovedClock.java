package io.penstock.health;

import io.penstock.sim.Timers;
import io.penstock.sim.VirtualTime;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import java.lang.reflect.Proxy;
import java.util.HashMap;
import java.util.Map;

/** Virtual time as health's classes see it: a clock in nanoseconds, and a Vert.x that has nothing but its timers. */
final class MovedClock {

    static final long MILLI = 1_000_000L;
    static final long SECOND = 1_000 * MILLI;

    private final VirtualTime time = new VirtualTime();
    private final Map<Long, Timers.Alarm> timers = new HashMap<>();
    private long lastId;

    MovedClock() {
        // Zero means "never" to those who read it.
        time.runUntil(SECOND);
    }

    long now() {
        return time.getAsLong();
    }

    /** Runs something later; things that are due at the same moment run in the order in which they were asked for. */
    void after(long nanos, Runnable what) {
        time.at(now() + nanos, what);
    }

    /** Lets time pass, and looks around after everything that happens. */
    void runUntil(long atNanos, Runnable afterEach) {
        time.runUntil(atNanos, afterEach);
    }

    Vertx vertx() {
        return (Vertx) Proxy.newProxyInstance(
                MovedClock.class.getClassLoader(),
                new Class<?>[] {Vertx.class},
                (self, method, given) -> switch (method.getName()) {
                    case "setTimer" -> timer((Long) given[0], given[1]);
                    case "cancelTimer" -> cancel((Long) given[0]);
                    default -> throw new UnsupportedOperationException(method.toString());
                });
    }

    @SuppressWarnings("unchecked") // What Vertx.setTimer takes.
    private long timer(long millis, Object handler) {
        long id = ++lastId;
        Timers.Alarm alarm = time.at(now() + millis * MILLI, () -> {
            timers.remove(id);
            ((Handler<Long>) handler).handle(id);
        });
        timers.put(id, alarm);
        return id;
    }

    private boolean cancel(long id) {
        Timers.Alarm alarm = timers.remove(id);
        if (alarm != null) {
            alarm.cancel();
        }
        return alarm != null;
    }
}
