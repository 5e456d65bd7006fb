package io.penstock.sim;

import io.vertx.core.buffer.Buffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What reached one simulator, for tests and for {@code /sim/state}. Written by the simulator's event loop, read by any
 * thread. The control paths under {@code /sim/} are not counted.
 */
public final class Traffic {

    private static final int REMEMBERED = 32;
    private static final int REMEMBERED_BODY_BYTES = 256 * 1024;
    private static final int DISTINCT_PATHS = 1_000;

    private final Map<String, AtomicLong> requests = new ConcurrentHashMap<>();
    private final Deque<SimRequest> recent = new ArrayDeque<>();
    private final AtomicInteger openConnections = new AtomicInteger();
    private final AtomicLong acceptedConnections = new AtomicLong();
    private final AtomicInteger inFlight = new AtomicInteger();
    private final AtomicLong finished = new AtomicLong();
    private final AtomicLong aborted = new AtomicLong();
    private final AtomicLong cut = new AtomicLong();

    Traffic() {}

    /**
     * Requests that arrived whole for a path, whatever became of them.
     *
     * @param path decoded, without query
     * @return how many since the simulator was made
     */
    public long requests(String path) {
        AtomicLong count = requests.get(path);
        return count == null ? 0 : count.get();
    }

    /**
     * The last requests, with bodies of up to 256 KiB; longer ones are left out.
     *
     * @return at most 32, oldest first
     */
    public List<SimRequest> recent() {
        synchronized (recent) {
            return List.copyOf(recent);
        }
    }

    /**
     * Connections that are open now.
     *
     * @return how many
     */
    public int openConnections() {
        return openConnections.get();
    }

    /**
     * Connections that were ever accepted.
     *
     * @return how many
     */
    public long acceptedConnections() {
        return acceptedConnections.get();
    }

    /**
     * Generation requests that have arrived and are not over.
     *
     * @return how many
     */
    public int inFlight() {
        return inFlight.get();
    }

    /**
     * Generation requests whose answer went out to its end, errors included.
     *
     * @return how many
     */
    public long finished() {
        return finished.get();
    }

    /**
     * Generation requests whose client left before the end.
     *
     * @return how many
     */
    public long aborted() {
        return aborted.get();
    }

    /**
     * Generation requests that a fault or a stop cut off.
     *
     * @return how many
     */
    public long cut() {
        return cut.get();
    }

    /** Counts per path. */
    Map<String, AtomicLong> paths() {
        return requests;
    }

    void opened() {
        openConnections.incrementAndGet();
        acceptedConnections.incrementAndGet();
    }

    void closed() {
        openConnections.decrementAndGet();
    }

    void arrived(SimRequest request, boolean generation) {
        String path = requests.size() < DISTINCT_PATHS ? request.path() : "(other)";
        requests.computeIfAbsent(path, unused -> new AtomicLong()).incrementAndGet();
        if (generation) {
            inFlight.incrementAndGet();
        }
        SimRequest kept = request.body().length() <= REMEMBERED_BODY_BYTES
                ? request
                : new SimRequest(
                        request.method(), request.target(), request.http10(), request.headers(), Buffer.buffer());
        synchronized (recent) {
            if (recent.size() == REMEMBERED) {
                recent.removeFirst();
            }
            recent.addLast(kept);
        }
    }

    void ended(Exchange.End end) {
        inFlight.decrementAndGet();
        switch (end) {
            case ANSWERED -> finished.incrementAndGet();
            case ABANDONED -> aborted.incrementAndGet();
            case CUT, OPEN -> cut.incrementAndGet();
        }
    }
}
