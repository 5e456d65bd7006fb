package io.penstock.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.penstock.config.PenstockConfig.Policy;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConfigFileTest {

    private static final String UPSTREAMS = "upstreams: [http://vllm0:8000, http://vllm1:8000]\n";

    private final FakeSurroundings world = new FakeSurroundings();

    @Test
    void nothingButUpstreamsGivesEveryDefault() {
        assertThat(good(UPSTREAMS))
                .isEqualTo(new PenstockConfig(
                        new Endpoint("0.0.0.0", 8000),
                        PenstockConfig.Admin.DEFAULT,
                        List.of(plain("vllm0", 8000), plain("vllm1", 8000)),
                        PenstockConfig.Selection.DEFAULT,
                        PenstockConfig.Admission.DEFAULT,
                        PenstockConfig.Probe.DEFAULT,
                        PenstockConfig.Progress.DEFAULT,
                        PenstockConfig.Ejection.DEFAULT,
                        PenstockConfig.Retry.DEFAULT,
                        PenstockConfig.Heartbeat.DEFAULT,
                        PenstockConfig.Timeouts.DEFAULT,
                        PenstockConfig.Limits.DEFAULT,
                        PenstockConfig.Drain.DEFAULT,
                        PenstockConfig.Routes.DEFAULT,
                        PenstockConfig.Trust.DEFAULT,
                        PenstockConfig.Log.DEFAULT,
                        PenstockConfig.Tracing.DEFAULT,
                        PenstockConfig.Explain.DEFAULT));
    }

    @Test
    void everyDefaultIsWhatThePageSays() {
        assertThat(PenstockConfig.Selection.DEFAULT).isEqualTo(new PenstockConfig.Selection(Policy.PREDICTED_DELAY));
        assertThat(PenstockConfig.Admission.DEFAULT)
                .isEqualTo(new PenstockConfig.Admission(4096, Duration.ofMinutes(10), Duration.ZERO));
        assertThat(PenstockConfig.Probe.DEFAULT)
                .isEqualTo(new PenstockConfig.Probe(seconds(2), seconds(2), 3, 2, seconds(30)));
        assertThat(PenstockConfig.Progress.DEFAULT).isEqualTo(new PenstockConfig.Progress(seconds(10), seconds(10)));
        assertThat(PenstockConfig.Ejection.DEFAULT)
                .isEqualTo(new PenstockConfig.Ejection(5, seconds(30), 50, 20, seconds(1), seconds(60)));
        assertThat(PenstockConfig.Retry.DEFAULT).isEqualTo(new PenstockConfig.Retry(2, 20, 10));
        assertThat(PenstockConfig.Heartbeat.DEFAULT).isEqualTo(new PenstockConfig.Heartbeat(seconds(10), seconds(10)));
        assertThat(PenstockConfig.Timeouts.DEFAULT)
                .isEqualTo(new PenstockConfig.Timeouts(
                        seconds(2),
                        seconds(0),
                        seconds(0),
                        seconds(10),
                        seconds(60),
                        seconds(75),
                        seconds(600),
                        seconds(20),
                        seconds(3)));
        assertThat(PenstockConfig.Limits.DEFAULT)
                .isEqualTo(new PenstockConfig.Limits(67_108_864, 25, 32_768, 16_384, 16_384));
        assertThat(PenstockConfig.Drain.DEFAULT).isEqualTo(new PenstockConfig.Drain(seconds(5), seconds(120)));
        assertThat(PenstockConfig.Routes.DEFAULT).isEqualTo(new PenstockConfig.Routes(Set.of()));
        assertThat(PenstockConfig.Trust.DEFAULT).isEqualTo(new PenstockConfig.Trust(List.of()));
        assertThat(PenstockConfig.Log.DEFAULT).isEqualTo(new PenstockConfig.Log(true));
        assertThat(PenstockConfig.Tracing.DEFAULT).isEqualTo(new PenstockConfig.Tracing("", "penstock", 1, Map.of()));
        assertThat(PenstockConfig.Explain.DEFAULT).isEqualTo(new PenstockConfig.Explain(false));
    }

    @Test
    void everyKeyIsRead() {
        world.environment.put("KEY", "sk-1");
        world.environment.put("ADMIN_KEY", "0123456789abcdef");
        PenstockConfig config = good("""
                listen: "[::1]:9000"
                admin: {listen: ":9090", key: "${env:ADMIN_KEY}"}
                upstreams:
                  - https://Gpu7.example.org
                  - {url: "http://[2001:DB8::1]:8001/", name: big, weight: 3, maxInFlight: 8, models: [a/b, c], apiKey: "${env:KEY}"}
                  - {dns: vllm, port: 8000}
                  - {dns: vllm, port: 8443, scheme: https, name: safe}
                selection: {policy: round_robin}
                admission: {maxWaiting: 0, maxWait: 1s, targetInterToken: 40ms}
                probe: {interval: 1s, timeout: 500ms, fall: 1, rise: 100, modelsInterval: 1h}
                progress: {suspect: 0, stalled: 100ms}
                ejection: {consecutive: 3, window: 1m, share: 40%, minimum: 7, base: 2s, max: 5m}
                retry: {max: 0, budget: 100%, floor: 3}
                heartbeat: {after: 0, every: 5s}
                timeouts: {connect: 1s, firstOutput: 5m, total: 1h, clientHead: 4s, clientBody: 6s, clientIdle: 7s, slowReader: 8s, stall: 9s, upstreamIdle: 1s}
                limits: {body: 1GiB, bodyMemory: 50%, headers: 2048B, requestLine: 8KiB, connections: 5}
                drain: {lameDuck: 0s, deadline: 1m}
                routes: {allow: [/a, /b/c.d/]}
                trust: {proxies: [10.0.0.0/8, 127.0.0.1, "::1", "fd00::/8"]}
                log: {access: false}
                tracing: {endpoint: "https://otel.example.org:4318/otlp/", service: front door, sample: 0.25, headers: {Authorization: "${env:KEY}"}}
                explain: {headers: true}
                """);
        assertThat(config)
                .isEqualTo(new PenstockConfig(
                        new Endpoint("::1", 9000),
                        new PenstockConfig.Admin(new Endpoint("0.0.0.0", 9090), "0123456789abcdef"),
                        List.of(
                                replica("gpu7.example.org:443", new Endpoint("gpu7.example.org", 443), true, false),
                                new Replica(
                                        "big",
                                        new Endpoint("2001:db8::1", 8001),
                                        false,
                                        false,
                                        3,
                                        8,
                                        Set.of("a/b", "c"),
                                        "sk-1"),
                                replica("vllm", new Endpoint("vllm", 8000), false, true),
                                replica("safe", new Endpoint("vllm", 8443), true, true)),
                        new PenstockConfig.Selection(Policy.ROUND_ROBIN),
                        new PenstockConfig.Admission(0, seconds(1), Duration.ofMillis(40)),
                        new PenstockConfig.Probe(seconds(1), Duration.ofMillis(500), 1, 100, Duration.ofHours(1)),
                        new PenstockConfig.Progress(Duration.ZERO, Duration.ofMillis(100)),
                        new PenstockConfig.Ejection(3, seconds(60), 40, 7, seconds(2), seconds(300)),
                        new PenstockConfig.Retry(0, 100, 3),
                        new PenstockConfig.Heartbeat(Duration.ZERO, seconds(5)),
                        new PenstockConfig.Timeouts(
                                seconds(1),
                                seconds(300),
                                seconds(3600),
                                seconds(4),
                                seconds(6),
                                seconds(7),
                                seconds(8),
                                seconds(9),
                                seconds(1)),
                        new PenstockConfig.Limits(1L << 30, 50, 2048, 8192, 5),
                        new PenstockConfig.Drain(Duration.ZERO, seconds(60)),
                        new PenstockConfig.Routes(Set.of("/a", "/b/c.d/")),
                        new PenstockConfig.Trust(List.of("10.0.0.0/8", "127.0.0.1", "::1", "fd00::/8")),
                        new PenstockConfig.Log(false),
                        new PenstockConfig.Tracing(
                                "https://otel.example.org:4318/otlp",
                                "front door",
                                0.25,
                                Map.of("Authorization", "sk-1")),
                        new PenstockConfig.Explain(true)));
    }

    @Test
    void tracingIsOffUnlessItHasAnEndpoint() {
        assertThat(good(UPSTREAMS).tracing().off()).isTrue();
        assertThat(good(UPSTREAMS + "tracing: {endpoint: \"http://[::1]\", sample: 1.0}")
                        .tracing())
                .isEqualTo(new PenstockConfig.Tracing("http://[::1]", "penstock", 1, Map.of()));
        assertThat(problems(UPSTREAMS + "tracing: {sample: 2, endpiont: http://c}"))
                .containsExactly(
                        "tracing.endpoint: missing; want the URL of an OTLP receiver over HTTP, such as"
                                + " http://collector:4318 (line 2)",
                        "tracing.sample: want a number from 0 to 1 (such as 0.01), got 2 (line 2)",
                        "tracing.endpiont: unknown key, did you mean endpoint? (line 2)");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "collector:4318",
                "grpc://c:4317",
                "http://u:hunter2@c",
                "http://c:0",
                "http://c?x=1",
                "http:///v1"
            })
    void tracingWantsAUrlWithoutSecrets(String endpoint) {
        assertThat(problems(UPSTREAMS + "tracing: {endpoint: \"" + endpoint + "\"}"))
                .singleElement()
                .asString()
                .startsWith("tracing.endpoint: want the URL of an OTLP receiver over HTTP")
                .doesNotContain("hunter2");
    }

    @Test
    void headersOfExportsAreSecretsOfAnyText() {
        world.environment.put("TOKEN", "Bearer hunter2");
        Reading reading =
                world.read(UPSTREAMS + "tracing: {endpoint: http://c, headers: {authorization: \"${env:TOKEN}\"}}");
        PenstockConfig.Tracing tracing =
                Objects.requireNonNull(reading.config()).tracing();
        assertThat(tracing.headers()).containsExactly(Map.entry("authorization", "Bearer hunter2"));
        assertThat(tracing).hasToString("http://c with [authorization], service penstock, sample 1.0");
        assertThat(reading.warnings()).isEmpty();
        assertThat(reading.toString()).doesNotContain("hunter2");
        assertThat(problems(UPSTREAMS + "tracing: {endpoint: http://c, headers: {\"a b\": x, c: \"a\\nb\", d: [x]}}"))
                .containsExactly(
                        "tracing.headers: want names of HTTP headers, got a b (line 2)",
                        "tracing.headers.c: the key holds a character that no HTTP header can carry (line 2)",
                        "tracing.headers.d: want a reference such as ${env:NAME} or ${file:/run/secrets/NAME}"
                                + " (line 2)");
    }

    @Test
    void ejectionMayBeOff() {
        PenstockConfig.Ejection off = good(UPSTREAMS + "ejection: off").ejection();
        assertThat(off).isEqualTo(new PenstockConfig.Ejection(0, seconds(30), 0, 20, seconds(1), seconds(60)));
        assertThat(off.off()).isTrue();
        assertThat(good(UPSTREAMS + "ejection: {share: 0%}").ejection().off()).isFalse();
        assertThat(good(UPSTREAMS + "ejection: {consecutive: 0}").ejection().off())
                .isFalse();
    }

    @Test
    void selectionMayBeJustAName() {
        assertThat(good(UPSTREAMS + "selection: round_robin").selection().policy())
                .isEqualTo(Policy.ROUND_ROBIN);
        assertThat(problems(UPSTREAMS + "selection: fastest"))
                .containsExactly(
                        "selection: want one of least_in_flight, round_robin, predicted_delay, got fastest (line 2)");
    }

    @Test
    void sixteenProblemsAreToldAtOnce() {
        assertThat(problems("""
            listen: nowhere
            admin: localhost:99999
            upstreams:
              - vllm0:8000
              - {url: http://a:1, wieght: 2}
              - {dns: b}
            selection: {policy: Round_Robin}
            admission: {maxWaiting: -1}
            probe: {intreval: 2s, fall: 0, timeout: 2}
            heartbeat: {every: 0}
            limits: {body: 64MB, bodyMemory: 25, headers: 1024}
            log: {access: yes}
            prob: 1
            """))
                .containsExactly(
                        "listen: want an address to listen at (such as 0.0.0.0:8000, [::1]:8000 or :8000), got nowhere"
                                + " (line 1)",
                        "admin: want an address to listen at (such as 0.0.0.0:8000, [::1]:8000 or :8000), got"
                                + " localhost:99999 (line 2)",
                        "upstreams[0]: want a URL such as http://vllm0:8000, got vllm0:8000; write http://vllm0:8000"
                                + " (line 4)",
                        "upstreams[1].wieght: unknown key, did you mean weight? (line 5)",
                        "upstreams[2].port: missing; want a whole number from 1 to 65535 (line 6)",
                        "selection.policy: want one of least_in_flight, round_robin, predicted_delay, got Round_Robin"
                                + " (line 7)",
                        "admission.maxWaiting: want a whole number from 0 to 1000000, got -1 (line 8)",
                        "probe.timeout: want a duration from 10ms to 60s with its unit (such as 500ms, 2s, 10m or 1h),"
                                + " got 2 (line 9)",
                        "probe.fall: want a whole number from 1 to 100, got 0 (line 9)",
                        "probe.intreval: unknown key, did you mean interval? (line 9)",
                        "heartbeat.every: want a duration from 100ms to 1h with its unit (such as 500ms, 2s, 10m or"
                                + " 1h), got 0 (line 10)",
                        "limits.body: want a size from 1KiB to 1GiB with its unit B, KiB, MiB or GiB (such as 64MiB),"
                                + " got 64MB (line 11)",
                        "limits.bodyMemory: want a percentage from 1% to 80% with its sign (such as 25%), got 25 (line"
                                + " 11)",
                        "limits.headers: want a size from 1KiB to 1MiB with its unit B, KiB, MiB or GiB (such as"
                                + " 64MiB), got 1024 (line 11)",
                        "log.access: want true or false, got yes (line 12)",
                        "prob: unknown key, did you mean probe? (line 13)");
    }

    static Stream<Arguments> badFiles() {
        return Stream.of(
                arguments("", "the file is empty; want at least upstreams"),
                arguments("# upstreams:\n", "the file is empty; want at least upstreams"),
                arguments("null", "the file is empty; want at least upstreams"),
                arguments("http://a", "want keys and values (upstreams: ...), got http://a (line 1)"),
                arguments("- http://a", "want keys and values (upstreams: ...), got a list (line 1)"),
                arguments("a: b: c", "no YAML: mapping values are not allowed here (line 1, column 5)"),
                arguments("x: [1,\ny: {", "no YAML: "),
                arguments("x: {apiKey: ${env:A}}", "inside { } or [ ], put quotes around \"${...}\" (line 1"),
                arguments("a: 1\n---\nb: 2", "no YAML: "),
                arguments("a: \u0001", "no YAML: it holds the character U+0001"),
                arguments("[".repeat(100_000), "no YAML: nested too deeply"),
                arguments("x: *nobody", "no YAML: found undefined alias nobody"));
    }

    @ParameterizedTest
    @MethodSource("badFiles")
    void whatIsNoMappingIsOneProblemOfTheFile(String yaml, String problem) {
        assertThat(problems(yaml))
                .singleElement()
                .asString()
                .startsWith("/etc/penstock/penstock.yaml: ")
                .contains(problem);
    }

    @Test
    void pastedNonsenseIsShownShortAndOnOneLine() {
        String problem =
                problems(UPSTREAMS + "listen: \"a\\nb" + "x".repeat(500) + "\"").get(0);
        assertThat(problem).contains("got a?bxxx").hasSizeLessThan(250).doesNotContain("\n");
        assertThat(problems(UPSTREAMS + "\"k\\ny" + "x".repeat(500) + "\": 1").get(0))
                .startsWith("k?yxxx")
                .doesNotContain("\n");
    }

    @Test
    void aByteOrderMarkIsSkippedAndOtherEncodingsAreRefused() {
        assertThat(good("\uFEFF" + UPSTREAMS).upstreams()).hasSize(2);
        byte[] latin = "upstreams: [http://\u00e4]".getBytes(StandardCharsets.ISO_8859_1);
        assertThat(texts(world.read(latin, Overrides.NONE)))
                .containsExactly(FakeSurroundings.FILE + ": want text in UTF-8");
    }

    @Test
    void endlessAliasesAreRefused() {
        StringBuilder bomb = new StringBuilder("a0: &a0 [x]\n");
        for (int i = 1; i < 80; i++) {
            bomb.append("a" + i + ": &a" + i + " [*a" + (i - 1) + ", *a" + (i - 1) + "]\n");
        }
        assertThat(problems(bomb.toString())).first().asString().contains("aliases");
        assertThat(problems("upstreams: &loop [*loop]")).isNotEmpty();
    }

    @Test
    void aFileThatCannotBeReadIsAProblem() {
        ConfigFile file = new ConfigFile(FakeSurroundings.FILE, Overrides.NONE, world.see());
        String name = FakeSurroundings.FILE + ": ";
        assertThat(texts(file.read())).containsExactly(name + "there is no such file");
        world.faults.put(FakeSurroundings.FILE, new AccessDeniedException("x"));
        assertThat(texts(file.read())).containsExactly(name + "it may not be read (permission denied)");
        world.faults.put(FakeSurroundings.FILE, new IOException());
        assertThat(texts(file.read())).containsExactly(name + "IOException");
        world.faults.clear();
        world.files.put(FakeSurroundings.FILE, new byte[(1 << 20) + 1]);
        assertThat(texts(file.read())).containsExactly(name + "it is longer than 1MiB");
    }

    @Test
    void realFilesAreReadAndDirectoriesAreNot(@TempDir Path folder) throws IOException {
        Path file = Files.writeString(folder.resolve("penstock.yaml"), UPSTREAMS);
        assertThat(new ConfigFile(file, Overrides.NONE, Surroundings.REAL)
                        .read()
                        .problems())
                .isEmpty();
        assertThat(texts(new ConfigFile(folder, Overrides.NONE, Surroundings.REAL).read()))
                .containsExactly(folder + ": it is a directory");
        assertThat(texts(new ConfigFile(Path.of("/dev/null"), Overrides.NONE, Surroundings.REAL).read()))
                .containsExactly("/dev/null: it is not a regular file");
        assertThat(texts(new ConfigFile(folder.resolve("x"), Overrides.NONE, Surroundings.REAL).read()))
                .containsExactly(folder.resolve("x") + ": there is no such file");
    }

    @Test
    void theCommandLineStandsInPlaceOfTheFile() {
        Overrides typed = new Overrides("127.0.0.1:1", "127.0.0.1:2", List.of("http://a", "https://b"));
        PenstockConfig config = config(world.read("listen: :7\nprobe: {fall: 9}", typed));
        assertThat(config.listen()).isEqualTo(new Endpoint("127.0.0.1", 1));
        assertThat(config.admin()).isEqualTo(new PenstockConfig.Admin(new Endpoint("127.0.0.1", 2), null));
        assertThat(config.upstreams()).extracting(Replica::name).containsExactly("a:80", "b:443");
        assertThat(config.probe().fall()).isEqualTo(9);
        assertThat(world.read(UPSTREAMS, typed).settings())
                .contains(new Setting(
                        "listen", "address", "HOST:PORT, [IPV6]:PORT or :PORT", "0.0.0.0:8000", "127.0.0.1:1"));
    }

    @Test
    void theCommandLineIsCheckedByTheSameRules() {
        Overrides typed = new Overrides("x", "0.0.0.0:8000", List.of("a", "http://b", "http://b:80"));
        assertThat(texts(world.read(UPSTREAMS, typed)))
                .containsExactly(
                        "--listen: want an address to listen at (such as 0.0.0.0:8000, [::1]:8000 or :8000), got x",
                        "--admin: want another port than listen (0.0.0.0:8000), got 0.0.0.0:8000",
                        "--upstream: want a URL such as http://vllm0:8000, got a; write http://a",
                        "--upstream: the same address as --upstream: b:80");
    }

    @Test
    void theCommandLineAloneNeedsNoFile(@TempDir Path folder) {
        Overrides typed = new Overrides(null, null, List.of("http://a"));
        ConfigFile none = new ConfigFile(null, typed, world.see());
        assertThat(config(none.read()).upstreams()).containsExactly(plain("a", 80));
        assertThat(none.source()).isEqualTo("command line");
        assertThat(none.canChange()).isFalse();
        assertThat(texts(new ConfigFile(null, Overrides.NONE, world.see()).read()))
                .containsExactly("upstreams: missing; want a list of replicas, a URL such as http://vllm0:8000 each");
        Path named = folder.resolve("x.yaml");
        assertThat(ConfigFile.choose(named, typed).source()).isEqualTo(named.toString());
        assertThat(ConfigFile.choose(null, Overrides.NONE).source()).isEqualTo("conf/penstock.yaml");
        assertThat(ConfigFile.choose(null, typed).source()).isEqualTo("conf/penstock.yaml"); // the shipped one exists
    }

    @Test
    void aFileMountedByItselfIsWarnedAbout() {
        world.file(
                "/proc/self/mountinfo", "1 2 8:1 /x / rw\n36 35 98:0 /a /etc/penstock rw - ext4 /dev/root rw\nodd\n");
        assertThat(world.read(UPSTREAMS).warnings()).isEmpty();
        world.file("/proc/self/mountinfo", "36 35 98:0 /a /etc/penstock/penstock.yaml rw - ext4 /dev/root rw\n");
        assertThat(world.read(UPSTREAMS).warnings())
                .containsExactly(FakeSurroundings.FILE
                        + ": this file is mounted by itself, so edits that replace it will never be seen;"
                        + " mount its directory instead");
        world.file("/proc/self/mountinfo", "36 35 98:0 /a /a\\040b/c rw - ext4 /dev/root rw\n");
        assertThat(MountPoints.contain(Path.of("/a b/c"), world.see())).isTrue();
    }

    @Test
    void aTargetThatNobodyLooksAtIsWarnedAbout() {
        String target = UPSTREAMS + "admission: {targetInterToken: 40ms}\n";
        assertThat(world.read(target + "selection: predicted_delay").warnings()).isEmpty();
        assertThat(world.read(target + "selection: least_in_flight").warnings())
                .containsExactly("admission.targetInterToken: nobody is refused for it under least_in_flight: only"
                        + " selection: predicted_delay learns how fast replicas make tokens");
    }

    @Test
    void riskyValuesAreWarnedAbout() {
        assertThat(world.read(UPSTREAMS + "timeouts: {upstreamIdle: 5s}\ntrust: {proxies: [0.0.0.0/0]}")
                        .warnings())
                .containsExactly(
                        "timeouts.upstreamIdle: vLLM closes idle connections after 5s, so requests will meet closed"
                                + " ones; 3s is safe",
                        "trust.proxies: 0.0.0.0/0 believes the forwarding headers of everyone");
    }

    @Test
    void theHashTellsContentsApart() {
        Reading one = world.read(UPSTREAMS);
        assertThat(world.read(UPSTREAMS).hash()).isEqualTo(one.hash()).hasSize(16);
        assertThat(world.read(UPSTREAMS + "# more").hash()).isNotEqualTo(one.hash());
    }

    private PenstockConfig good(String yaml) {
        return config(world.read(yaml));
    }

    private static PenstockConfig config(Reading reading) {
        assertThat(reading.problems()).isEmpty();
        return Objects.requireNonNull(reading.config());
    }

    private List<String> problems(String yaml) {
        return texts(world.read(yaml));
    }

    private static List<String> texts(Reading reading) {
        return reading.problems().stream().map(Problem::toString).toList();
    }

    private static Replica plain(String host, int port) {
        return replica(host + ":" + port, new Endpoint(host, port), false, false);
    }

    private static Replica replica(String name, Endpoint endpoint, boolean tls, boolean everyAddress) {
        return new Replica(name, endpoint, tls, everyAddress, 1, 0, Set.of(), null);
    }

    private static Duration seconds(int seconds) {
        return Duration.ofSeconds(seconds);
    }
}
