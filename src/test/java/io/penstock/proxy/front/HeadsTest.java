package io.penstock.proxy.front;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.proxy.ExchangeReport.Result;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** How answers look on the wire: heads, framing, and what comes when. */
@SuppressWarnings("NullAway.Init") // Opened before each test.
class HeadsTest {

    private static final String FIRST = "data: {\"n\":1}\n\n";
    private static final String DONE = "data: [DONE]\n\n";

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
        replica.close();
    }

    @Test
    void headIsHeldUntilTheFirstOutputEventAndComesWithIt() throws Exception {
        CountDownLatch token = new CountDownLatch(1);
        replica.always(Script.begun(": keep-alive\n\n")
                .then(Script.until(token))
                .then(call -> call.send("f\r\n" + FIRST + "\r\n"))
                .then(call -> call.send("e\r\n" + DONE + "\r\n0\r\n\r\n")));
        try (Client client = Client.to(stage)) {
            client.send(Client.chat());
            replica.call(0);
            assertThat(client.isSilentFor(150)).isTrue();
            token.countDown();
            Client.Reply reply = client.reply();
            assertThat(reply.body()).isEqualTo(": keep-alive\n\n" + FIRST + DONE);
            assertThat(reply.chunks().get(0)).isEqualTo(": keep-alive\n\n" + FIRST);
        }
        assertThat(stage.report(0).result()).isEqualTo(Result.COMPLETED);
    }

    @Test
    void headKeepsTheReplicasOrderAndSpelling() throws Exception {
        String head = String.join(
                "\r\n",
                "HTTP/1.1 200 Fine",
                "X-B: 2",
                "x-a: 1",
                "Set-Cookie: one",
                "CONTENT-TYPE: text/plain",
                "set-cookie: two",
                "Content-Length: 2",
                "X-Last: yes",
                "");
        replica.always(Script.raw(head + "\r\nhi"));
        try (Client client = Client.to(stage)) {
            Client.Reply reply = client.send(Client.post("/v1/embeddings", "{}", "X-Request-Id: mine-1"))
                    .reply();
            assertThat(reply.head()).isEqualTo(head + "x-request-id: mine-1\r\n\r\n");
            assertThat(reply.body()).isEqualTo("hi");
        }
    }

    @Test
    void requestIdOfTheReplicaIsKept() throws Exception {
        replica.always(Script.raw("HTTP/1.1 200 OK\r\nX-Request-Id: theirs\r\ncontent-length: 0\r\n\r\n"));
        try (Client client = Client.to(stage)) {
            assertThat(client.send(Client.post("/score", "{}")).reply().header("x-request-id"))
                    .isEqualTo("theirs");
        }
    }

    @Test
    void eachEventLeavesWhenItComes() throws Exception {
        CountDownLatch second = new CountDownLatch(1);
        replica.always(Script.begun(FIRST)
                .then(Script.until(second))
                .then(call -> call.chunk(DONE))
                .then(Script.raw("0\r\n\r\n")));
        try (Client client = Client.to(stage)) {
            client.send(Client.chat()).head();
            assertThat(client.chunk()).isEqualTo(FIRST);
            second.countDown();
            assertThat(client.chunk()).isEqualTo(DONE);
            assertThat(client.chunk()).isEmpty();
        }
    }

    @Test
    void http10StreamIsNotChunkedAndEndsWithTheConnection() throws Exception {
        CountDownLatch second = new CountDownLatch(1);
        replica.always(Script.begun(FIRST)
                .then(Script.until(second))
                .then(call -> call.chunk(DONE))
                .then(Script.raw("0\r\n\r\n")));
        try (Client client = Client.to(stage)) {
            client.send(Client.chat("Connection: keep-alive").replace("HTTP/1.1", "HTTP/1.0"));
            String head = client.head();
            assertThat(head).contains("connection: close\r\n").doesNotContain("transfer-encoding", "keep-alive");
            assertThat(new String(client.bytes(FIRST.length()), StandardCharsets.UTF_8))
                    .isEqualTo(FIRST); // Not held to the end.
            second.countDown();
            assertThat(client.rest()).isEqualTo(DONE);
        }
    }

    @Test
    void http10AnswerWithLengthIsReadable() throws Exception {
        replica.always(Script.json("{\"x\":1}"));
        try (Client client = Client.to(stage)) {
            client.send(Client.post("/v1/embeddings", "{}").replace("HTTP/1.1", "HTTP/1.0"));
            assertThat(client.reply().body()).isEqualTo("{\"x\":1}");
        }
    }

    @Test
    void statusesWithoutBodyStayWithoutBody() throws Exception {
        replica.next(
                Script.raw("HTTP/1.1 204 No Content\r\nserver: uvicorn\r\n\r\n"),
                Script.raw("HTTP/1.1 304 Not Modified\r\netag: \"1\"\r\n\r\n"),
                Script.json("{}"));
        try (Client client = Client.to(stage)) {
            String request = Client.post("/v1/embeddings", "{}");
            Client.Reply first = client.send(request).bodilessReply();
            assertThat(first.status()).isEqualTo(204);
            assertThat(first.head()).doesNotContain("transfer-encoding", "content-length");
            Client.Reply second = client.send(request).bodilessReply();
            assertThat(second.status()).isEqualTo(304);
            assertThat(second.head()).doesNotContain("transfer-encoding");
            assertThat(client.send(request).reply().status()).isEqualTo(200);
        }
    }

    @Test
    void headIsAnsweredWithoutBody() throws Exception {
        try (Client client = Client.to(stage)) {
            for (String path : new String[] {"/health", "/v1/models", "/nowhere"}) {
                Client.Reply reply = client.send(Client.request("HEAD", path)).bodilessReply();
                assertThat(reply.status()).isEqualTo(path.equals("/nowhere") ? 404 : 200);
            }
            assertThat(client.send(Client.request("GET", "/version")).reply().body())
                    .contains("1.2.3");
        }
    }

    @Test
    void connectionIsReusedByClientAndTowardsReplica() throws Exception {
        replica.always(Script.stream(FIRST, DONE));
        try (Client client = Client.to(stage)) {
            for (int i = 0; i < 5; i++) {
                assertThat(client.send(Client.chat()).reply().body()).isEqualTo(FIRST + DONE);
            }
        }
        assertThat(replica.calls()).hasSize(5);
        assertThat(replica.connectionsWithCalls()).isEqualTo(1);
    }

    @Test
    void twoPipelinedRequestsAreAnsweredInOrder() throws Exception {
        CountDownLatch slow = new CountDownLatch(1);
        replica.next(Script.until(slow).then(Script.json("{\"n\":1}")), Script.json("{\"n\":2}"));
        try (Client client = Client.to(stage)) {
            client.send(Client.post("/v1/embeddings", "{\"q\":1}") + Client.post("/v1/embeddings", "{\"q\":2}"));
            replica.call(0);
            assertThat(client.isSilentFor(100)).isTrue();
            slow.countDown();
            assertThat(client.reply().body()).isEqualTo("{\"n\":1}");
            assertThat(client.reply().body()).isEqualTo("{\"n\":2}");
        }
        assertThat(replica.call(1).text()).isEqualTo("{\"q\":2}");
    }

    @Test
    void absoluteFormReachesTheReplicaInOriginForm() throws Exception {
        try (Client client = Client.to(stage)) {
            client.send(Client.post("http://front:8000/v1/embeddings?a=%20b", "{}"));
            assertThat(client.reply().status()).isEqualTo(200);
        }
        assertThat(replica.call(0).requestLine()).isEqualTo("POST /v1/embeddings?a=%20b HTTP/1.1");
    }

    @Test
    void expectIsAnsweredHereAndNotForwarded() throws Exception {
        try (Client client = Client.to(stage)) {
            String request = Client.post("/v1/embeddings", "{\"q\":1}", "Expect: 100-continue");
            int body = request.indexOf("\r\n\r\n") + 4;
            client.send(request.substring(0, body));
            assertThat(client.head()).isEqualTo("HTTP/1.1 100 Continue\r\n\r\n");
            client.send(request.substring(body));
            assertThat(client.reply().status()).isEqualTo(200);
        }
        assertThat(replica.call(0).headers("expect")).isEmpty();
        assertThat(replica.call(0).text()).isEqualTo("{\"q\":1}");
    }

    @Test
    void chunkedBodyIsForwardedWithItsLength() throws Exception {
        try (Client client = Client.to(stage)) {
            client.send(Client.request("POST", "/v1/embeddings", "Transfer-Encoding: chunked"));
            client.send("6\r\n{\"mode\r\n");
            client.send("7\r\nl\":\"m\"}\r\n0\r\nX-Trailer: dropped\r\n\r\n");
            assertThat(client.reply().status()).isEqualTo(200);
        }
        Call call = replica.call(0);
        assertThat(call.text()).isEqualTo("{\"model\":\"m\"}");
        assertThat(call.headers("content-length")).containsExactly("13");
        assertThat(call.headers("transfer-encoding")).isEmpty();
        assertThat(call.head).doesNotContainIgnoringCase("trailer");
    }

    @Test
    void replicaConnectionIsClosedAfterItsIdleTime() throws Exception {
        try (Stage brief = Setting.with(replica)
                        .upstreamIdle(Duration.ofSeconds(1))
                        .probes(Duration.ofSeconds(30))
                        .open();
                Client client = Client.to(brief)) {
            client.send(Client.post("/v1/embeddings", "{}")).reply();
            Eventually.that("the kept connection is closed", () -> replica.connectionsWithCalls() == 0);
        }
    }
}
