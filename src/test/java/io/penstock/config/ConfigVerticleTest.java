package io.penstock.config;

import static java.nio.file.StandardCopyOption.ATOMIC_MOVE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import ch.qos.logback.classic.Level;
import io.penstock.bus.Topic;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigVerticleTest {

    private static final String ONE = "upstreams: [http://a]\n";
    private static final String TWO = "upstreams: [http://a, http://b]\n";
    private static final String BAD = "upstreams: []\n";
    private static final Duration SCAN = Duration.ofMillis(20);

    @TempDir
    private Path folder;

    private Path path;
    private final Vertx vertx = Vertx.vertx();
    private final HeardLog log = new HeardLog();
    private final List<PenstockConfig> published = new CopyOnWriteArrayList<>();

    @BeforeEach
    void subscribe() {
        path = folder.resolve("penstock.yaml");
        Topic.carryOn(vertx);
        ConfigVerticle.CHANGES.subscribe(vertx.eventBus(), published::add);
    }

    @AfterEach
    void close() throws Exception {
        log.close();
        done(vertx.close());
    }

    @Test
    void aGoodEditIsPublishedOnce() throws Exception {
        ConfigVerticle verticle = watch(ONE, Surroundings.REAL, Duration.ofMillis(10));
        Files.writeString(path, TWO);
        await(() -> published.size() == 1);
        assertThat(published.get(0).upstreams()).hasSize(2);
        assertThat(verticle.state().current()).isSameAs(published.get(0));
        assertThat(verticle.state().appliedCount()).isEqualTo(2);
        assertNothingElseIsPublished(verticle, 1);
    }

    @Test
    void anEditBetweenTheFirstReadingAndTheStartIsNotLost() throws Exception {
        write(ONE);
        ConfigFile file = new ConfigFile(path, Overrides.NONE, Surroundings.REAL);
        Reading first = file.read();
        write(TWO);
        done(vertx.deployVerticle(new ConfigVerticle(file, first, SCAN, Duration.ZERO)));
        await(() -> published.size() == 1);
    }

    @Test
    void aBadEditThatIsUndoneClearsTheErrorAndPublishesNothing() throws Exception {
        ConfigVerticle verticle = watch(ONE, Surroundings.REAL, Duration.ZERO);
        write(BAD);
        await(() -> !verticle.state().problems().isEmpty());
        assertThat(verticle.state().current().upstreams()).hasSize(1);
        write(ONE);
        await(() -> verticle.state().problems().isEmpty());
        assertThat(log.atOrAbove(Level.INFO))
                .filteredOn(line -> line.contains("good again"))
                .hasSize(1);
        assertNothingElseIsPublished(verticle, 0);
    }

    @Test
    void editsByRenameAreSeenOneAfterTheOther() throws Exception {
        ConfigVerticle verticle = watch(ONE, Surroundings.REAL, Duration.ofMillis(5));
        for (int edit = 1; edit <= 10; edit++) {
            int fall = edit + 10;
            write(ONE + "probe: {fall: " + fall + "}");
            await(() -> verticle.state().current().probe().fall() == fall);
        }
        assertThat(verticle.state().appliedCount()).isEqualTo(11);
        assertThat(verticle.state().rejectedCount()).isZero();
        assertNothingElseIsPublished(verticle, 10);
    }

    @Test
    void aDeletedFileIsAProblemUntilItIsRestored() throws Exception {
        ConfigVerticle verticle = watch(ONE, Surroundings.REAL, Duration.ZERO);
        Files.delete(path);
        await(() -> verticle.state().problems().equals(List.of(path + ": there is no such file")));
        assertThat(verticle.state().current().upstreams()).hasSize(1);
        write(ONE);
        await(() -> verticle.state().problems().isEmpty());
        assertThat(verticle.state().rejectedCount()).isEqualTo(1);
        assertNothingElseIsPublished(verticle, 0);
    }

    @Test
    void aChangedSecretFileIsAChange() throws Exception {
        Path secret = Files.writeString(folder.resolve("key"), "one\n");
        watch("upstreams: [{url: http://a, apiKey: \"${file:" + secret + "}\"}]", Surroundings.REAL, Duration.ZERO);
        Files.writeString(secret, "two\n");
        await(() -> published.stream()
                .anyMatch(config -> "two".equals(config.upstreams().get(0).apiKey())));
        assertThat(log.atOrAbove(Level.DEBUG)).noneMatch(line -> line.contains("two"));
        assertThat(log.atOrAbove(Level.INFO)).anyMatch(line -> line.endsWith("upstream a:80 changed (apiKey)"));
    }

    @Test
    void slowReadingsNeverOverlapAndTheLastEditWins() throws Exception {
        SlowDisk disk = new SlowDisk();
        ConfigVerticle verticle = watch(ONE, new Surroundings(name -> null, disk::read), Duration.ZERO);
        disk.slow.set(true);
        await(() -> disk.waiting.get() == 1);
        write(BAD);
        write(TWO);
        int scansMeanwhile = 10;
        await(timerTicks(scansMeanwhile));
        int started = disk.started.get();
        disk.slow.set(false);
        disk.gate.release();
        await(() -> verticle.state().current().upstreams().size() == 2);
        assertThat(disk.most.get()).isEqualTo(1);
        assertThat(started)
                .as("readings begun in %s scan periods", scansMeanwhile)
                .isEqualTo(disk.startedWhenSlow.get());
        assertNothingElseIsPublished(verticle, 1);
    }

    @Test
    void aFileThatKeepsChangingIsLeftAloneUntilItRests() throws Exception {
        AtomicBoolean restless = new AtomicBoolean();
        AtomicInteger reads = new AtomicInteger();
        Surroundings.FileContent disk = (file, limit) -> {
            int read = reads.incrementAndGet();
            return restless.get() && file.equals(path)
                    ? (ONE + "probe: {fall: " + (1 + read % 50) + "}").getBytes(StandardCharsets.UTF_8)
                    : Surroundings.REAL.files().read(file, limit);
        };
        ConfigVerticle verticle = watch(ONE, new Surroundings(name -> null, disk), Duration.ofMillis(1));
        restless.set(true);
        int before = reads.get();
        await(() -> reads.get() > before + 20);
        assertThat(verticle.state().appliedCount()).isEqualTo(1);
        restless.set(false);
        assertNothingElseIsPublished(verticle, 0);
    }

    @Test
    void aReadingThatBreaksIsAProblemAndNotTheEnd() throws Exception {
        AtomicBoolean broken = new AtomicBoolean();
        Surroundings.FileContent disk = (file, limit) -> {
            if (broken.get()) {
                throw new IllegalStateException("a bug");
            }
            return Surroundings.REAL.files().read(file, limit);
        };
        ConfigVerticle verticle = watch(ONE, new Surroundings(name -> null, disk), Duration.ZERO);
        broken.set(true);
        await(() ->
                verticle.state().problems().equals(List.of(path + ": reading it went wrong: IllegalStateException")));
        broken.set(false);
        await(() -> verticle.state().problems().isEmpty());
    }

    @Test
    void withoutAFileNothingIsScanned() throws Exception {
        ConfigFile none = new ConfigFile(null, new Overrides(null, null, List.of("http://a")), Surroundings.REAL);
        ConfigVerticle verticle = new ConfigVerticle(none, none.read());
        String id = done(vertx.deployVerticle(verticle));
        assertThat(verticle.state().source()).isEqualTo("command line");
        assertThat(verticle.state().current().upstreams()).hasSize(1);
        done(vertx.undeploy(id));
    }

    @Test
    void theStoreIsMadeByTheVerticleOnly() {
        assertThatNullPointerException()
                .isThrownBy(() -> new ConfigScanFactory().create(vertx, new JsonObject().put("scan", "x")))
                .withMessageContaining("ConfigVerticle");
    }

    @Test
    void afterItsEndNothingIsRead() throws Exception {
        AtomicInteger reads = new AtomicInteger();
        Surroundings.FileContent disk = (file, limit) -> {
            reads.incrementAndGet();
            return Surroundings.REAL.files().read(file, limit);
        };
        write(ONE);
        ConfigFile file = new ConfigFile(path, Overrides.NONE, new Surroundings(name -> null, disk));
        String id = done(vertx.deployVerticle(new ConfigVerticle(file, file.read(), SCAN, Duration.ZERO)));
        done(vertx.undeploy(id));
        await(timerTicks(2));
        int before = reads.get();
        await(timerTicks(5));
        assertThat(reads.get()).isEqualTo(before);
    }

    /** Publishing goes in order, so when a last edit has arrived, everything before it has. */
    private void assertNothingElseIsPublished(ConfigVerticle verticle, int expected) throws IOException {
        write("upstreams: [http://last]");
        await(() -> published.stream()
                .anyMatch(config -> config.upstreams().get(0).name().equals("last:80")));
        assertThat(published).hasSize(expected + 1);
        assertThat(verticle.state().problems()).isEmpty();
    }

    /** As editors do it: nobody sees half a file. */
    private void write(String yaml) throws IOException {
        Files.move(Files.writeString(folder.resolve("next"), yaml), path, ATOMIC_MOVE);
    }

    private ConfigVerticle watch(String yaml, Surroundings surroundings, Duration settle) throws Exception {
        write(yaml);
        ConfigFile file = new ConfigFile(path, Overrides.NONE, surroundings);
        ConfigVerticle verticle = new ConfigVerticle(file, file.read(), SCAN, settle);
        done(vertx.deployVerticle(verticle));
        return verticle;
    }

    private BooleanSupplier timerTicks(int ticks) {
        AtomicInteger seen = new AtomicInteger();
        vertx.setPeriodic(SCAN.toMillis(), timer -> {
            if (seen.incrementAndGet() >= ticks) {
                vertx.cancelTimer(timer);
            }
        });
        return () -> seen.get() >= ticks;
    }

    private static void await(BooleanSupplier condition) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("deadline of 10 s").isLessThan(deadline);
            Thread.onSpinWait();
            try {
                TimeUnit.MILLISECONDS.sleep(2);
            } catch (InterruptedException interrupted) {
                throw new AssertionError(interrupted);
            }
        }
    }

    private static <T> T done(Future<T> future) throws Exception {
        return future.toCompletionStage().toCompletableFuture().get(10, TimeUnit.SECONDS);
    }

    /** A disk whose reads wait at a gate while it is slow. */
    private final class SlowDisk {

        final AtomicBoolean slow = new AtomicBoolean();
        final Semaphore gate = new Semaphore(0);
        final AtomicInteger waiting = new AtomicInteger();
        final AtomicInteger most = new AtomicInteger();
        final AtomicInteger started = new AtomicInteger();
        final AtomicInteger startedWhenSlow = new AtomicInteger();

        private final AtomicInteger active = new AtomicInteger();

        byte[] read(Path file, int limit) throws IOException {
            if (!file.equals(path)) {
                return Surroundings.REAL.files().read(file, limit);
            }
            started.incrementAndGet();
            most.accumulateAndGet(active.incrementAndGet(), Math::max);
            try {
                if (slow.get()) {
                    startedWhenSlow.set(started.get());
                    waiting.incrementAndGet();
                    gate.acquireUninterruptibly();
                }
                return Surroundings.REAL.files().read(file, limit);
            } finally {
                active.decrementAndGet();
            }
        }
    }
}
