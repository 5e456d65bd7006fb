package io.penstock.proxy.front;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.proxy.ApiTable;
import io.vertx.core.json.JsonObject;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the front answers by itself, and what it refuses. */
@SuppressWarnings("NullAway.Init") // Opened before each test.
class LocalRoutesTest {

    private ScriptedReplica replica;
    private Stage stage;

    @BeforeEach
    void open() throws Exception {
        replica = ScriptedReplica.start();
        stage = Setting.with(replica).open();
    }

    @AfterEach
    void close() throws Exception {
        stage.close();
        Eventually.that("no replica is busy any more", () -> replica.busy() == 0);
        replica.close();
    }

    private Client.Reply ask(String method, String path, String... headers) throws Exception {
        try (Client client = Client.to(stage)) {
            return client.send(Client.request(method, path, headers)).reply();
        }
    }

    @Test
    void healthFollowsTheReplicas() throws Exception {
        for (String path : new String[] {"/health", "/ping"}) {
            Client.Reply reply = ask("GET", path);
            assertThat(reply.status()).isEqualTo(200);
            assertThat(reply.body()).isEmpty();
        }
        assertThat(ask("POST", "/ping").status()).isEqualTo(200);
        replica.refuse();
        Eventually.that("no replica is left", () -> stage.ready() == 0);
        assertThat(ask("GET", "/health").status()).isEqualTo(503);
        assertThat(ask("GET", "/ping").status()).isEqualTo(503);
        replica.listen();
        Eventually.that("the replica is back", () -> stage.ready() == 1);
        assertThat(ask("GET", "/health").status()).isEqualTo(200);
    }

    @Test
    void versionAndLoadAreOurs() throws Exception {
        assertThat(new JsonObject(ask("GET", "/version").body()).getString("version"))
                .isEqualTo("1.2.3");
        assertThat(new JsonObject(ask("GET", "/load").body()).getInteger("server_load"))
                .isZero();
        replica.always(Script.begun("data: 1\n\n").then(Script.SILENCE));
        try (Client client = Client.to(stage)) {
            client.send(Client.chat()).head();
            assertThat(new JsonObject(ask("GET", "/load").body()).getInteger("server_load"))
                    .isEqualTo(1);
        }
    }

    @Test
    void controlEndpointsAreRefusedWithTheReason() throws Exception {
        for (String path : ApiTable.controlPaths()) {
            Client.Reply reply = ask("POST", path, "Content-Length: 0");
            assertThat(reply.status()).as(path).isEqualTo(403);
            assertThat(reply.body()).contains("\"code\":\"control_endpoint\"", "call the replica itself");
        }
        assertThat(replica.calls()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/",
                "/docs",
                "/redoc",
                "/openapi.json",
                "/metrics",
                "/v1",
                "/v1/chat",
                "/v2/models",
                "/v1/responses/a/b"
            })
    void everythingElseIsNotFound(String path) throws Exception {
        Client.Reply reply = ask("GET", path);
        assertThat(reply.status()).isEqualTo(404);
        assertThat(reply.body()).contains("\"code\":\"not_found\"");
        assertThat(reply.header("x-request-id")).isNotEmpty();
        assertThat(replica.calls()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "GET, /v1/chat/completions, 'OPTIONS, POST'",
        "DELETE, /v1/models, 'GET, HEAD, OPTIONS'",
        "POST, /health, 'GET, HEAD'",
        "PUT, /v1/models/x, 'GET, HEAD'",
        "GET, /v1/responses/x/cancel, POST"
    })
    void knownPathWithAnotherMethodGets405AndTheMethods(String method, String path, String allow) throws Exception {
        Client.Reply reply = ask(method, path, "Content-Length: 0");
        assertThat(reply.status()).isEqualTo(405);
        assertThat(reply.header("allow")).isEqualTo(allow);
    }

    @Test
    void refusalKeepsTheConnection() throws Exception {
        try (Client client = Client.to(stage)) {
            assertThat(client.send(Client.request("GET", "/nowhere")).reply().status())
                    .isEqualTo(404);
            assertThat(client.send(Client.request("GET", "/health")).reply().status())
                    .isEqualTo(200);
        }
    }

    @Test
    void refusalOfARequestWithABodyIsReadable() throws Exception {
        try (Client client = Client.to(stage)) {
            byte[] body = new byte[5 << 20];
            client.send(Client.request("POST", "/sleep", "Content-Length: " + body.length))
                    .send(body);
            assertThat(client.reply().status()).isEqualTo(403);
            assertThat(client.end()).isEqualTo(Client.End.FIN);
        }
    }
}
