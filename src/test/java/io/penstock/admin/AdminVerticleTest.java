package io.penstock.admin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.penstock.config.Endpoint;
import io.penstock.upstream.Lease;
import io.penstock.upstream.Outcome;
import io.penstock.upstream.Standing;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

@Timeout(60)
class AdminVerticleTest {

    private final ListAppender<ILoggingEvent> logged = new ListAppender<>();
    private final Logger logger = (Logger) LoggerFactory.getLogger(AdminVerticle.class);
    private LiveAdmin admin;

    @BeforeEach
    void open() throws Exception {
        logged.start();
        logger.addAppender(logged);
        admin = new LiveAdmin();
    }

    @AfterEach
    void close() throws Exception {
        admin.close();
        logger.detachAppender(logged);
    }

    @Test
    void saysWhereItListens() {
        assertThat(admin.address())
                .isEqualTo(new Endpoint("127.0.0.1", admin.address().port()));
        assertThat(admin.address().port()).isPositive();
        assertThat(messages())
                .containsExactly("admin on http://127.0.0.1:" + admin.address().port());
    }

    @Test
    void portThatIsTakenFailsTheDeploymentWithTheAddress() throws Exception {
        Vertx vertx = Vertx.vertx();
        AdminVerticle second = new AdminVerticle(
                admin.address(),
                new RunningInstance(
                        "1",
                        admin.upstreams,
                        () -> true,
                        JsonObject::new,
                        () -> 0,
                        () -> false,
                        List::of,
                        () -> {},
                        Map::of,
                        admin.receipts,
                        admin.traffic,
                        () -> 8000,
                        () -> null,
                        () -> 0,
                        () -> ""));
        try {
            assertThatThrownBy(() -> vertx.deployVerticle(second).await(20, TimeUnit.SECONDS))
                    .hasMessageContaining("cannot listen on admin " + admin.address());
            assertThatThrownBy(second::address).isInstanceOf(IllegalStateException.class);
        } finally {
            vertx.close().await(20, TimeUnit.SECONDS);
        }
    }

    @Test
    void livezIsGreenWhileTheLoopsTurnAndNamesWhatDoesNot() throws Exception {
        assertThat(admin.get("/livez").status()).isEqualTo(200);
        assertThat(admin.get("/livez").json()).isEqualTo(new JsonObject("{\"status\":\"UP\",\"problems\":[]}"));

        admin.loopProblems = List.of("event loop 1 has not turned for 12 s");
        LiveAdmin.Answer red = admin.get("/livez");
        assertThat(red.status()).isEqualTo(503);
        assertThat(red.json().getJsonArray("problems")).containsExactly("event loop 1 has not turned for 12 s");
    }

    @ParameterizedTest
    @CsvSource({
        "true,  2, false, 200",
        "true,  1, false, 200",
        "true,  0, false, 503",
        "true,  2, true,  503",
        "true,  1, true,  503",
        "true,  0, true,  503",
        "false, 2, false, 503",
        "false, 1, false, 503",
        "false, 0, false, 503",
        "false, 2, true,  503",
        "false, 1, true,  503",
        "false, 0, true,  503",
    })
    void readyzWantsAConfigurationOneUsableReplicaAndNoLameDuck(
            boolean configLoaded, int usable, boolean lameDuck, int status) throws Exception {
        admin.replicas("vllm0", "vllm1");
        for (int i = usable; i < 2; i++) {
            admin.replica("vllm" + i).judge(Standing.REFUSED, "connection refused");
        }
        admin.configLoaded = configLoaded;
        admin.lameDuck = lameDuck;

        LiveAdmin.Answer answer = admin.get("/readyz");

        assertThat(answer.status()).isEqualTo(status);
        assertThat(answer.json().getString("status")).isEqualTo(status == 200 ? "UP" : "DOWN");
        assertThat(check(answer, "configuration").getString("status")).isEqualTo(configLoaded ? "UP" : "DOWN");
        assertThat(check(answer, "rotation").getString("status")).isEqualTo(usable > 0 ? "UP" : "DOWN");
        assertThat(check(answer, "rotation").getJsonObject("data"))
                .isEqualTo(new JsonObject().put("usable", usable).put("replicas", 2));
        assertThat(check(answer, "staying").getString("status")).isEqualTo(lameDuck ? "DOWN" : "UP");
    }

    @Test
    void readyzShowsEachReplicaAndFollowsTheirComingAndGoing() throws Exception {
        assertThat(admin.get("/readyz").status()).isEqualTo(503);

        admin.replicas("vllm0", "10.0.0.7:8000", "odd/name");
        admin.replica("vllm0").judge(Standing.FAILING, "status 503");
        LiveAdmin.Answer three = admin.get("/readyz");
        assertThat(three.status()).isEqualTo(200);
        assertThat(ids(check(three, "replicas"))).containsExactlyInAnyOrder("vllm0", "10.0.0.7:8000", "odd_name");
        assertThat(admin.get("/readyz/replicas/vllm0").json().getJsonObject("data"))
                .isEqualTo(new JsonObject()
                        .put("standing", "failing")
                        .put("reason", "status 503")
                        .put("usable", false)
                        .put("draining", false)
                        .put("inFlight", 0));

        admin.replicas("vllm1");
        assertThat(ids(check(admin.get("/readyz"), "replicas"))).containsExactly("vllm1");
        assertThat(admin.get("/readyz/replicas/vllm0").status()).isEqualTo(404);
    }

    @Test
    void lastReplicaThatDrainsMakesItNotReady() throws Exception {
        admin.replicas("vllm0");
        admin.post("/drain/vllm0");

        assertThat(admin.get("/readyz").status()).isEqualTo(503);
    }

    @Test
    void metricsAreScrapedAwayFromTheEventLoop() throws Exception {
        AtomicReference<String> thread = new AtomicReference<>("");
        admin.scrape = () -> thread.set(Thread.currentThread().getName());

        LiveAdmin.Answer answer = admin.get("/metrics");

        assertThat(answer.body()).isEqualTo("penstock_waiting 5.0\n");
        assertThat(answer.head()).containsIgnoringCase("content-type: text/plain; version=0.0.4; charset=utf-8");
        assertThat(thread.get()).contains("worker");
    }

    @Test
    void scrapeThatFailsIsA500AndALogLine() throws Exception {
        admin.scrape = () -> {
            throw new IllegalStateException("boom");
        };

        assertThat(admin.get("/metrics").status()).isEqualTo(500);
        assertThat(messages()).contains("admin: /metrics failed");
    }

    @Test
    void upstreamsTellsEverythingThatStatusNeedsAndNoKey() throws Exception {
        admin.upstreams.apply(List.of(
                LiveAdmin.upstream("vllm0", 16, Set.of("b", "a"), List.of("10.0.0.1", "10.0.0.2")),
                LiveAdmin.upstream("vllm1", 0, Set.of(), List.of())));
        admin.replica("vllm0").judge(Standing.READY, "passes its probes");
        lease("vllm0");
        lease("vllm0").end(Outcome.COMPLETED);
        lease("vllm0").end(Outcome.FAILED);
        lease("vllm0").end(Outcome.IGNORED);

        LiveAdmin.Answer answer = admin.get("/upstreams");

        assertThat(answer.body()).doesNotContain("secret").endsWith("}\n");
        assertThat(answer.json()).isEqualTo(new JsonObject("""
            {"version": "1.2.3", "lameDuck": false, "waiting": 5,
             "config": {"source": "conf/penstock.yaml", "ok": true, "problems": [], "warnings": [],
                        "pendingRestart": []},
             "upstreams": [
               {"name": "vllm0", "id": "vllm0", "url": "http://127.0.0.1:8000",
                "addresses": ["10.0.0.1", "10.0.0.2"], "standing": "ready", "reason": "passes its probes",
                "usable": true, "draining": false, "weight": 1, "maxInFlight": 16, "inFlight": 1, "epoch": 0, "passedProbes": 0,
                "models": ["a", "b"], "engines": null, "started": 4, "completed": 1, "failed": 1, "ignored": 1},
               {"name": "vllm1", "id": "vllm1", "url": "http://127.0.0.1:8000",
                "addresses": [], "standing": "starting", "reason": "not probed yet",
                "usable": false, "draining": false, "weight": 1, "maxInFlight": 0, "inFlight": 0, "epoch": 0, "passedProbes": 0,
                "models": null, "engines": null, "started": 0, "completed": 0, "failed": 0, "ignored": 0}]}
            """));
    }

    @Test
    void drainMarksTheReplicaLogsOnceAndShowsIt() throws Exception {
        admin.replicas("vllm0", "vllm1");
        lease("vllm0");

        LiveAdmin.Answer answer = admin.post("/drain/vllm0");
        admin.post("/drain/vllm0");

        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.json().getBoolean("draining")).isTrue();
        assertThat(answer.json().getInteger("inFlight")).isEqualTo(1);
        assertThat(admin.replica("vllm0").usable()).isFalse();
        assertThat(admin.replica("vllm1").usable()).isTrue();
        assertThat(messages())
                .filteredOn(line -> line.startsWith("vllm0"))
                .containsExactly("vllm0 drains: no new work, 1 in flight there; asked for by the operator");
        assertThat(admin.woken).hasValue(0);
    }

    @Test
    void undrainTakesTheMarkAwayAndWakesWhoWaits() throws Exception {
        admin.replicas("vllm0");
        admin.post("/drain/vllm0");

        assertThat(admin.post("/undrain/vllm0").json().getBoolean("usable")).isTrue();

        assertThat(admin.replica("vllm0").draining()).isFalse();
        assertThat(admin.woken).hasValue(1);
        assertThat(messages()).contains("vllm0 may take work again (passes its probes); asked for by the operator");
    }

    @Test
    void replicaNamesArePercentDecoded() throws Exception {
        admin.replicas("10.0.0.7:8000", "a b/c", "plus+1");

        assertThat(admin.post("/drain/10.0.0.7%3A8000").status()).isEqualTo(200);
        assertThat(admin.post("/drain/10.0.0.7:8000").status()).isEqualTo(200);
        assertThat(admin.post("/drain/a%20b%2Fc").json().getString("name")).isEqualTo("a b/c");
        assertThat(admin.post("/drain/plus+1").json().getString("name")).isEqualTo("plus+1");
        assertThat(admin.post("/drain/%zz").status()).isEqualTo(400);
    }

    @Test
    void unknownReplicaIsA404ThatNamesTheKnownOnes() throws Exception {
        admin.replicas("vllm0", "vllm1");

        LiveAdmin.Answer answer = admin.post("/drain/vllm7");

        assertThat(answer.status()).isEqualTo(404);
        assertThat(answer.json())
                .isEqualTo(new JsonObject()
                        .put("error", "no such replica")
                        .put("replicas", new JsonArray().add("vllm0").add("vllm1")));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Host: evil.example\r\n",
                "Host: 127.0.0.1\r\nOrigin: https://evil.example\r\n",
                "Host: 127.0.0.1\r\nOrigin: null\r\n",
                "Host: 127.0.0.1\r\nSec-Fetch-Site: cross-site\r\n",
            })
    void forgedRequestsChangeNothing(String headers) throws Exception {
        admin.replicas("vllm0");
        admin.replica("vllm0").drain(true);

        assertThat(admin.send("POST", "/undrain/vllm0", headers + "Content-Length: 0\r\n")
                        .status())
                .isEqualTo(403);

        assertThat(admin.replica("vllm0").draining()).isTrue();
        assertThat(admin.woken).hasValue(0);
    }

    @Test
    void oneLineOfHttpOneZeroWithoutHostChangesNothing() throws Exception {
        admin.replicas("vllm0");

        assertThat(admin.send("POST /drain/vllm0 HTTP/1.0\r\n\r\n").status()).isBetween(400, 403);
        assertThat(admin.replica("vllm0").draining()).isFalse();
    }

    @ParameterizedTest
    @CsvSource({"GET, /drain/vllm0, POST", "DELETE, /undrain/vllm0, POST", "POST, /upstreams, GET", "PUT, /livez, GET"})
    void wrongMethodIsA405ThatSaysTheRightOne(String method, String path, String right) throws Exception {
        admin.replicas("vllm0");

        LiveAdmin.Answer answer = admin.send(method, path, "Host: 127.0.0.1\r\nContent-Length: 0\r\n");

        assertThat(answer.status()).isEqualTo(405);
        assertThat(answer.head()).containsPattern("(?i)allow: " + right);
        assertThat(answer.json().getString("error")).contains(right);
        assertThat(admin.replica("vllm0").draining()).isFalse();
    }

    @Test
    void anythingElseIsA404ThatListsTheEndpoints() throws Exception {
        for (String path : List.of("/nothing", "/readyzz", "/drain", "/drain/a/b", "/metrics/x")) {
            LiveAdmin.Answer answer = admin.get(path);
            assertThat(answer.status()).as(path).isEqualTo(404);
            assertThat(answer.json().getJsonArray("endpoints")).contains("POST /drain/NAME", "GET /metrics");
        }
    }

    @Test
    void frontPageListsTheEndpoints() throws Exception {
        LiveAdmin.Answer answer = admin.get("/");

        assertThat(answer.head()).containsIgnoringCase("content-type: text/plain");
        assertThat(answer.body()).contains("Penstock 1.2.3", "GET /readyz\n", "POST /undrain/NAME\n");
    }

    @Test
    void headIsAnsweredWithoutABody() throws Exception {
        admin.replicas("vllm0");

        for (String path : List.of("/", "/livez", "/readyz", "/metrics", "/upstreams")) {
            LiveAdmin.Answer answer = admin.send("HEAD", path, "Host: 127.0.0.1\r\n");
            assertThat(answer.status()).as(path).isEqualTo(200);
            assertThat(answer.body()).as(path).isEmpty();
        }
    }

    @Test
    void bodiesAreNotWanted() throws Exception {
        admin.replicas("vllm0");

        LiveAdmin.Answer answer = admin.send("POST /drain/vllm0 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                + "Content-Length: 2000\r\n\r\n" + "x".repeat(2000));

        assertThat(answer.status()).isEqualTo(413);
        assertThat(admin.replica("vllm0").draining()).isFalse();
    }

    @Test
    void replicaThatWasRemovedCannotBeDrained() throws Exception {
        admin.replicas("vllm0", "vllm1");
        admin.replicas("vllm1");

        assertThat(admin.post("/drain/vllm0").status()).isEqualTo(404);
    }

    private Lease lease(String name) {
        return Objects.requireNonNull(admin.replica(name).lease(0, () -> {}));
    }

    private List<String> messages() {
        return List.copyOf(logged.list).stream()
                .map(ILoggingEvent::getFormattedMessage)
                .toList();
    }

    private static JsonObject check(LiveAdmin.Answer answer, String id) {
        JsonArray checks = answer.json().getJsonArray("checks");
        for (int i = 0; i < checks.size(); i++) {
            if (id.equals(checks.getJsonObject(i).getString("id"))) {
                return checks.getJsonObject(i);
            }
        }
        throw new AssertionError("no check " + id + " in " + answer.body());
    }

    private static List<String> ids(JsonObject group) {
        return group.getJsonArray("checks").stream()
                .map(check -> ((JsonObject) check).getString("id"))
                .toList();
    }
}
