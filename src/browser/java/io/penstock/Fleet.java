package io.penstock;

import io.penstock.config.ConfigFile;
import io.penstock.config.Overrides;
import io.penstock.sim.SimOptions;
import io.penstock.sim.Simulator;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/** A whole Penstock in front of simulated replicas named vllm0, vllm1, …, with clients of its own. */
final class Fleet implements AutoCloseable {

    /** Shorter times than anyone would set, so that faults show within seconds. */
    static final String QUICK =
            "probe: {interval: 500ms, timeout: 1s}\nprogress: {suspect: 2s, stalled: 2s}\ndrain: {lameDuck: 0s, deadline: 0s}\n";

    private static final Random RANDOM = new Random(20);

    private final Vertx vertx = Main.vertx();
    private final Path directory;
    private final List<Simulator> replicas = new ArrayList<>();
    private final Penstock penstock;

    private Fleet(int count, Duration first, Duration each, String settings) throws IOException {
        directory = Files.createTempDirectory("penstock-browser");
        for (int i = 0; i < count; i++) {
            replicas.add(await(Simulator.start(
                    vertx,
                    SimOptions.standard(System::nanoTime, System::currentTimeMillis)
                            .withName("vllm" + i)
                            .withSeed(i)
                            .withPace(first, each))));
        }
        write(settings);
        ConfigFile source = ConfigFile.choose(file(), Overrides.NONE);
        Chance chance = new Chance(
                System::nanoTime,
                System::currentTimeMillis,
                () -> {
                    synchronized (RANDOM) {
                        return RANDOM.nextDouble();
                    }
                },
                () -> UUID.randomUUID().toString());
        penstock = await(Penstock.start(vertx, source, source.read(), chance));
    }

    /** As a small real model: a token each 20 ms. */
    static Fleet start(int count, String settings) throws IOException {
        return new Fleet(count, Duration.ofMillis(60), Duration.ofMillis(20), settings);
    }

    /** Answers at once. */
    static Fleet startFast(int count, String settings) throws IOException {
        return new Fleet(count, Duration.ZERO, Duration.ZERO, settings);
    }

    /** Writes the configuration anew: all replicas, and these settings. */
    void write(String settings) {
        StringBuilder yaml = new StringBuilder("listen: 127.0.0.1:0\nupstreams:\n");
        for (Simulator replica : replicas) {
            yaml.append("  - {url: \"http://127.0.0.1:")
                    .append(replica.port())
                    .append("\", name: ")
                    .append(replica.name())
                    .append("}\n");
        }
        yaml.append("log: {access: false}\n").append(settings);
        if (!settings.contains("admin:")) {
            yaml.append("admin: 127.0.0.1:0\n");
        }
        try {
            Files.writeString(file(), yaml);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The page. */
    String page() {
        return "http://127.0.0.1:" + penstock.adminPort() + "/";
    }

    /** Where clients connect. */
    int port() {
        return penstock.port();
    }

    /** Lets clients come, for as long as it lives. */
    DemoTraffic clients(double perSecond) {
        DemoTraffic traffic = new DemoTraffic(penstock.port(), perSecond, () -> {
            synchronized (RANDOM) {
                return RANDOM.nextDouble();
            }
        });
        vertx.deployVerticle(traffic);
        return traffic;
    }

    Penstock penstock() {
        return penstock;
    }

    Simulator replica(int index) {
        return replicas.get(index);
    }

    private Path file() {
        return directory.resolve("penstock.yaml");
    }

    @Override
    public void close() throws IOException {
        await(vertx.close());
        Files.deleteIfExists(file());
        Files.deleteIfExists(directory);
    }

    static <T> T await(Future<T> future) {
        try {
            return future.toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}
