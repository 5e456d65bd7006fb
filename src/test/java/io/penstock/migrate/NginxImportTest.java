package io.penstock.migrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.config.ConfigFile;
import io.penstock.config.Endpoint;
import io.penstock.config.Overrides;
import io.penstock.config.PenstockConfig;
import io.penstock.config.PenstockConfig.Policy;
import io.penstock.config.Reading;
import io.penstock.config.Replica;
import io.penstock.config.Surroundings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NginxImportTest {

    private static final Path EXAMPLES = Path.of("src/test/resources/nginx");

    @TempDir
    private Path folder;

    @Test
    void theGuidesFileBecomesTheSameInPenstock() throws Exception {
        Translation translation = example("guide");
        PenstockConfig config = config(translation);

        assertThat(translation.lost()).isEmpty();
        assertThat(config.listen()).isEqualTo(new Endpoint("0.0.0.0", 80));
        assertThat(config.selection().policy()).isEqualTo(Policy.LEAST_IN_FLIGHT);
        assertThat(config.upstreams()).extracting(Replica::name).containsExactly("vllm0:8000", "vllm1:8000");
        assertThat(config.limits()).isEqualTo(PenstockConfig.Limits.DEFAULT);
        assertThat(translation.yaml())
                .contains("# nginx: listen 80 (line 7). In a container: publish this port, as in -p 8000:80.")
                .contains("max_fails=3, fail_timeout=10000s (lines 3, 4): replicas are probed every 2s")
                .contains("proxy_set_header X-Forwarded-Proto (line 13)")
                .contains("64MiB (limits.body)")
                .doesNotContain("NOT CARRIED OVER");
    }

    @Test
    void theMigrationPageShowsTheGuidesFileAndWhatReallyComesOfIt() throws Exception {
        String guide = Files.readString(EXAMPLES.resolve("guide.conf"));

        assertThat(Files.readString(Path.of("docs/migrating-from-nginx.md")))
                .contains("```\n" + guide + "```")
                .contains("```yaml\n"
                        + NginxImport.translate(guide, "nginx_conf/nginx.conf").yaml() + "```");
    }

    @Test
    void aWholeFileIsReadWithItsBlocksCommentsAndQuotes() throws Exception {
        Translation translation = example("whole");
        PenstockConfig config = config(translation);

        assertThat(translation.lost()).isEmpty();
        assertThat(config.listen()).isEqualTo(new Endpoint("::", 8000));
        assertThat(config.upstreams()).extracting(Replica::name).containsExactly("10.0.0.7:8000", "[fd00::8]:8000");
        assertThat(config.upstreams().get(0).weight()).isEqualTo(3);
        assertThat(config.upstreams().get(0).maxInFlight()).isEqualTo(64);
        assertThat(config.selection().policy()).isEqualTo(Policy.ROUND_ROBIN);
        assertThat(config.limits().bodyBytes()).isEqualTo(20L << 20);
        assertThat(config.timeouts().clientBody()).isEqualTo(Duration.ofMinutes(2));
        assertThat(config.timeouts().clientIdle()).isEqualTo(Duration.ofSeconds(65));
        assertThat(config.log().access()).isFalse();
        assertThat(translation.yaml())
                .contains("\n#  - http://vllm2:8000   # line 27: down in nginx: take the # away when it is back\n")
                .contains("Not used: upstream other (line 20) with 10.0.0.9:8000.");
    }

    @Test
    void whatCannotBeCarriedOverIsSaidPlainlyAndTheRestIsKept() throws Exception {
        Translation translation = example("hard");
        PenstockConfig config = config(translation);

        assertThat(config.upstreams()).extracting(Replica::name).containsExactly("vllm0:80", "vllm2:8000");
        assertThat(config.upstreams()).allMatch(Replica::tls);
        assertThat(config.listen()).isEqualTo(new Endpoint("0.0.0.0", 8090));
        assertThat(config.limits().bodyBytes()).isEqualTo(1L << 30);
        assertThat(String.join("\n", translation.lost()))
                .contains("unix:/run/vllm.sock (line 5): replicas are reached by TCP")
                .contains("ip_hash (line 4): no equivalent")
                .contains("server vllm1:8000 backup (line 7): no equivalent")
                .contains("location /slow/ with proxy_pass http://slow/ (line 19)")
                .contains("listen 443 ssl (line 12), ssl_certificate /etc/cert.pem (line 15): TLS")
                .contains("mystery_directive (line 26): not known")
                .contains("include conf.d/*.conf (line 2): included files are not followed")
                .contains("another server (line 29)");
        assertThat(translation.yaml()).contains("The certificates of https replicas are verified");
    }

    @Test
    void noSecretIsRepeated() throws Exception {
        Translation translation = example("hard");

        assertThat(translation.yaml() + translation.lost())
                .contains("proxy_set_header Authorization", "apiKey: ${env:VLLM_API_KEY}")
                .doesNotContain("sk-very-secret", "sk-hidden", "nginx-secret", "blue");
    }

    @Test
    void aLineThatIsCommentedOutFitsWhenItsSignIsTakenAway() throws Exception {
        Translation translation = upstream("server a:1 weight=2; server b:2 down weight=3; server c:3 backup;");
        String uncommented = translation.yaml().replace("#  - ", "  - ").replace("#    weight", "    weight");

        assertThat(config(new Translation(uncommented, List.of())).upstreams())
                .extracting(each -> each.name() + "*" + each.weight())
                .containsExactly("a:1*2", "b:2*3", "c:3*1");
    }

    /** What stands in the upstream, the weights that come of it, and whether something is lost. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "server a weight=1; server b weight=5;      | 1,5     | false",
                "server a weight=200; server b weight=400;  | 1,2     | false",
                "server a weight=1; server b weight=301;    | 1,100   | true",
                "server a; server b; server A:80 weight=2;  | 3,1     | false",
                "server a weight=100; server a weight=50; server b weight=50;| 3,1 | false",
            })
    void weightsKeepTheirProportion(String servers, String weights, boolean lost) throws Exception {
        Translation translation = upstream(servers);

        assertThat(config(translation).upstreams())
                .extracting(each -> String.valueOf(each.weight()))
                .containsExactly(weights.split(","));
        assertThat(!translation.lost().isEmpty()).isEqualTo(lost);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "                       | ROUND_ROBIN     | false",
                "least_conn;            | LEAST_IN_FLIGHT | false",
                "random two least_conn; | LEAST_IN_FLIGHT | false",
                "ip_hash;               | LEAST_IN_FLIGHT | true",
                "hash $request_uri;     | LEAST_IN_FLIGHT | true",
                "least_time header;     | LEAST_IN_FLIGHT | true",
            })
    void theBalancingMethodIsCarriedOver(String method, Policy policy, boolean lost) throws Exception {
        Translation translation = upstream((method == null ? "" : method) + "server a:1;");

        assertThat(config(translation).selection().policy()).isEqualTo(policy);
        assertThat(!translation.lost().isEmpty()).isEqualTo(lost);
    }

    @Test
    void aNameThatIsResolvedAsItChangesMeansEveryAddress() throws Exception {
        Translation translation =
                upstream("zone v 64k; resolver 127.0.0.11; server vllm:8000 resolve; server 10.0.0.1:8000 resolve;");
        PenstockConfig config = config(translation);

        assertThat(translation.lost()).isEmpty();
        assertThat(config.upstreams()).extracting(Replica::everyAddress).containsExactly(true, false);
        assertThat(translation.yaml())
                .contains("  - dns: vllm\n    port: 8000\n")
                .doesNotContain("A URL is one replica");
    }

    @Test
    void aNameBehindHttpsKeepsItsSchemeWhenEveryAddressCounts() throws Exception {
        Translation translation = NginxImport.translate(
                "upstream u { server vllm:8443 resolve max_conns=8; } server { location / { proxy_pass https://u; } }",
                "x");

        assertThat(config(translation).upstreams().get(0))
                .matches(each -> each.tls() && each.everyAddress() && each.maxInFlight() == 8);
    }

    @Test
    void theSameAddressTwiceHasBothLimits() throws Exception {
        assertThat(config(upstream("server a max_conns=4; server a max_conns=5;"))
                        .upstreams()
                        .get(0)
                        .maxInFlight())
                .isEqualTo(9);
        assertThat(config(upstream("server a max_conns=4; server a resolve;"))
                        .upstreams()
                        .get(0))
                .matches(each -> each.maxInFlight() == 0 && each.everyAddress());
    }

    /** Directives of a server, and the address that comes of them; a trailing ! where something is lost. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "                                            | 0.0.0.0:80",
                "listen 8080 default_server reuseport;       | 0.0.0.0:8080",
                "listen *:8080;                              | 0.0.0.0:8080",
                "listen 127.0.0.1:8080;                      | 127.0.0.1:8080",
                "listen localhost;                           | localhost:80",
                "listen [::1]:81;                            | [::1]:81",
                "listen 80; listen [::]:80;                  | [::]:80",
                "listen [::]:80; listen *:80;                | [::]:80",
                "listen 80; listen 81;                       | 0.0.0.0:80!",
                "listen 80; listen [::]:81;                  | 0.0.0.0:80!",
                "listen unix:/run/x; listen 81;              | 0.0.0.0:81!",
                "listen 443 ssl;                             | 0.0.0.0:8000!",
                "listen 443 quic; listen 82;                 | 0.0.0.0:82!",
                "listen 8000-8010;                           | 0.0.0.0:8000!",
                "listen 99999;                               | 0.0.0.0:8000!",
                "listen 80 proxy_protocol;                   | 0.0.0.0:80!",
                "listen 8090;                                | 0.0.0.0:8090",
            })
    void theListenLinesBecomeOneAddress(String lines, String expected) throws Exception {
        Translation translation = server((lines == null ? "" : lines) + "location / { proxy_pass http://u; }");

        assertThat(config(translation).listen() + (translation.lost().isEmpty() ? "" : "!"))
                .isEqualTo(expected);
    }

    /** A location, and whether clients' paths stay as they are. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "location / { proxy_pass http://u; }                     | true",
                "location / { proxy_pass http://u/; }                    | true",
                "location /v1/ { proxy_pass http://u; }                  | true",
                "location /v1/ { proxy_pass http://u/v1/; }              | true",
                "location ^~ /v1 { proxy_pass http://u; }                | true",
                "location ~ ^/v1/ { proxy_pass http://u; }               | true",
                "location ~* \\.json$ { proxy_pass http://u; }           | false",
                "location /v1/ { proxy_pass http://u/; }                 | false",
                "location /llm/ { proxy_pass http://u/; }                | false",
                "location /llm/ { proxy_pass http://u; }                 | false",
                "location / { proxy_pass http://u/llm/; }                | false",
                "location / { location /v1/ { proxy_pass http://u; } }   | true",
                "location / { proxy_pass http://u; } location /v1/ { proxy_pass http://u; }  | true",
                "location / { proxy_pass http://u; } location /a/ { proxy_pass http://u/; }  | false",
                "location / { proxy_pass http://u; } location /a/ { proxy_pass http://$x; }  | false",
                "location / { proxy_pass http://u; } location /docs { root /x; }             | false",
            })
    void pathsAreNotRewritten(String location, boolean equivalent) throws Exception {
        Translation translation = server(location);

        assertThat(config(translation).upstreams()).hasSize(1);
        assertThat(translation.lost().isEmpty()).as(translation.yaml()).isEqualTo(equivalent);
    }

    @Test
    void theDefaultServersLocationWins() throws Exception {
        Translation translation = NginxImport.translate("""
                server { listen 1; location / { proxy_pass http://10.0.0.1:81; } }
                server { listen 2 default_server; location / { proxy_pass http://10.0.0.2; } }
                server { listen 3 default_server; location /v1/ { proxy_pass http://10.0.0.3; } }
                """, "x");

        assertThat(config(translation).upstreams()).extracting(Replica::name).containsExactly("10.0.0.2:80");
        assertThat(translation.lost()).hasSize(1).first().asString().contains("another server (lines 1, 3)");
    }

    @ParameterizedTest
    @CsvSource({
        "https://vllm, vllm:443",
        "http://vllm, vllm:80",
        "HTTP://vllm:8000/, vllm:8000",
        "http://[::1], [::1]:80"
    })
    void aHostInTheProxyPassIsAReplica(String pass, String name) throws Exception {
        Translation translation = NginxImport.translate("server{location /{proxy_pass " + pass + ";}}", "x");

        assertThat(translation.lost()).isEmpty();
        assertThat(config(translation).upstreams()).extracting(Replica::name).containsExactly(name);
    }

    @Test
    void anUpstreamThatNobodyPassesToIsTakenWithAWord() throws Exception {
        Translation alone = NginxImport.translate("upstream u { server a:1; }", "x");
        Translation variable = NginxImport.translate(
                "upstream u { server a:1; } server { set $b http://u; location / { proxy_pass $b; } }", "x");

        assertThat(config(alone).listen()).isEqualTo(PenstockConfig.DEFAULT_LISTEN);
        assertThat(alone.lost()).singleElement().asString().startsWith("upstream u (line 1): no location passes to it");
        assertThat(config(variable).upstreams()).hasSize(1);
        assertThat(String.join("\n", variable.lost()))
                .contains("proxy_pass $b (line 1): where it leads cannot be told");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "proxy_read_timeout 600s;",
                "proxy_send_timeout 600s;",
                "proxy_buffering off;",
                "proxy_request_buffering off;",
                "proxy_cache off;",
                "proxy_http_version 1.1;",
                "proxy_set_header Connection \"\";",
                "proxy_set_header Upgrade $http_upgrade;",
                "proxy_set_header Host ${host};",
                "proxy_set_header X-Forwarded-Host $host;",
                "proxy_next_upstream error timeout;",
                "proxy_connect_timeout 5s;",
                "chunked_transfer_encoding off;",
                "gzip off;",
                "include /etc/nginx/mime.types;",
                "error_log /dev/null;",
                "keepalive_timeout 0;",
            })
    void whatPenstockDoesAnywayIsNamedAndNotMissed(String directive) throws Exception {
        Translation translation = server("location / { proxy_pass http://u; " + directive + " }");

        assertThat(translation.lost()).isEmpty();
        assertThat(config(translation).limits()).isEqualTo(PenstockConfig.Limits.DEFAULT);
        assertThat(translation.yaml().substring(translation.yaml().indexOf("No longer needed:")))
                .contains(nameOf(directive));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "proxy_next_upstream off;",
                "proxy_set_header Host example.org;",
                "proxy_set_header X-Real-IP $http_x_real_ip;",
                "proxy_set_header Authorization \"Bearer x\";",
                "add_header Access-Control-Allow-Origin *;",
                "auth_basic on;",
                "deny all;",
                "limit_req zone=z;",
                "rewrite ^/a /b;",
                "if ($x) { return 403; }",
                "include more.conf;",
                "set_real_ip_from 10.0.0.0/8;",
                "http2 on;",
                "client_max_body_size 2g;",
                "client_max_body_size 10;",
                "client_body_timeout 2h;",
                "unheard_of;",
            })
    void whatIsLostIsNamedWithItsLine(String directive) throws Exception {
        Translation translation = server("location / { proxy_pass http://u;\n" + directive + " }");

        assertThat(translation.lost())
                .singleElement()
                .asString()
                .startsWith(nameOf(directive))
                .contains("(line 2)");
        assertThat(translation.yaml().replace("\n#     ", " "))
                .contains("#   - " + translation.lost().get(0));
        assertThat(config(translation).upstreams()).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "server slow:1 slow_start=30s;",
                "server a:1 route=x;",
                "server b:70000;",
                "server -x-:80;",
                "server 'e\n  - http://evil';"
            })
    void aServerOrAParameterWithoutEquivalentIsNamed(String server) throws Exception {
        Translation translation = upstream("server good:1; " + server);

        assertThat(translation.lost()).singleElement().asString().contains("(line 1)");
        assertThat(config(translation).upstreams())
                .hasSizeLessThan(3)
                .noneMatch(each -> each.name().contains("evil"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "events { }                                                     | no upstream and no proxy_pass found",
                "http { include conf.d/*; }                                     | included files are not followed",
                "stream { upstream u { server a:1; } }                          | no upstream and no proxy_pass found",
                "upstream u { }                                                 | line 1: no server in upstream u",
                "upstream u { server a down; }                                  | line 1: no server in upstream u",
                "upstream u { server unix:/x; }                                 | replicas are reached by TCP",
                "upstream u { server; }                                         | line 1: server without an address",
                "upstream u { server a weight=x; }                              | line 1: want a number in weight=x",
                "upstream u { server a weight=0; }                              | line 1: weight=0",
                "server { location / { proxy_pass http://$x; } }                | line 1: where proxy_pass http://$x leads",
                "server { location / { proxy_pass http://a b; proxy_pass; } } x | line 1: the file ends",
                "server { location / { proxy_pass http://u:p@a; } }             | no replica that can be used",
                "upstream u { server a; } server { client_max_body_size x; location / { proxy_pass http://u; } } | no size",
                "upstream u { server a; } server { client_body_timeout x; location / { proxy_pass http://u; } }  | no time",
            })
    void outOfNothingNothingIsMade(String text, String message) {
        assertThatThrownBy(() -> NginxImport.translate(text, "x"))
                .isInstanceOf(UnusableFile.class)
                .hasMessageContaining(message);
    }

    @Test
    void everyCommentIsPrintableAndNotEndless() throws Exception {
        Translation translation = NginxImport.translate(
                "user \"\u0007\u0085\u2028x\n" + "y".repeat(500)
                        + "\"; server { server_name http://me:secret@x; location / { proxy_pass http://a; } }",
                "evil\nupstreams: 1");

        assertThat(config(translation).upstreams()).hasSize(1);
        assertThat(translation.yaml().lines()).allMatch(line -> line.length() < 130);
        assertThat(translation.yaml()).doesNotContain("secret", "\u0007", "\u2028");
    }

    private static String nameOf(String directive) {
        return directive.replaceAll("[ ;].*", "");
    }

    private static Translation upstream(String content) throws UnusableFile {
        return NginxImport.translate(
                "upstream u { " + content + " } server { listen 80; location / { proxy_pass http://u; } }",
                "nginx.conf");
    }

    private static Translation server(String content) throws UnusableFile {
        return NginxImport.translate("upstream u { server a:1; } server { " + content + " }", "nginx.conf");
    }

    private static Translation example(String name) throws IOException, UnusableFile {
        Path file = EXAMPLES.resolve(name + ".conf");
        return NginxImport.translate(Files.readString(file), file.getFileName().toString());
    }

    /** What the file means to Penstock, read as from a disk. */
    private PenstockConfig config(Translation translation) throws IOException {
        Path file = Files.writeString(folder.resolve("penstock.yaml"), translation.yaml());
        Reading reading = new ConfigFile(file, Overrides.NONE, Surroundings.REAL).read();
        PenstockConfig config = reading.config();
        if (config == null) {
            throw new AssertionError(reading.problems() + "\n" + translation.yaml());
        }
        return config;
    }
}
