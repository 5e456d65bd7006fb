package io.penstock.admin;

import io.penstock.bus.Topic;
import io.penstock.config.Endpoint;
import io.penstock.config.Replica;
import io.penstock.proxy.Receipts;
import io.penstock.selection.LearnedSpeed;
import io.penstock.upstream.LiveUpstreams;
import io.penstock.upstream.Standing;
import io.penstock.upstream.Upstream;
import io.penstock.upstream.UpstreamState;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.EventBus;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** A real admin verticle on a free port, with everything behind it in the test's hands. */
public final class LiveAdmin {

    /** The replicas. */
    public final LiveUpstreams upstreams = new LiveUpstreams(() -> 0);
    /** How often waiting requests were woken. */
    public final AtomicInteger woken = new AtomicInteger();
    /** Whether a configuration is in force. */
    public volatile boolean configLoaded = true;
    /** Whether Penstock is going down. */
    public volatile boolean lameDuck;
    /** What is wrong with the event loops. */
    public volatile List<String> loopProblems = List.of();
    /** How the configuration stands. */
    public volatile JsonObject config = new JsonObject()
            .put("source", "conf/penstock.yaml")
            .put("ok", true)
            .put("problems", new JsonArray())
            .put("warnings", new JsonArray())
            .put("pendingRestart", new JsonArray());
    /** What was learned of the replicas. */
    public volatile Map<String, LearnedSpeed> learned = Map.of();
    /** Why requests went where they did. */
    public final Receipts receipts = new Receipts(64, () -> 60_000_000_000L);
    /** The time that the traffic and the page go by, in nanoseconds. */
    public final AtomicLong nanos = new AtomicLong(600_000_000_000L);
    /** What happened in the last minute. */
    public final TrafficRecorder traffic = new TrafficRecorder(nanos::get);
    /** What must be shown to change something; null if there is no key. */
    public volatile @Nullable String adminKey;
    /** What a scrape does. */
    public volatile Runnable scrape = () -> {};

    private final Vertx vertx = Vertx.vertx();
    private final AdminVerticle verticle;

    /** An answer: its head as it came, and its body. */
    public record Answer(int status, String head, String body) {

        /** The body as JSON. */
        public JsonObject json() {
            return new JsonObject(body);
        }
    }

    /** Opens a free port. */
    public LiveAdmin() throws Exception {
        this(0);
    }

    /** Opens that port. */
    public LiveAdmin(int port) throws Exception {
        verticle = new AdminVerticle(
                new Endpoint("127.0.0.1", port),
                new RunningInstance(
                        "1.2.3",
                        upstreams,
                        () -> configLoaded,
                        () -> config,
                        () -> 5,
                        () -> lameDuck,
                        () -> loopProblems,
                        woken::incrementAndGet,
                        () -> learned,
                        receipts,
                        traffic,
                        () -> 8000,
                        () -> adminKey,
                        nanos::get,
                        () -> {
                            scrape.run();
                            return "penstock_waiting 5.0\n";
                        }));
        Topic.carryOn(vertx);
        vertx.deployVerticle(verticle).await(20, TimeUnit.SECONDS);
    }

    /** Where it listens. */
    public Endpoint address() {
        return verticle.address();
    }

    /** Makes these the replicas: all ready, with one address each. */
    public void replicas(String... names) {
        List<Upstream> identities = new ArrayList<>();
        for (String name : names) {
            identities.add(upstream(name, 0, Set.of("qwen"), List.of("127.0.0.1")));
        }
        upstreams.apply(identities);
        upstreams.current().members().forEach(member -> member.judge(Standing.READY, "passes its probes"));
    }

    /** An identity. */
    public static Upstream upstream(String name, int maxInFlight, Set<String> models, List<String> addresses) {
        Replica replica = new Replica(
                name, new Endpoint("127.0.0.1", 8000), false, false, 1, maxInFlight, models, "sk-very-secret");
        return new Upstream(name, name, replica, addresses);
    }

    /** The replica with that name. */
    public UpstreamState replica(String name) {
        return Objects.requireNonNull(upstreams.current().find(name));
    }

    /** GETs as a well-behaved client would. */
    public Answer get(String path) throws IOException {
        return send("GET", path, "Host: 127.0.0.1\r\n");
    }

    /** POSTs as a well-behaved client would. */
    public Answer post(String path) throws IOException {
        return send("POST", path, "Host: 127.0.0.1\r\nContent-Length: 0\r\n");
    }

    /** Sends exactly these header lines. */
    public Answer send(String method, String path, String headers) throws IOException {
        return send(method + " " + path + " HTTP/1.1\r\n" + headers + "Connection: close\r\n\r\n");
    }

    /** Sends exactly these bytes. */
    public Answer send(String request) throws IOException {
        try (Socket socket =
                new Socket(InetAddress.getLoopbackAddress(), address().port())) {
            socket.setSoTimeout(20_000);
            socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            int end = answer.indexOf("\r\n\r\n");
            return new Answer(
                    Integer.parseInt(answer.substring(9, 12)), answer.substring(0, end), answer.substring(end + 4));
        }
    }

    /** The bus that changes are told on. */
    public EventBus bus() {
        return vertx.eventBus();
    }

    /** Closes the port and everything behind it. */
    public void close() throws Exception {
        vertx.close().await(20, TimeUnit.SECONDS);
    }
}
