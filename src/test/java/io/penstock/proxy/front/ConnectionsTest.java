package io.penstock.proxy.front;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Clients' connections: how long they may be silent, how many there may be, and that a busy one is left alone. */
@SuppressWarnings("NullAway.Init") // Opened before each test.
class ConnectionsTest {

    private static final Duration MANY = Duration.ofSeconds(60);
    private static final Duration BRIEF = Duration.ofMillis(300);

    private ScriptedReplica replica;

    @BeforeEach
    void open() throws Exception {
        replica = ScriptedReplica.start();
    }

    @AfterEach
    void close() throws Exception {
        replica.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "GET /health HT", "GET /health HTTP/1.1\r\nHost: a\r\nX-A: "})
    void connectionWithoutAWholeHeadIsClosed(String sent) throws Exception {
        try (Stage stage = Setting.with(replica).clients(BRIEF, MANY, MANY).open();
                Client client = Client.to(stage)) {
            client.send(sent);
            long start = System.nanoTime();
            assertThat(client.end()).isEqualTo(Client.End.FIN);
            assertThat(Duration.ofNanos(System.nanoTime() - start))
                    .isBetween(Duration.ofMillis(200), Duration.ofMillis(2500));
            Eventually.that("nobody is connected", () -> stage.clients.get() == 0 && stage.connections() == 0);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/health", "/v1/embeddings", "/v1/responses/r", "/v1/models"})
    void idleConnectionIsClosedWhateverItHasCarried(String path) throws Exception {
        try (Stage stage = Setting.with(replica).clients(MANY, MANY, BRIEF).open();
                Client client = Client.to(stage)) {
            client.send(path.endsWith("embeddings") ? Client.post(path, "{}") : Client.request("GET", path))
                    .reply();
            long start = System.nanoTime();
            assertThat(client.end()).isEqualTo(Client.End.FIN);
            assertThat(Duration.ofNanos(System.nanoTime() - start))
                    .isBetween(Duration.ofMillis(200), Duration.ofMillis(2500));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/embeddings", "/v1/responses/r/cancel"})
    void busyConnectionIsNeverClosed(String path) throws Exception {
        CountDownLatch go = new CountDownLatch(1);
        replica.always(Script.until(go).then(Script.json("{}")));
        try (Stage stage = Setting.with(replica).clients(BRIEF, MANY, BRIEF).open();
                Client client = Client.to(stage)) {
            client.send(Client.post(path, "{}"));
            assertThat(client.isSilentFor(2500)).isTrue();
            go.countDown();
            assertThat(client.reply().status()).isEqualTo(200);
        }
    }

    @Test
    void connectionsBeyondTheLimitAreClosedAndRoomIsMadeByThoseThatLeave() throws Exception {
        try (Stage stage = Setting.with(replica).connections(3).open()) {
            List<Client> clients = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                Client client = Client.to(stage);
                clients.add(client);
                assertThat(client.send(Client.request("GET", "/health")).reply().status())
                        .isEqualTo(200);
            }
            try (Client tooMany = Client.to(stage)) {
                assertThat(tooMany.end()).isEqualTo(Client.End.FIN);
            }
            clients.get(0).fin();
            Eventually.that("one has left", () -> stage.clients.get() == 2);
            try (Client next = Client.to(stage)) {
                assertThat(next.send(Client.request("GET", "/health")).reply().status())
                        .isEqualTo(200);
            }
            for (Client client : clients) {
                client.close();
            }
            Eventually.that("nobody is connected", () -> stage.clients.get() == 0);
        }
    }
}
