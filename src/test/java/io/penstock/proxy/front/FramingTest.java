package io.penstock.proxy.front;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.json.JsonObject;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests that are not HTTP as its specifications have it: refused, and the connection closed, before any replica. */
@SuppressWarnings("NullAway.Init") // Opened before each test.
class FramingTest {

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

    static Stream<Arguments> malformed() {
        String post = "POST /v1/embeddings HTTP/1.1\r\n";
        String host = "Host: front\r\n";
        return Stream.of(
                Arguments.of("no Host", post + "Content-Length: 2\r\n\r\n{}"),
                Arguments.of("no Host, no body", "GET /health HTTP/1.1\r\n\r\n"),
                Arguments.of("two Hosts", "GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
                Arguments.of("Host with a space", "GET /health HTTP/1.1\r\nHost: a b\r\n\r\n"),
                Arguments.of("Host with a path", "GET /health HTTP/1.1\r\nHost: a/b\r\n\r\n"),
                Arguments.of("Host with user info", "GET /health HTTP/1.1\r\nHost: u@a\r\n\r\n"),
                Arguments.of("Host list", "GET /health HTTP/1.1\r\nHost: a, b\r\n\r\n"),
                Arguments.of("two different lengths", post + host + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
                Arguments.of("length list", post + host + "Content-Length: 2, 3\r\n\r\n{}"),
                Arguments.of("negative length", post + host + "Content-Length: -2\r\n\r\n{}"),
                Arguments.of("length with a sign", post + host + "Content-Length: +2\r\n\r\n{}"),
                Arguments.of("length in words", post + host + "Content-Length: two\r\n\r\n{}"),
                Arguments.of("unknown transfer coding", post + host + "Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n"),
                Arguments.of("chunked twice", post + host + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
                Arguments.of("chunked not last", post + host + "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"),
                Arguments.of(
                        "chunked in HTTP/1.0",
                        "POST /v1/embeddings HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
                Arguments.of("space before the colon", "GET /health HTTP/1.1\r\nHost: a\r\nX-A : 1\r\n\r\n"),
                Arguments.of("NUL in a header", "GET /health HTTP/1.1\r\nHost: a\r\nX-A: 1\0002\r\n\r\n"),
                Arguments.of("bare CR in a header", "GET /health HTTP/1.1\r\nHost: a\r\nX-A: 1\r2\r\n\r\n"),
                Arguments.of("bare LF after a header", "GET /health HTTP/1.1\r\nHost: a\nX-A: 1\r\n\r\n"),
                Arguments.of("bare LF everywhere", "GET /health HTTP/1.1\nHost: a\n\n"),
                Arguments.of("no version", "GET /health\r\nHost: a\r\n\r\n"),
                Arguments.of("nonsense", "\001\002\003 hello\r\n\r\n"),
                Arguments.of("space in the target", "GET /he alth HTTP/1.1\r\nHost: a\r\n\r\n"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("malformed")
    void malformedRequestGets400AndTheConnectionCloses(String what, String request) throws Exception {
        try (Client client = Client.to(stage)) {
            Client.Reply reply = client.send(request).reply();
            assertThat(reply.status()).as(reply.head()).isEqualTo(400);
            assertThat(reply.header("connection")).isEqualTo("close");
            assertThat(reply.header("x-request-id")).isNotEmpty();
            assertThat(new JsonObject(reply.body()).getJsonObject("error").getString("code"))
                    .isEqualTo("bad_request");
            client.end();
        }
        assertThat(replica.calls()).isEmpty();
    }

    /** The codec drops the length before anyone can see it (RFC 9112, section 6.3, allows that): one framing goes on. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "Content-Length: 5\r\nTransfer-Encoding: chunked",
                "Transfer-Encoding: chunked\r\nContent-Length: 5"
            })
    void ofBothFramingsOnlyTheChunksCount(String framing) throws Exception {
        try (Client client = Client.to(stage)) {
            client.send("POST /v1/embeddings HTTP/1.1\r\nHost: a\r\n" + framing + "\r\n\r\n2\r\n{}\r\n0\r\n\r\n");
            assertThat(client.reply().status()).isEqualTo(200);
        }
        assertThat(replica.call(0).text()).isEqualTo("{}");
        assertThat(replica.call(0).headers("content-length")).containsExactly("2");
        assertThat(replica.call(0).headers("transfer-encoding")).isEmpty();
    }

    /** The codec joins folded lines (RFC 9112, section 5.2, allows that): what goes on is one line. */
    @Test
    void foldedHeaderIsForwardedUnfolded() throws Exception {
        try (Client client = Client.to(stage)) {
            client.send(Client.post("/v1/embeddings", "{}", "X-Folded: 1\r\n 2"));
            assertThat(client.reply().status()).isEqualTo(200);
        }
        assertThat(replica.call(0).header("x-folded")).isEqualTo("1 2");
    }

    /** Vert.x answers this before any handler of ours sees it. */
    @Test
    void unknownVersionGets501() throws Exception {
        try (Client client = Client.to(stage)) {
            client.send("GET /health HTTP/3.0\r\nHost: a\r\n\r\n");
            assertThat(client.reply().status()).isEqualTo(501);
        }
    }

    /** Broken in the middle of a body: Vert.x closes the connection, and nothing reaches a replica. */
    @Test
    void badChunkSizeClosesTheConnection() throws Exception {
        try (Client client = Client.to(stage)) {
            client.send("POST /v1/embeddings HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n");
            client.end();
        }
        stage.report(0);
        assertThat(replica.calls()).isEmpty();
    }

    @Test
    void headersOver32KibGet431() throws Exception {
        try (Client client = Client.to(stage)) {
            client.send(Client.request("GET", "/health", "X-Big: " + "a".repeat(33 << 10)));
            assertRefused(client.reply(), 431, "headers_too_large");
            client.end();
        }
    }

    @Test
    void headersOf31KibPass() throws Exception {
        try (Client client = Client.to(stage)) {
            client.send(Client.request("GET", "/health", "X-Big: " + "a".repeat(31 << 10)));
            assertThat(client.reply().status()).isEqualTo(200);
        }
    }

    @Test
    void requestLineOver16KibGets414() throws Exception {
        try (Client client = Client.to(stage)) {
            client.send(Client.request("GET", "/health?" + "a".repeat(17 << 10)));
            assertRefused(client.reply(), 414, "uri_too_long");
            client.end();
        }
    }

    @Test
    void requestLineOf15KibPasses() throws Exception {
        try (Client client = Client.to(stage)) {
            client.send(Client.request("GET", "/health?" + "a".repeat(15 << 10)));
            assertThat(client.reply().status()).isEqualTo(200);
        }
    }

    @Test
    void pathsThatVertxRoutersRefuseGetOurErrorsToo() throws Exception {
        try (Client client = Client.to(stage)) {
            assertThat(client.send(Client.request("OPTIONS", "*")).reply().status())
                    .isEqualTo(404);
            Client.Reply escape =
                    client.send(Client.request("GET", "/v1/models/%zz")).reply();
            assertThat(escape.status()).isIn(400, 404);
            assertThat(new JsonObject(escape.body()).getJsonObject("error").getString("message"))
                    .isNotEmpty();
        }
    }

    private static void assertRefused(Client.Reply reply, int status, String code) {
        assertThat(reply.status()).as(reply.head()).isEqualTo(status);
        assertThat(reply.header("connection")).isEqualTo("close");
        JsonObject error = new JsonObject(reply.body()).getJsonObject("error");
        assertThat(error.getString("code")).isEqualTo(code);
        assertThat(error.getString("message")).isNotEmpty();
        assertThat(error.containsKey("param")).isTrue();
    }
}
