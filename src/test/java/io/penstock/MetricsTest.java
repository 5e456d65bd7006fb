package io.penstock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.penstock.config.ConfigFile;
import io.penstock.config.Overrides;
import io.penstock.proxy.front.Client;
import io.penstock.proxy.front.Eventually;
import io.penstock.sim.Fault;
import io.penstock.sim.SimOptions;
import io.penstock.sim.Simulator;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code docs/metrics.md} says is what a running Penstock shows, and the file's state is among it. */
@SuppressWarnings("NullAway.Init") // Opened before each test.
class MetricsTest {

    private static final Path PAGE = Path.of("docs", "metrics.md");
    private static final Pattern ROW = Pattern.compile("^\\| `(penstock_\\w+)` \\| (\\w+) \\|([^|]*)\\|");
    private static final Pattern TYPE = Pattern.compile("^# TYPE (\\w+) (\\w+)$");
    private static final Pattern SAMPLE = Pattern.compile("^(penstock_\\w+?)(?:\\{(.*)})? \\S+$");
    private static final Pattern WORD = Pattern.compile("(\\w+)=\"");
    private static final Pattern CODE = Pattern.compile("`([^`]+)`");

    @TempDir
    private Path folder;

    private Vertx vertx;
    private List<Simulator> replicas;
    private Path yaml;
    private Penstock penstock;

    @BeforeEach
    void open() throws Exception {
        vertx = Main.vertx();
        SimOptions options = SimOptions.standard(System::nanoTime, System::currentTimeMillis)
                .withPace(Duration.ofMillis(5), Duration.ofMillis(5));
        replicas = List.of(await(Simulator.start(vertx, options)), await(Simulator.start(vertx, options)));
        yaml = Files.writeString(folder.resolve("penstock.yaml"), configuration("predicted_delay"));
        ConfigFile file = ConfigFile.choose(yaml, new Overrides("127.0.0.1:0", "127.0.0.1:0", List.of()));
        Chance chance = new Chance(
                System::nanoTime,
                System::currentTimeMillis,
                () -> 0.5,
                () -> UUID.randomUUID().toString());
        penstock = await(Penstock.start(vertx, file, file.read(), chance));
        Eventually.that(
                "both are in",
                () -> penstock.upstreams().current().members().stream()
                        .allMatch(each -> each.usable() && each.knownModels() != null));
    }

    private String configuration(String policy) {
        return "log: {access: false}\nprogress: {suspect: 2s, stalled: 0}\nselection: " + policy + "\nupstreams:\n"
                + "  - http://127.0.0.1:" + replicas.get(0).port() + "\n  - http://127.0.0.1:"
                + replicas.get(1).port() + "\n";
    }

    @AfterEach
    void close() throws Exception {
        await(vertx.close());
    }

    @Test
    void thePageHasEveryMetricOfARunWithFaultsAndNoOther() throws Exception {
        Map<String, String> documented = documented();
        replicas.get(0).faults().next(1, Fault.of(Fault.Kind.STATUS, 500));
        replicas.get(1).faults().next(1, Fault.of(Fault.Kind.RESET_AFTER, 3));

        // Predictions need something to learn from, and engines are read while they have work, and for that moment
        // only.
        Map<String, String> shown = new TreeMap<>();
        Eventually.that(() -> "documented and not there: " + without(documented, shown), () -> {
            converse();
            shown.clear();
            shown.putAll(shown());
            return without(documented, shown).isEmpty();
        });

        assertThat(shown).containsExactlyEntriesOf(documented);
        assertThat(scrape())
                .contains("model=\"demo\"")
                .containsPattern("penstock_attempts_total\\{reason=\"upstream_died\".* 1\\.0")
                .contains("penstock_reroutes_total{cause=\"failover\"} 1.0");
    }

    @Test
    void whatTheJvmAddsIsOnThePageToo() throws Exception {
        String page = Files.readString(PAGE);
        List<String> missing = scrape().lines()
                .map(TYPE::matcher)
                .filter(Matcher::matches)
                .map(type -> type.group(1))
                .filter(name -> !name.startsWith("penstock_"))
                .filter(name -> !page.contains("`" + name + "`")
                        && !page.contains("`" + name.replaceFirst("^([a-z]+_[a-z]+_).*", "$1") + "*`"))
                .toList();

        assertThat(missing).isEmpty();
    }

    @Test
    void promtoolIsContentWithTheScrape() throws Exception {
        assumeTrue(ObservabilityTest.promtoolIsThere(), "there is no promtool in the PATH");
        Path scrape = Files.writeString(folder.resolve("scrape"), scrape());

        Process check = new ProcessBuilder("promtool", "check", "metrics")
                .redirectInput(scrape.toFile())
                .redirectErrorStream(true)
                .start();

        assertThat(new String(check.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                .isEmpty();
        assertThat(check.waitFor()).isZero();
    }

    @Test
    void aBadEditShowsUntilItIsMended() throws Exception {
        assertThat(scrape()).contains("penstock_config_last_reload_ok 1.0\n");
        Files.writeString(yaml, "upstreams: nonsense\n");
        Eventually.that("it shows", () -> scrape().contains("penstock_config_last_reload_ok 0.0\n"));
        assertThat(scrape()).contains("penstock_config_reloads_total{result=\"refused\"} 1.0\n");

        Files.writeString(yaml, configuration("round_robin"));
        Eventually.that("it is mended", () -> scrape().contains("penstock_config_last_reload_ok 1.0\n"));
        assertThat(scrape()).contains("penstock_config_reloads_total{result=\"applied\"} 1.0\n");
    }

    private static Set<String> without(Map<String, String> some, Map<String, String> others) {
        Set<String> rest = new TreeSet<>(some.keySet());
        rest.removeAll(others.keySet());
        return rest;
    }

    /** Of each metric on the page its type and its labels. */
    private static Map<String, String> documented() throws IOException {
        Map<String, String> found = new TreeMap<>();
        for (String line : Files.readAllLines(PAGE)) {
            Matcher row = ROW.matcher(line);
            if (row.find()) {
                found.put(row.group(1), row.group(2) + " " + all(CODE, row.group(3)));
            }
        }
        assertThat(found).hasSizeGreaterThan(40);
        return found;
    }

    /** Of each metric in a scrape its type and its labels. */
    private Map<String, String> shown() {
        Map<String, String> types = new TreeMap<>();
        Map<String, Set<String>> labels = new TreeMap<>();
        scrape().lines().forEach(line -> {
            Matcher type = TYPE.matcher(line);
            if (type.matches() && type.group(1).startsWith("penstock_")) {
                types.put(type.group(1), type.group(2));
            }
            Matcher sample = SAMPLE.matcher(line);
            if (sample.matches()) {
                String name = sample.group(1);
                String family = name.replaceFirst("_(bucket|sum|count|max)$", "");
                Set<String> words = all(WORD, sample.group(2) == null ? "" : sample.group(2));
                words.remove("le");
                labels.computeIfAbsent(types.containsKey(family) ? family : name, key -> new TreeSet<>())
                        .addAll(words);
            }
        });
        Map<String, String> found = new TreeMap<>();
        types.forEach((name, type) -> {
            boolean beside = name.endsWith("_max") && "histogram".equals(types.get(name.replaceFirst("_max$", "")));
            if (!beside && labels.containsKey(name)) {
                found.put(name, type + " " + labels.get(name));
            }
        });
        return found;
    }

    private static Set<String> all(Pattern pattern, String text) {
        Set<String> found = new TreeSet<>();
        Matcher matcher = pattern.matcher(text);
        while (matcher.find()) {
            found.add(matcher.group(1));
        }
        return found;
    }

    /** Two streams at once, long enough for an engine to be read meanwhile. */
    private void converse() {
        String body = "{\"model\":\"demo\",\"stream\":true,\"max_tokens\":80,\"messages\":"
                + "[{\"role\":\"user\",\"content\":\"one two three\"}]}";
        try (Client one = Client.to(penstock.port());
                Client two = Client.to(penstock.port())) {
            one.send(Client.post("/v1/chat/completions", body, "Connection: close"));
            two.send(Client.post("/v1/chat/completions", body, "Connection: close"));
            one.end();
            two.end();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private String scrape() {
        try (Client client = Client.to(penstock.adminPort())) {
            return client.send(Client.request("GET", "/metrics")).reply().body();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static <T> T await(Future<T> future) throws Exception {
        return future.toCompletionStage().toCompletableFuture().get(20, TimeUnit.SECONDS);
    }
}
