package io.penstock.sim;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.buffer.Buffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HttpRequestReaderTest {

    private final List<String> seen = new ArrayList<>();
    private final List<SimRequest> requests = new ArrayList<>();
    private final HttpRequestReader reader = new HttpRequestReader(new HttpRequestReader.Listener() {
        @Override
        public void onExpectContinue() {
            seen.add("100");
        }

        @Override
        public void onRequest(SimRequest request) {
            requests.add(request);
            seen.add(request.method() + " " + request.path() + " " + request.body());
        }

        @Override
        public void onInvalid() {
            seen.add("invalid");
        }
    });

    @Test
    void readsRequestsThatComeByteByByte() {
        String two = String.join(
                "\r\n",
                "",
                "POST /a?x=1%202&y HTTP/1.1",
                "Host: h",
                "Transfer-Encoding: chunked",
                "",
                "3;ext=1",
                "abc",
                "02",
                "de",
                "0",
                "Trailer: t",
                "",
                "POST /b HTTP/1.0",
                "X:  v ",
                "Content-Length: 2",
                "",
                "ok");

        for (byte each : two.getBytes(java.nio.charset.StandardCharsets.US_ASCII)) {
            reader.read(Buffer.buffer(new byte[] {each}));
        }

        assertThat(seen).containsExactly("POST /a abcde", "POST /b ok");
        assertThat(requests.get(0).parameter("x")).isEqualTo("1 2");
        assertThat(requests.get(0).parameter("z")).isNull();
        assertThat(requests.get(1).header("x")).isEqualTo("v");
        assertThat(requests.get(1).keepsConnection()).isFalse();
    }

    @Test
    void readsRequestsThatComeInOnePiece() {
        reader.read(Buffer.buffer(
                "GET /a HTTP/1.1\r\n\r\nGET http://h:1/b?q HTTP/1.1\r\n\r\nGET http://h HTTP/1.1\r\n\r\n"));

        assertThat(seen).containsExactly("GET /a ", "GET /b ", "GET / ");
    }

    @Test
    void asksForABodyOnlyWhenItHasNotCome() {
        reader.read(Buffer.buffer("POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"));
        reader.read(Buffer.buffer("x"));
        reader.read(Buffer.buffer("POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\ny"));

        assertThat(seen).containsExactly("100", "POST / x", "POST / y");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET /a HTTP/2.0\r\n\r\n",
                "GET  /a HTTP/1.1\r\n\r\n",
                "GET  HTTP/1.1\r\n\r\n",
                "get /a HTTP/1.1\r\n\r\n",
                "GET /a HTTP/1.1\r\nNoColon\r\n\r\n",
                "GET /a HTTP/1.1\r\n: v\r\n\r\n",
                "POST /a HTTP/1.1\r\nContent-Length: +1\r\n\r\n",
                "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
                "POST /a HTTP/1.1\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
            })
    void refusesWhatIsNotHttp(String bytes) {
        reader.read(Buffer.buffer(bytes));
        reader.read(Buffer.buffer("GET /later HTTP/1.1\r\n\r\n"));

        assertThat(seen).containsExactly("invalid");
    }

    @Test
    void refusesTargetsOfMoreThan64KiB() {
        reader.read(Buffer.buffer("GET /" + "a".repeat(70_000) + " HTTP/1.1\r\n\r\n"));

        assertThat(seen).containsExactly("invalid");
    }

    @Test
    void leavesBrokenPercentEncodingAlone() {
        reader.read(Buffer.buffer("GET /a%zz+b HTTP/1.1\r\nConnection: Close\r\n\r\n"));

        assertThat(requests.get(0).path()).startsWith("/a%zz");
        assertThat(requests.get(0).keepsConnection()).isFalse();
    }
}
