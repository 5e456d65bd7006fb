package io.penstock.config;

import io.vertx.config.ConfigStoreOptions;
import io.vertx.config.spi.ConfigStore;
import io.vertx.config.spi.ConfigStoreFactory;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import io.vertx.core.shareddata.LocalMap;
import java.util.Objects;

/**
 * Makes vertx-config scan a {@link ConfigScan}. vertx-config finds its stores through the service loader and describes
 * them in JSON, so a live one is handed over through a map of the Vert.x instance, under a key that stands in the JSON.
 */
public final class ConfigScanFactory implements ConfigStoreFactory {

    private static final String NAME = "penstock";
    private static final String SCAN = "scan";

    /** For the service loader. */
    public ConfigScanFactory() {}

    /** The description that brings a scan to {@link #create}; the key is any that no other scan has. */
    static ConfigStoreOptions describe(Vertx vertx, String key, ConfigScan scan) {
        handedOver(vertx).put(key, scan);
        return new ConfigStoreOptions().setType(NAME).setFormat("json").setConfig(new JsonObject().put(SCAN, key));
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public ConfigStore create(Vertx vertx, JsonObject options) {
        ConfigScan scan = handedOver(vertx).remove(options.getString(SCAN));
        return Objects.requireNonNull(scan, "only ConfigVerticle makes this store");
    }

    private static LocalMap<String, ConfigScan> handedOver(Vertx vertx) {
        return vertx.sharedData().getLocalMap("penstock.config.scans");
    }
}
