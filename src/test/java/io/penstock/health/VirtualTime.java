package io.penstock.health;

import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import java.lang.reflect.Proxy;
import java.util.HashMap;
import java.util.Map;
import java.util.PriorityQueue;

/** A clock that jumps from one thing that is due to the next, and a Vert.x that has nothing but its timers. */
final class VirtualTime {

    static final long MILLI = 1_000_000L;
    static final long SECOND = 1_000 * MILLI;

    private record Due(long atNanos, long id, Runnable what) implements Comparable<Due> {

        @Override
        public int compareTo(Due other) {
            int byTime = Long.compare(atNanos, other.atNanos);
            return byTime != 0 ? byTime : Long.compare(id, other.id);
        }
    }

    private final PriorityQueue<Due> queue = new PriorityQueue<>();
    private final Map<Long, Due> waiting = new HashMap<>();
    private long lastId;
    // Zero means "never" to those who read it.
    private long nowNanos = SECOND;

    long now() {
        return nowNanos;
    }

    /** Runs something later; things that are due at the same moment run in the order in which they were asked for. */
    long after(long nanos, Runnable what) {
        Due due = new Due(nowNanos + nanos, ++lastId, what);
        queue.add(due);
        waiting.put(due.id, due);
        return due.id;
    }

    boolean cancel(long id) {
        return waiting.remove(id) != null;
    }

    /** Lets time pass, and looks around after everything that happens. */
    void runUntil(long atNanos, Runnable afterEach) {
        for (Due next = queue.peek(); next != null && next.atNanos <= atNanos; next = queue.peek()) {
            queue.remove();
            if (waiting.remove(next.id) == null) {
                continue;
            }
            nowNanos = next.atNanos;
            next.what.run();
            afterEach.run();
        }
        nowNanos = atNanos;
    }

    Vertx vertx() {
        return (Vertx) Proxy.newProxyInstance(
                VirtualTime.class.getClassLoader(),
                new Class<?>[] {Vertx.class},
                (self, method, given) -> switch (method.getName()) {
                    case "setTimer" -> timer((Long) given[0], given[1]);
                    case "cancelTimer" -> cancel((Long) given[0]);
                    default -> throw new UnsupportedOperationException(method.toString());
                });
    }

    @SuppressWarnings("unchecked") // What Vertx.setTimer takes.
    private long timer(long millis, Object handler) {
        long[] id = new long[1];
        id[0] = after(millis * MILLI, () -> ((Handler<Long>) handler).handle(id[0]));
        return id[0];
    }
}
