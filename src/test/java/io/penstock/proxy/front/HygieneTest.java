package io.penstock.proxy.front;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which headers pass, on the wire, for both kinds of routes and in both directions. */
@SuppressWarnings("NullAway.Init") // Opened before each test.
class HygieneTest {

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
    @ValueSource(strings = {"/v1/embeddings", "/v1/responses/r/cancel"})
    void towardsTheReplica(String path) throws Exception {
        try (Stage stage = Setting.with(replica).open();
                Client client = Client.to(stage)) {
            client.send(Client.post(
                    path,
                    "{}",
                    "Connection: keep-alive, X-Secret",
                    "X-Secret: drop me",
                    "Keep-Alive: timeout=5",
                    "Proxy-Connection: keep-alive",
                    "Proxy-Authorization: Basic eA==",
                    "TE: trailers",
                    "Trailer: X-T",
                    "Upgrade: h2c",
                    "X-Data-Parallel-Rank: 1",
                    "X-Forwarded-For: 6.6.6.6",
                    "X-Forwarded-Proto: https",
                    "X-Forwarded-Host: evil",
                    "X-Forwarded-Port: 1",
                    "Forwarded: for=6.6.6.6",
                    "X-Real-IP: 6.6.6.6",
                    "Authorization: Bearer client",
                    "X-Keep: 1",
                    "x-keep: 2",
                    "Traceparent: 00-1-2-01",
                    "Accept-Encoding: gzip"));
            assertThat(client.reply().status()).isEqualTo(200);
        }
        Call call = replica.call(0);
        for (String gone : new String[] {
            "x-secret",
            "keep-alive",
            "proxy-connection",
            "proxy-authorization",
            "te",
            "trailer",
            "upgrade",
            "x-data-parallel-rank",
            "x-forwarded-port",
            "forwarded"
        }) {
            assertThat(call.headers(gone)).as(gone).isEmpty();
        }
        assertThat(call.header("host")).isEqualTo("127.0.0.1:" + replica.port());
        assertThat(call.header("x-forwarded-for")).isEqualTo("127.0.0.1");
        assertThat(call.header("x-real-ip")).isEqualTo("127.0.0.1");
        assertThat(call.header("x-forwarded-proto")).isEqualTo("http");
        assertThat(call.header("x-forwarded-host")).isEqualTo("front:8000");
        assertThat(call.header("x-request-id")).startsWith("id-");
        assertThat(call.header("authorization")).isEqualTo("Bearer client");
        assertThat(call.headers("x-keep")).containsExactly("1", "2");
        assertThat(call.header("traceparent")).isEqualTo("00-1-2-01");
        assertThat(call.header("accept-encoding")).isEqualTo("gzip");
        assertThat(call.header("content-length")).isEqualTo("2");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/embeddings", "/v1/responses/r/cancel"})
    void towardsTheClient(String path) throws Exception {
        replica.always(Script.raw(String.join(
                "\r\n",
                "HTTP/1.1 200 OK",
                "Connection: keep-alive, X-Drop",
                "X-Drop: 1",
                "Keep-Alive: timeout=5",
                "Proxy-Authenticate: Basic",
                "Proxy-Connection: x",
                "Trailer: X-T",
                "Upgrade: h2c",
                "Server: uvicorn",
                "X-Keep: yes",
                "content-length: 2",
                "",
                "hi")));
        try (Stage stage = Setting.with(replica).open();
                Client client = Client.to(stage)) {
            Client.Reply reply = client.send(Client.post(path, "{}")).reply();
            assertThat(reply.body()).isEqualTo("hi");
            assertThat(reply.head().toLowerCase(java.util.Locale.ROOT))
                    .doesNotContain(
                            "connection:", "x-drop", "keep-alive:", "proxy-authenticate", "trailer:", "upgrade:");
            assertThat(reply.header("server")).isEqualTo("uvicorn");
            assertThat(reply.header("x-keep")).isEqualTo("yes");
            assertThat(reply.header("x-request-id")).isNotEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/embeddings", "/v1/responses/r/cancel"})
    void closedReplicaConnectionIsNoBusinessOfTheClient(String path) throws Exception {
        replica.always(Script.raw("HTTP/1.1 200 OK\r\nConnection: close\r\ncontent-length: 2\r\n\r\nhi")
                .then(Script.FIN));
        try (Stage stage = Setting.with(replica).open();
                Client client = Client.to(stage)) {
            for (int i = 0; i < 3; i++) {
                Client.Reply reply = client.send(Client.post(path, "{}")).reply();
                assertThat(reply.body()).isEqualTo("hi");
                assertThat(reply.header("connection")).isEmpty();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/embeddings", "/v1/responses/r/cancel"})
    void replicasOwnKeyTakesThePlaceOfTheClients(String path) throws Exception {
        try (Stage stage = Setting.with()
                        .replica("127.0.0.1", replica.port(), "sk-replica", 0)
                        .open();
                Client client = Client.to(stage)) {
            client.send(Client.post(path, "{}", "Authorization: Bearer client", "AUTHORIZATION: again"))
                    .reply();
            client.send(Client.post(path, "{}")).reply();
        }
        assertThat(replica.call(0).headers("authorization")).containsExactly("Bearer sk-replica");
        assertThat(replica.call(1).headers("authorization")).containsExactly("Bearer sk-replica");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/embeddings", "/v1/responses/r/cancel"})
    void trustedProxyIsBelievedAndExtended(String path) throws Exception {
        try (Stage stage =
                        Setting.with(replica).trust("10.0.0.0/8", "127.0.0.0/8").open();
                Client client = Client.to(stage)) {
            client.send(Client.post(
                            path,
                            "{}",
                            "X-Forwarded-For: 1.2.3.4, 10.0.0.1",
                            "X-Forwarded-Proto: https",
                            "X-Forwarded-Host: api.example",
                            "X-Real-IP: 1.2.3.4"))
                    .reply();
        }
        Call call = replica.call(0);
        assertThat(call.header("x-forwarded-for")).isEqualTo("1.2.3.4, 10.0.0.1, 127.0.0.1");
        assertThat(call.header("x-forwarded-proto")).isEqualTo("https");
        assertThat(call.header("x-forwarded-host")).isEqualTo("api.example");
        assertThat(call.header("x-real-ip")).isEqualTo("1.2.3.4");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/embeddings", "/v1/responses/r/cancel"})
    void requestIdThatCouldForgeALogLineIsReplaced(String path) throws Exception {
        try (Stage stage = Setting.with(replica).open();
                Client client = Client.to(stage)) {
            Client.Reply reply =
                    client.send(Client.post(path, "{}", "X-Request-Id: a b\"c")).reply();
            assertThat(reply.header("x-request-id")).startsWith("id-");
            assertThat(replica.call(0).header("x-request-id")).isEqualTo(reply.header("x-request-id"));
        }
    }

    @Test
    void compressedAnswersPassAsTheyAre() throws Exception {
        replica.always(Script.raw("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-encoding: gzip\r\n"
                + "content-length: 4\r\n\r\n\001\002\003\004"));
        try (Stage stage = Setting.with(replica).open();
                Client client = Client.to(stage)) {
            Client.Reply reply =
                    client.send(Client.chat("Accept-Encoding: gzip")).reply();
            assertThat(reply.header("content-encoding")).isEqualTo("gzip");
            assertThat(reply.body()).isEqualTo("\001\002\003\004");
        }
    }
}
