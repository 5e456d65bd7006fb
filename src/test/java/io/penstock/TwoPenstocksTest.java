package io.penstock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.config.ConfigFile;
import io.penstock.config.Overrides;
import io.penstock.proxy.front.Client;
import io.penstock.proxy.front.Eventually;
import io.penstock.proxy.front.Script;
import io.penstock.proxy.front.ScriptedReplica;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Two Penstocks behind one port, one taking over from the other, and what the operator is told. */
@EnabledOnOs(OS.LINUX)
@SuppressWarnings("NullAway.Init") // Opened before each test.
class TwoPenstocksTest {

    private static final int RESTARTS = 4;
    private static final int CLIENTS = 6;

    @TempDir
    private Path folder;

    private final List<Vertx> opened = new ArrayList<>();
    private ScriptedReplica replica;
    // The clock of all Penstocks here: what it runs ahead, and how much faster it runs.
    private volatile long pace = 1;

    @BeforeEach
    void open() throws Exception {
        replica = ScriptedReplica.start().always(Script.json("{}"));
    }

    @AfterEach
    void close() throws Exception {
        for (Vertx vertx : opened) {
            await(vertx.close());
        }
        replica.close();
    }

    @Test
    void oneTakesOverFromTheOtherAgainAndAgainAndNobodyIsLost() throws Exception {
        Penstock current = start(0, true);
        int port = current.port();
        Queue<String> failures = new ConcurrentLinkedQueue<>();
        AtomicInteger served = new AtomicInteger();
        AtomicBoolean over = new AtomicBoolean();
        List<Thread> clients = new ArrayList<>();
        for (int i = 0; i < CLIENTS; i++) {
            boolean fresh = i % 3 != 0;
            Thread client = new Thread(() -> call(port, fresh, over, served, failures), "client-" + i);
            client.start();
            clients.add(client);
        }
        for (int i = 0; i < RESTARTS; i++) {
            Penstock next = start(port, true);
            await(current.drain());
            int before = served.get();
            Eventually.that("the next one serves", () -> served.get() > before + 100);
            current = next;
        }
        over.set(true);
        for (Thread client : clients) {
            client.join(20_000);
        }
        assertThat(failures).isEmpty();
        assertThat(served).hasValueGreaterThan(RESTARTS * 100);
    }

    /** Calls in a closed loop, each time on a new connection or as long as the connection is to be kept. */
    private static void call(
            int port, boolean fresh, AtomicBoolean over, AtomicInteger served, Queue<String> failures) {
        while (!over.get()) {
            try (Client client = Client.to(port)) {
                boolean ends = false;
                while (!ends && !over.get()) {
                    Client.Reply reply =
                            client.send(Client.post("/v1/embeddings", "{}")).reply();
                    if (reply.status() != 200) {
                        failures.add(reply.head());
                    }
                    served.incrementAndGet();
                    ends = fresh || reply.header("connection").equals("close");
                }
            } catch (IOException | RuntimeException e) {
                failures.add(e.toString());
            }
        }
    }

    @Test
    void aTakenPortIsAnErrorThatSaysWhatToDo() throws Exception {
        Penstock first = start(0, false);

        assertThatThrownBy(() -> start(first.port(), false))
                .hasMessageContaining("cannot listen on 127.0.0.1:" + first.port())
                .hasMessageContaining("--share-port");
        assertThatThrownBy(() -> start(first.port(), true)).hasMessageContaining("does not share it");
    }

    @Test
    void livenessIsRedWhileTheProbesAreSilentAndGreenAgain() throws Exception {
        Penstock penstock = start(0, false);
        Eventually.that("it is alive", () -> livez(penstock).startsWith("200"));

        // The verticles turn once a second: a thousand seconds of this clock.
        pace = 1000;
        Eventually.that("the silence shows", () -> {
            String said = livez(penstock);
            return said.startsWith("503") && said.contains("the probes have been silent for");
        });
        Eventually.that("replicas are used blindly", () -> penstock.upstreams().blind());
        pace = 1;
        Eventually.that("it is alive again", () -> livez(penstock).startsWith("200"));
    }

    private static String livez(Penstock penstock) {
        try (Client client = Client.to(penstock.adminPort())) {
            Client.Reply reply = client.send(Client.request("GET", "/livez")).reply();
            return reply.status() + " " + reply.body();
        } catch (IOException e) {
            return e.toString();
        }
    }

    private Penstock start(int port, boolean sharesPort) throws Exception {
        Path yaml = folder.resolve("penstock.yaml");
        Files.writeString(
                yaml,
                "admin: 127.0.0.1:0\ndrain: {lameDuck: 300ms}\nlog: {access: false}\nupstreams: [\"http://127.0.0.1:"
                        + replica.port() + "\"]\n");
        ConfigFile file = ConfigFile.choose(yaml, new Overrides("127.0.0.1:" + port, null, List.of()));
        Vertx vertx = Main.vertx();
        opened.add(vertx);
        Chance chance = new Chance(
                () -> System.nanoTime() * pace,
                System::currentTimeMillis,
                () -> 0.5,
                () -> UUID.randomUUID().toString());
        return await(Penstock.start(vertx, file, file.read(), chance, sharesPort));
    }

    private static <T> T await(Future<T> future) throws Exception {
        return future.toCompletionStage().toCompletableFuture().get(20, TimeUnit.SECONDS);
    }
}
