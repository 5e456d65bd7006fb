package io.penstock.admin;

import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends snapshots to whoever looks at the live page, as server-sent events (WHATWG HTML, section 9.2): one at once, then
 * one at each turn of a timer at most. A snapshot is made once for all viewers, and none while there is nobody. A viewer that does not
 * read misses snapshots and is dropped in the end; no more than one snapshot is kept for it, and that one for all. Confined to the
 * admin verticle's event loop.
 */
final class LiveFeed {

    /** Viewers at once; one more is refused. */
    static final int MOST_VIEWERS = 32;

    /** Snapshots that a viewer may miss in a row. */
    static final int MOST_MISSED = 15;

    private static final Logger LOG = LoggerFactory.getLogger(LiveFeed.class);
    private static final int RECONNECT_MILLIS = 2000;
    private static final long NO_TIMER = -1;

    /** Somebody who looks. */
    private static final class Viewer {

        private final HttpServerResponse response;
        // The socket has not taken the last one yet. A full write queue would come too late: Vert.x counts writes, not
        // bytes.
        private boolean sending;
        private int missed;
        private boolean justCame;

        private Viewer(HttpServerResponse response, boolean justCame) {
            this.response = response;
            this.justCame = justCame;
        }
    }

    private final Vertx vertx;
    private final long everyMillis;
    private final Supplier<JsonObject> snapshot;
    private final Runnable rest;
    private final Set<Viewer> viewers = new LinkedHashSet<>();
    private Buffer latest = Buffer.buffer();
    private long timer = NO_TIMER;
    private boolean closed;

    /**
     * A feed that nobody watches yet.
     *
     * @param vertx the timer
     * @param everyMillis from one snapshot to the next
     * @param snapshot makes what is sent
     * @param rest called when the last viewer has gone
     */
    LiveFeed(Vertx vertx, long everyMillis, Supplier<JsonObject> snapshot, Runnable rest) {
        this.vertx = vertx;
        this.everyMillis = everyMillis;
        this.snapshot = snapshot;
        this.rest = rest;
    }

    /** Whether one more may look. */
    boolean hasRoom() {
        return !closed && viewers.size() < MOST_VIEWERS;
    }

    /** Sends snapshots until the viewer leaves or the feed is closed. Only while it {@link #hasRoom}. */
    void show(HttpServerResponse response) {
        response.putHeader(HttpHeaders.CONTENT_TYPE, "text/event-stream; charset=utf-8")
                .putHeader(HttpHeaders.CACHE_CONTROL, "no-store")
                // nginx and its like would collect events until they have enough of them.
                .putHeader("x-accel-buffering", "no")
                .setChunked(true);
        boolean first = viewers.isEmpty();
        if (first) {
            // Before anybody counts as a viewer: should it fail, the next one who comes finds the feed as it was.
            make();
        }
        Viewer viewer = new Viewer(response, !first);
        response.exceptionHandler(failure -> LOG.debug("admin: a viewer's connection failed", failure));
        response.closeHandler(gone -> left(viewer));
        viewers.add(viewer);
        if (first) {
            timer = vertx.setPeriodic(everyMillis, fired -> tick());
        }
        write(viewer, Buffer.buffer("retry: " + RECONNECT_MILLIS + "\n\n").appendBuffer(latest));
    }

    private void tick() {
        make();
        for (Viewer viewer : List.copyOf(viewers)) {
            if (viewer.justCame) {
                // It has just been sent the one before.
                viewer.justCame = false;
            } else if (!viewer.sending) {
                viewer.missed = 0;
                write(viewer, latest);
            } else if (++viewer.missed >= MOST_MISSED) {
                LOG.debug("admin: a viewer does not read and is dropped");
                left(viewer);
                viewer.response.reset();
            }
        }
    }

    private void make() {
        latest = event("snapshot", snapshot.get());
    }

    private static Buffer event(String name, JsonObject data) {
        return Buffer.buffer("event: " + name + "\ndata: ")
                .appendBuffer(data.toBuffer())
                .appendString("\n\n");
    }

    private static void write(Viewer viewer, Buffer bytes) {
        viewer.sending = true;
        viewer.response.write(bytes).onComplete(written -> viewer.sending = false);
    }

    private void left(Viewer viewer) {
        if (viewers.remove(viewer) && viewers.isEmpty()) {
            vertx.cancelTimer(timer);
            timer = NO_TIMER;
            latest = Buffer.buffer();
            rest.run();
        }
    }

    /** Says goodbye to all viewers; nobody else may look from now on. */
    void close() {
        closed = true;
        for (Viewer viewer : new ArrayList<>(viewers)) {
            left(viewer);
            viewer.response
                    .end(event("bye", new JsonObject()))
                    .onFailure(gone -> LOG.debug("admin: a viewer left", gone));
        }
    }
}
