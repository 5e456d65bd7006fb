package io.penstock.admin;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.health.ProbeVerticle;
import io.penstock.health.ReplicaChange;
import io.penstock.proxy.Decision.Cause;
import io.penstock.proxy.FailureKind;
import io.penstock.proxy.Move;
import io.penstock.upstream.EngineGauges;
import io.penstock.upstream.Standing;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The page and its feed, as a browser meets them on a real admin port. */
@Timeout(60)
class LivePageTest {

    private static final Pattern REFERENCE = Pattern.compile("(?:href|src)=\"(page/[^\"]+)\"");
    private static final Pattern IMPORT = Pattern.compile("from '\\./([^']+)'");
    private static final String KEY = "0123456789abcdef";

    private final List<Socket> viewers = new ArrayList<>();
    private LiveAdmin admin;

    @BeforeEach
    void open() throws Exception {
        admin = new LiveAdmin();
        admin.replicas("vllm0", "vllm1");
    }

    @AfterEach
    void close() throws Exception {
        for (Socket viewer : viewers) {
            viewer.close();
        }
        admin.close();
    }

    // ---- the files -------------------------------------------------------------------------------------------------

    @Test
    void browsersGetThePageAndEveryFileThatItNames() throws Exception {
        LiveAdmin.Answer page = admin.send("GET", "/", "Host: 127.0.0.1\r\nAccept: text/html,*/*\r\n");

        assertThat(page.status()).isEqualTo(200);
        assertThat(page.head()).containsIgnoringCase("content-type: text/html; charset=utf-8");
        List<String> paths = new ArrayList<>();
        Matcher reference = REFERENCE.matcher(page.body());
        while (reference.find()) {
            paths.add(reference.group(1));
        }
        assertThat(paths).contains("page/page.js", "page/page.css", "page/uplot.css", "page/icon.svg");
        for (int i = 0; i < paths.size(); i++) {
            LiveAdmin.Answer file = admin.get("/" + paths.get(i));
            assertThat(file.status()).as(paths.get(i)).isEqualTo(200);
            assertThat(file.head()).containsIgnoringCase("x-content-type-options: nosniff");
            Matcher imported = IMPORT.matcher(file.body());
            while (imported.find() && paths.get(i).endsWith(".js")) {
                String path = "page/" + imported.group(1);
                if (!paths.contains(path)) {
                    paths.add(path);
                }
            }
        }
        assertThat(paths).contains("page/uplot.js", "page/receipt.js");
    }

    @Test
    void thePageMayLoadNothingFromElsewhereAndRunNothingInline() throws Exception {
        LiveAdmin.Answer page = admin.send("GET", "/", "Host: 127.0.0.1\r\nAccept: text/html\r\n");

        assertThat(page.head())
                .containsIgnoringCase(
                        "content-security-policy: default-src 'self'; script-src 'self'; style-src 'self';")
                .contains("frame-ancestors 'none'")
                .doesNotContain("unsafe")
                .containsIgnoringCase("x-frame-options: DENY")
                .containsIgnoringCase("referrer-policy: no-referrer")
                .doesNotContainIgnoringCase("access-control");
        assertThat(page.body())
                .doesNotContain("<style", " style=", "http://", "https://")
                .doesNotContainPattern("<script(?![^>]* src=)")
                .doesNotContainPattern(" on[a-z]+=");
    }

    @Test
    void aFileThatTheBrowserHasIsNotSentAgain() throws Exception {
        LiveAdmin.Answer first = admin.get("/page/page.css");
        Matcher tag = Pattern.compile("(?i)etag: (\"[0-9a-f]+\")").matcher(first.head());
        assertThat(tag.find()).isTrue();

        LiveAdmin.Answer again =
                admin.send("GET", "/page/page.css", "Host: 127.0.0.1\r\nIf-None-Match: " + tag.group(1) + "\r\n");

        assertThat(again.status()).isEqualTo(304);
        assertThat(again.body()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"/page/", "/page/nothing.js", "/page/..%2Flogback.xml", "/page/../logback.xml", "/page/a/page.js"
            })
    void thereIsNoOtherFile(String path) throws Exception {
        assertThat(admin.get(path).status()).isEqualTo(404);
    }

    // ---- the feed --------------------------------------------------------------------------------------------------

    @Test
    void theFirstSnapshotComesAtOnceAndTheNextASecondLater() throws Exception {
        BufferedReader feed = watch();
        long start = System.nanoTime();
        snapshot(feed);
        snapshot(feed);

        // It may well be later on a busy machine, and is never sooner: the timer began before the first was sent.
        assertThat(System.nanoTime() - start).isGreaterThan(800_000_000L);
    }

    @Test
    void aSnapshotTellsAllThatThePageShows() throws Exception {
        admin.replica("vllm1").judge(Standing.REFUSED, "connection refused");
        admin.replica("vllm0")
                .engine()
                .learnGauges(new EngineGauges(
                        List.of(new EngineGauges.Engine("0", 3, 1, 0.25, 1000, 10, 5)),
                        Double.NaN,
                        Double.NaN,
                        admin.nanos.get(),
                        10_000_000_000L));
        admin.traffic.moved(new Move("req-1", Cause.FAILOVER, "vllm1", "vllm0", FailureKind.CONNECT_REFUSED));

        JsonObject snapshot = snapshot(watch());

        assertThat(snapshot.fieldNames())
                .contains(
                        "version",
                        "frontPort",
                        "headline",
                        "lameDuck",
                        "waiting",
                        "config",
                        "totals",
                        "rates",
                        "history",
                        "replicas",
                        "moreReplicas",
                        "decisions",
                        "incidents");
        assertThat(snapshot.getJsonObject("headline").getString("text"))
                .isEqualTo("vllm1 refuses connections: it is loading, or it is gone.");
        assertThat(snapshot.getJsonObject("totals").getLong("failovers")).isEqualTo(1);
        JsonObject vllm0 = snapshot.getJsonArray("replicas").getJsonObject(0);
        assertThat(vllm0.getString("standing")).isEqualTo("ready");
        assertThat(vllm0.getJsonArray("engines").getJsonObject(0).getDouble("kvUsage"))
                .isEqualTo(0.25);
        assertThat(vllm0.getBoolean("enginesFresh")).isTrue();
        assertThat(vllm0.fieldNames())
                .contains("tokensPerSecond", "firstOutputMillis", "sinceMillis", "inFlight", "epoch", "draining");
        JsonObject history = snapshot.getJsonObject("history");
        assertThat(history.fieldNames())
                .containsExactlyInAnyOrder(
                        "arrived", "whole", "lost", "moved", "firstOutputP50Millis", "firstOutputP99Millis");
        assertThat(history.getJsonArray("whole")).hasSize(TrafficRecorder.SECONDS);
        assertThat(snapshot.getJsonArray("incidents").getJsonObject(0).getString("text"))
                .isEqualTo("request req-1 moved: vllm1 → vllm0 (connect refused)");
    }

    @Test
    void noKeyIsInASnapshot() throws Exception {
        admin.adminKey = KEY;

        String snapshot = snapshot(watch()).encode();

        assertThat(snapshot)
                .doesNotContain("sk-very-secret")
                .doesNotContain(KEY)
                .contains("vllm0");
    }

    @Test
    void ofAThousandReplicasTheUnwellAreShown() throws Exception {
        String[] names = new String[1000];
        for (int i = 0; i < names.length; i++) {
            names[i] = "r" + i;
        }
        admin.replicas(names);
        admin.replica("r999").judge(Standing.STALLED, "no token for 20 s");

        JsonObject snapshot = snapshot(watch());

        assertThat(snapshot.getJsonArray("replicas")).hasSize(LiveSnapshot.MOST_REPLICAS);
        assertThat(snapshot.getJsonArray("replicas").getJsonObject(0).getString("name"))
                .isEqualTo("r999");
        assertThat(snapshot.getInteger("moreReplicas")).isEqualTo(1000 - LiveSnapshot.MOST_REPLICAS);
    }

    @Test
    void changesAndDrainsAreToldWithTheTimeSince() throws Exception {
        admin.replica("vllm1").judge(Standing.STALLED, "no token for 20 s");
        ProbeVerticle.CHANGES.publish(
                admin.bus(),
                new ReplicaChange(
                        admin.replica("vllm1"), Standing.SUSPECT, Standing.STALLED, "no token for 20 s", true));
        admin.post("/drain/vllm0");
        admin.nanos.addAndGet(5_000_000_000L);

        JsonObject snapshot = snapshot(watch());

        JsonArray incidents = snapshot.getJsonArray("incidents");
        assertThat(List.of(
                        incidents.getJsonObject(0).getString("text"),
                        incidents.getJsonObject(1).getString("text")))
                .containsExactlyInAnyOrder(
                        "vllm0: drained by the operator, no new work", "vllm1: SUSPECT → STALLED (no token for 20 s)");
        assertThat(snapshot.getJsonArray("replicas").getJsonObject(1).getLong("sinceMillis"))
                .isEqualTo(5000);
    }

    @Test
    void oneViewerTooManyIsToldSo() throws Exception {
        for (int i = 0; i < LiveFeed.MOST_VIEWERS; i++) {
            snapshot(watch());
        }

        LiveAdmin.Answer refused = admin.get("/live");

        assertThat(refused.status()).isEqualTo(503);
        assertThat(refused.head()).containsIgnoringCase("retry-after: 10");
        assertThat(refused.json().getString("error")).contains("32 viewers");

        viewers.get(0).close();
        while (admin.send("HEAD", "/live?room", "Host: 127.0.0.1\r\n").status() != 200) {
            Thread.onSpinWait();
        }
        snapshot(watch());
    }

    @Test
    void theFeedEndsWithThePort() throws Exception {
        BufferedReader feed = watch();
        snapshot(feed);

        admin.close();

        List<String> rest = feed.lines().toList();
        assertThat(rest).contains("event: bye").endsWith("0", "");
    }

    // ---- changes ---------------------------------------------------------------------------------------------------

    @Test
    void withAKeyChangesNeedItAndReadingDoesNot() throws Exception {
        admin.adminKey = KEY;

        LiveAdmin.Answer without = admin.post("/drain/vllm0");
        LiveAdmin.Answer wrong = admin.send("POST", "/drain/vllm0", headers("Bearer " + KEY + "x"));

        assertThat(List.of(without.status(), wrong.status())).containsExactly(401, 401);
        assertThat(without.head()).containsIgnoringCase("www-authenticate: Bearer");
        assertThat(wrong.json().getString("error")).isEqualTo("this is not the admin key");
        assertThat(admin.replica("vllm0").draining()).isFalse();
        assertThat(admin.get("/upstreams").status()).isEqualTo(200);

        assertThat(admin.send("POST", "/drain/vllm0", headers("Bearer " + KEY)).status())
                .isEqualTo(200);
        assertThat(admin.replica("vllm0").draining()).isTrue();
    }

    @Test
    void noOtherSiteIsEverInvited() throws Exception {
        for (String path : List.of("/", "/live?x", "/upstreams", "/explain", "/page/page.js")) {
            String head = path.startsWith("/live")
                    ? admin.send("HEAD", path, "Host: 127.0.0.1\r\nOrigin: http://evil.example\r\n")
                            .head()
                    : admin.send("GET", path, "Host: 127.0.0.1\r\nOrigin: http://evil.example\r\n")
                            .head();
            assertThat(head).as(path).doesNotContainIgnoringCase("access-control");
        }
    }

    private static String headers(String authorization) {
        return "Host: 127.0.0.1\r\nContent-Length: 0\r\nAuthorization: " + authorization + "\r\n";
    }

    private BufferedReader watch() throws IOException {
        Socket socket =
                new Socket(InetAddress.getLoopbackAddress(), admin.address().port());
        viewers.add(socket);
        socket.setSoTimeout(20_000);
        socket.getOutputStream()
                .write("GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        return new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
    }

    private static JsonObject snapshot(BufferedReader feed) throws IOException {
        String line = feed.readLine();
        while (line != null && !line.startsWith("data: ")) {
            line = feed.readLine();
        }
        assertThat(line).as("a snapshot").isNotNull();
        return new JsonObject(line.substring("data: ".length()));
    }
}
