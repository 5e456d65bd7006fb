package io.penstock.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Each rule of the file, broken once. */
class FileLayoutTest {

    private static final String UPSTREAMS = "upstreams: [http://vllm0:8000, http://vllm1:8000]\n";

    private final FakeSurroundings world = new FakeSurroundings();

    static Stream<Arguments> badKeys() {
        String list = "want a list of replicas, a URL such as http://vllm0:8000 each";
        String url = "want a URL such as http://vllm0:8000";
        String hostPort = "want HOST:PORT after the scheme, with IPv6 in brackets and a port from 1 to 65535, got ";
        String block = "want an IP address or a CIDR block (such as 10.0.0.0/8 or fd00::/8)";
        return Stream.of(
                arguments("log: {access: true}", "upstreams: missing; " + list),
                arguments("upstreams:", "upstreams: " + list + ", got nothing (line 1)"),
                arguments("upstreams: []", "upstreams: want 1 to 1000 replicas, got 0 (line 1)"),
                arguments("upstreams: http://a", "upstreams: " + list + ", got http://a (line 1)"),
                arguments("upstreams: {a: b}", "upstreams: " + list + ", got a mapping (line 1)"),
                arguments(
                        "upstreams: [[]]",
                        "upstreams[0]: " + url + ", or a mapping with url or dns, got a list (line 1)"),
                arguments(
                        "upstreams: [~]",
                        "upstreams[0]: " + url + ", or a mapping with url or dns, got nothing (line 1)"),
                arguments("upstreams: ['']", "upstreams[0]: " + url + ", got an empty text (line 1)"),
                arguments("upstreams: [ftp://a]", "upstreams[0]: " + url + ", got ftp://a (line 1)"),
                arguments(
                        "upstreams: ['http://me:pass/w@a']",
                        "upstreams[0]: a URL holds no user or password here; put the replica's key into apiKey"
                                + " (http://***@a) (line 1)"),
                arguments(
                        "upstreams: ['http://me:pw@a']",
                        "upstreams[0]: a URL holds no user or password here; put the replica's key into apiKey"
                                + " (http://***@a) (line 1)"),
                arguments(
                        "upstreams: [http://a:1/v1]",
                        "upstreams[0]: a URL holds no path here, since each request brings its own; end it after the"
                                + " port (http://a:1/v1) (line 1)"),
                arguments(
                        "upstreams: ['http://a?key=sk']",
                        "upstreams[0]: a URL holds no query here, since each request brings its own; end it after the"
                                + " port (http://a?***) (line 1)"),
                arguments(
                        "upstreams: ['http://a#b']",
                        "upstreams[0]: a URL holds no fragment (#...) here; end it after the port (http://a?***) (line"
                                + " 1)"),
                arguments("upstreams: ['http://']", "upstreams[0]: " + hostPort + "http:// (line 1)"),
                arguments("upstreams: ['http://a:0']", "upstreams[0]: " + hostPort + "http://a:0 (line 1)"),
                arguments("upstreams: ['http://a:65536']", "upstreams[0]: " + hostPort + "http://a:65536 (line 1)"),
                arguments("upstreams: ['http://a:08']", "upstreams[0]: " + hostPort + "http://a:08 (line 1)"),
                arguments("upstreams: ['http://::1']", "upstreams[0]: " + hostPort + "http://::1 (line 1)"),
                arguments("upstreams: ['http://[::1']", "upstreams[0]: " + hostPort + "http://[::1 (line 1)"),
                arguments("upstreams: ['http://[a]']", "upstreams[0]: " + hostPort + "http://[a] (line 1)"),
                arguments("upstreams: ['http://[]']", "upstreams[0]: " + hostPort + "http://[] (line 1)"),
                arguments("upstreams: ['http://[::1]x']", "upstreams[0]: " + hostPort + "http://[::1]x (line 1)"),
                arguments(
                        "upstreams: ['http://[::g]']",
                        "upstreams[0]: ::g is not an IPv6 address (http://[::g]) (line 1)"),
                arguments(
                        "upstreams: ['http://[fe80::1%eth0]']",
                        "upstreams[0]: fe80::1%eth0 is not an IPv6 address (http://[fe80::1%eth0]) (line 1)"),
                arguments(
                        "upstreams: [http://10.0.0.256]",
                        "upstreams[0]: 10.0.0.256 is not an IPv4 address (http://10.0.0.256) (line 1)"),
                arguments("upstreams: [http://-a]", "upstreams[0]: -a is not a host name (http://-a) (line 1)"),
                arguments("upstreams: [http://a..b]", "upstreams[0]: a..b is not a host name (http://a..b) (line 1)"),
                arguments("upstreams: [http://ä]", "upstreams[0]: ä is not a host name (http://ä) (line 1)"),
                arguments(
                        "upstreams: [http://a, 'HTTP://A:80/']",
                        "upstreams[1]: the same address as upstreams[0]: a:80 (line 1)"),
                arguments("upstreams: [{name: a}]", "upstreams[0]: want either url or dns (line 1)"),
                arguments(
                        "upstreams: [{url: http://a, dns: a}]",
                        "upstreams[0]: want either url or dns, got both (line 1)"),
                arguments(
                        "upstreams: [{url: http://a, port: 1}]",
                        "upstreams[0].port: belongs to dns; here it is a part of url (line 1)"),
                arguments("upstreams: [{url: [a]}]", "upstreams[0].url: " + url + ", got a list (line 1)"),
                arguments(
                        "upstreams: [{dns: 'a:1', port: 1}]",
                        "upstreams[0].dns: want a host name such as vllm, got a:1 (line 1)"),
                arguments(
                        "upstreams: [{dns: {}, port: 1}]",
                        "upstreams[0].dns: want a host name such as vllm, got a mapping (line 1)"),
                arguments(
                        "upstreams: [{dns: a, port: 0}]",
                        "upstreams[0].port: want a whole number from 1 to 65535, got 0 (line 1)"),
                arguments(
                        "upstreams: [{url: http://a, name: a b}]",
                        "upstreams[0].name: want a name of up to 100 letters, digits or . _ : -, got a b (line 1)"),
                arguments(
                        "upstreams: [{url: http://a, models: ['']}]",
                        "upstreams[0].models[0]: want a model's name of 1 to 256 characters, got an empty text (line"
                                + " 1)"),
                arguments(
                        "upstreams: [{url: http://a, models: m}]",
                        "upstreams[0].models: want a list, a model's name of 1 to 256 characters each, got m (line 1)"),
                arguments(
                        "upstreams: [{dns: a, port: 1}, {dns: a, port: 2}]",
                        "upstreams[1]: the same name as upstreams[0]: a; give it another name (line 1)"),
                arguments(UPSTREAMS + "probe:", "probe: want a mapping (key: value), got nothing (line 2)"),
                arguments(UPSTREAMS + "probe: 5s", "probe: want a mapping (key: value), got 5s (line 2)"),
                arguments(
                        UPSTREAMS + "probe: !!set {fall}",
                        "probe: want a mapping (key: value), got a mapping (line 2)"),
                arguments(
                        UPSTREAMS + "probe: {fall: !x 3}",
                        "probe.fall: want a whole number from 1 to 100, got the tag !x (line 2)"),
                arguments(
                        UPSTREAMS + "probe: {fall: 03}",
                        "probe.fall: want a whole number from 1 to 100, got 03 (line 2)"),
                arguments(
                        UPSTREAMS + "probe: {fall: 5}\nprobe: {fall: 6}",
                        "probe: duplicate key, first seen on line 2 (line 3)"),
                arguments(
                        UPSTREAMS + "progress: {suspect: 50ms}",
                        "progress.suspect: want 0 for no limit, or a duration from 100ms to 1h with its unit (such as"
                                + " 500ms, 2s, 10m or 1h), got 50ms (line 2)"),
                arguments(UPSTREAMS + "probe: {[a]: 1}", "probe: want keys that are names, got a list (line 2)"),
                arguments(UPSTREAMS + "{}: 1", "file: want keys that are names, got a mapping (line 2)"),
                arguments(UPSTREAMS + "explain: {headers: 1}", "explain.headers: want true or false, got 1 (line 2)"),
                arguments(UPSTREAMS + "log: {color: 1}", "log.color: unknown key; known here: access (line 2)"),
                arguments(
                        UPSTREAMS + "routes: {allow: [/a*]}",
                        "routes.allow[0]: want an exact absolute path such as /tokenize, without query, escapes,"
                                + " wildcards, // and .., got /a* (line 2)"),
                arguments(UPSTREAMS + "routes: {allow: [/a, /a]}", "routes.allow[1]: stands there twice: /a (line 2)"),
                arguments(
                        UPSTREAMS + "trust: {proxies: [10.0.0.0/33]}",
                        "trust.proxies[0]: " + block + ", got 10.0.0.0/33 (line 2)"),
                arguments(
                        UPSTREAMS + "trust: {proxies: [proxy]}", "trust.proxies[0]: " + block + ", got proxy (line 2)"),
                arguments(UPSTREAMS + "trust: {proxies: [a/8]}", "trust.proxies[0]: " + block + ", got a/8 (line 2)"),
                arguments(
                        UPSTREAMS + "trust: {proxies: [\"::/129\"]}",
                        "trust.proxies[0]: " + block + ", got ::/129 (line 2)"),
                arguments(
                        UPSTREAMS + "timeouts: {total: 10s, firstOutput: 20s}",
                        "timeouts.firstOutput: want no more than timeouts.total (10s), got 20s (line 2)"),
                arguments(
                        UPSTREAMS + "ejection: {base: 2m}",
                        "ejection.base: want no more than ejection.max (60s), got 120s (line 2)"),
                arguments(
                        UPSTREAMS + "ejection: on",
                        "ejection: want a mapping (key: value) or the word off, got on (line 2)"),
                arguments(UPSTREAMS + "ejection: []", "ejection: want a mapping (key: value), got a list (line 2)"),
                arguments(
                        UPSTREAMS + "admin: :8000",
                        "admin: want another port than listen (0.0.0.0:8000), got 0.0.0.0:8000 (line 2)"),
                arguments(
                        UPSTREAMS + "admin: {listen: \":8000\"}",
                        "admin: want another port than listen (0.0.0.0:8000), got 0.0.0.0:8000 (line 2)"),
                arguments(
                        UPSTREAMS + "admin: {key: tooshort}",
                        "admin.key: want a key of at least 16 characters (line 2)"),
                arguments(UPSTREAMS + "admin: []", "admin: want a mapping (key: value), got a list (line 2)"),
                arguments(UPSTREAMS + "admin: {port: 1}", "admin.port: unknown key; known here: listen, key (line 2)"),
                arguments(
                        UPSTREAMS + "limits: {connections: 99999999999999999999}",
                        "limits.connections: want a whole number from 1 to 1000000, got 99999999999999999999 (line 2)"),
                arguments(
                        UPSTREAMS + "drain: {deadline: 99999999999h}",
                        "drain.deadline: want a duration from 0 to 24h with its unit (such as 500ms, 2s, 10m or 1h),"
                                + " got 99999999999h (line 2)"),
                arguments(
                        UPSTREAMS + "listen: \"${env:LISTEN}\"",
                        "listen: want an address to listen at (such as 0.0.0.0:8000, [::1]:8000 or :8000), got a"
                                + " reference: only keys and tracing.headers may hold one (line 2)"));
    }

    @ParameterizedTest
    @MethodSource("badKeys")
    void everyRuleHasItsWords(String yaml, String problem) {
        assertThat(problems(yaml)).containsExactly(problem);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/a//b", "/../a", "/a/..", "/./a", "a", "", "/a?b", "/a%20", "/ a", "//"})
    void pathsThatAreNotExactAreRefused(String path) {
        assertThat(problems(UPSTREAMS + "routes: {allow: ['" + path + "']}")).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "/a/..b", "/.well-known/x", "/v1/a-b_c~d"})
    void exactPathsAreTaken(String path) {
        assertThat(good(UPSTREAMS + "routes: {allow: ['" + path + "']}")
                        .routes()
                        .allow())
                .containsExactly(path);
    }

    private PenstockConfig good(String yaml) {
        Reading reading = world.read(yaml);
        assertThat(reading.problems()).isEmpty();
        return Objects.requireNonNull(reading.config());
    }

    private List<String> problems(String yaml) {
        return world.read(yaml).problems().stream().map(Problem::toString).toList();
    }
}
