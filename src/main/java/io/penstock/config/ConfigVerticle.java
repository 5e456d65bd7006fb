package io.penstock.config;

import io.penstock.bus.Topic;
import io.vertx.config.ConfigRetriever;
import io.vertx.config.ConfigRetrieverOptions;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Watches the configuration file and publishes each new good value, once, on {@link #CHANGES}. Bad edits are logged and
 * shown in {@link #state()}, and change nothing. Deploy one instance.
 */
public final class ConfigVerticle extends VerticleBase {

    /** A new configuration is in force; what is published is whole and immutable. Listen and admin never differ. */
    public static final Topic<PenstockConfig> CHANGES = new Topic<>("penstock.config.changes", PenstockConfig.class);

    private static final Duration USUAL_SCAN_PERIOD = Duration.ofSeconds(1);
    private static final Duration USUAL_SETTLE = Duration.ofMillis(200);

    private final ConfigFile file;
    private final Reading first;
    private final Duration scanPeriod;
    private final Duration settle;
    private final LiveConfig live;

    /** Set while the verticle runs. Written and read on its event loop. */
    private @Nullable ConfigRetriever retriever;

    /**
     * Watches each second.
     *
     * @param file what to watch
     * @param first the good reading that everything started with
     * @throws IllegalArgumentException when the first reading is not good
     */
    public ConfigVerticle(ConfigFile file, Reading first) {
        this(file, first, USUAL_SCAN_PERIOD, USUAL_SETTLE);
    }

    /**
     * Watches at another pace.
     *
     * @param file what to watch
     * @param first the good reading that everything started with
     * @param scanPeriod from one look at the file to the next, in whole milliseconds, at least one
     * @param settle how long a new content must stay the same before it counts; zero takes it at once
     * @throws IllegalArgumentException when the first reading is not good
     */
    public ConfigVerticle(ConfigFile file, Reading first, Duration scanPeriod, Duration settle) {
        this.file = file;
        this.first = first;
        this.scanPeriod = scanPeriod;
        this.settle = settle;
        this.live = new LiveConfig(first);
    }

    /**
     * Where the configuration stands. Any thread may ask, also before and after the verticle runs.
     *
     * @return a snapshot
     */
    public ConfigState state() {
        return live.state();
    }

    @Override
    public Future<?> start() {
        if (!file.canChange()) {
            return Future.succeededFuture();
        }
        ConfigScan scan = new ConfigScan(vertx, file, first, settle);
        ConfigRetriever watching = ConfigRetriever.create(
                vertx,
                new ConfigRetrieverOptions()
                        .setIncludeDefaultStores(false)
                        .setScanPeriod(scanPeriod.toMillis())
                        .addStore(ConfigScanFactory.describe(vertx, deploymentID(), scan)));
        retriever = watching;
        watching.listen(change -> apply(scan.last()));
        // Sets what later scans are compared with. It is no change to the retriever, but may well be one to us.
        return watching.getConfig().onSuccess(verdict -> apply(scan.last()));
    }

    @Override
    public Future<?> stop() {
        return retriever == null ? Future.succeededFuture() : retriever.close();
    }

    private void apply(Reading reading) {
        PenstockConfig changed = live.accept(reading);
        if (changed != null) {
            CHANGES.publish(vertx.eventBus(), changed);
        }
    }
}
