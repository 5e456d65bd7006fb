package io.penstock.config;

import io.vertx.config.spi.ConfigStore;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import io.vertx.core.shareddata.Shareable;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The store that vertx-config scans. It never fails, since a failing store tells nobody when the failure ends: what it
 * returns is the verdict on the file, and so a bad edit and its undoing both are changes. Confined to one event loop;
 * reading happens on workers.
 */
final class ConfigScan implements ConfigStore, Shareable {

    private static final Logger LOG = LoggerFactory.getLogger(ConfigScan.class);

    private final Vertx vertx;
    private final ConfigFile file;
    private final Duration settle;

    /** What the last scan saw. Written and read on the event loop. */
    private Reading last;

    /** The running or last scan. Written and read on the event loop. */
    private @Nullable Future<Buffer> running;

    /** Scans are queued, not ended, when the retriever closes. Written and read on the event loop. */
    private boolean closed;

    /**
     * A scan that knows what was seen before.
     *
     * @param settle how long a new content must stay the same before it counts; a file is often seen half written
     */
    ConfigScan(Vertx vertx, ConfigFile file, Reading first, Duration settle) {
        this.vertx = vertx;
        this.file = file;
        this.last = first;
        this.settle = settle;
    }

    /** What the last scan saw. */
    Reading last() {
        return last;
    }

    /** Scans, unless a scan is running: vertx-config would queue them without end. */
    @Override
    public Future<Buffer> get() {
        if (closed) {
            return Future.succeededFuture(verdict(last));
        }
        Future<Buffer> current = running;
        if (current == null || current.isComplete()) {
            current = read().compose(this::settled).map(this::record);
            running = current;
        }
        return current;
    }

    @Override
    public Future<Void> close() {
        closed = true;
        return Future.succeededFuture();
    }

    private Future<Reading> read() {
        return vertx.executeBlocking(file::read, false)
                .onFailure(fault -> LOG.debug("reading {} went wrong", file.source(), fault))
                .otherwise(fault ->
                        file.failed("reading it went wrong: " + fault.getClass().getSimpleName()));
    }

    /** A content that is new counts when a second look sees the same. Until then the last one stands. */
    private Future<Reading> settled(Reading seen) {
        if (seen.sawTheSameAs(last) || settle.isZero()) {
            return Future.succeededFuture(seen);
        }
        return vertx.timer(settle.toMillis(), TimeUnit.MILLISECONDS)
                .compose(waited -> read())
                .map(again -> again.sawTheSameAs(seen) ? again : last);
    }

    private Buffer record(Reading reading) {
        last = reading;
        return verdict(reading);
    }

    private static Buffer verdict(Reading reading) {
        return new JsonObject()
                .put("hash", reading.hash())
                .put(
                        "problems",
                        reading.problems().stream().map(Problem::toString).toList())
                .put("warnings", reading.warnings())
                .toBuffer();
    }
}
