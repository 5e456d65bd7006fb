package io.penstock.admin;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.json.JsonObject;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The feed alone, on a real server, at a pace that a test can wait for. */
@Timeout(60)
class LiveFeedTest {

    private static final int EVERY_MILLIS = 10;

    private final Vertx vertx = Vertx.vertx();
    private final AtomicInteger made = new AtomicInteger();
    private final CountDownLatch rested = new CountDownLatch(1);
    private final List<Socket> sockets = new ArrayList<>();
    private final AtomicBoolean fails = new AtomicBoolean();
    private volatile String payload = "";
    private HttpServer server;
    private LiveFeed feed;

    @BeforeEach
    void open() throws Exception {
        feed = new LiveFeed(vertx, EVERY_MILLIS, this::snapshot, rested::countDown);
        // A kernel that keeps little shows what we keep.
        server = vertx.createHttpServer(new HttpServerOptions().setSendBufferSize(32 << 10))
                .requestHandler(request -> {
                    try {
                        feed.show(request.response());
                    } catch (IllegalStateException failed) {
                        request.response().setStatusCode(500).end();
                    }
                })
                .listen(0, "127.0.0.1")
                .await(20, TimeUnit.SECONDS);
    }

    private JsonObject snapshot() {
        if (fails.getAndSet(false)) {
            throw new IllegalStateException("no snapshot, for a test");
        }
        return new JsonObject().put("n", made.incrementAndGet()).put("payload", payload);
    }

    @AfterEach
    void close() throws Exception {
        for (Socket socket : sockets) {
            socket.close();
        }
        vertx.close().await(20, TimeUnit.SECONDS);
    }

    @Test
    void nothingIsMadeWhileNobodyLooks() throws Exception {
        assertThat(made).hasValue(0);
        Socket viewer = viewer(64 << 10);
        event(reader(viewer));
        viewer.close();
        assertThat(rested.await(20, TimeUnit.SECONDS)).isTrue();

        int before = made.get();
        vertx.timer(10L * EVERY_MILLIS).await(20, TimeUnit.SECONDS);

        assertThat(made).hasValue(before);
    }

    @Test
    void whoeverComesAfterASnapshotFailedIsServedAllTheSame() throws Exception {
        fails.set(true);
        assertThat(reader(viewer(64 << 10)).readLine()).contains("500");

        BufferedReader next = reader(viewer(64 << 10));
        assertThat(event(next).getInteger("n")).isEqualTo(1);
        assertThat(event(next).getInteger("n")).isGreaterThan(1);
    }

    @Test
    void oneSnapshotServesAllViewers() throws Exception {
        BufferedReader one = reader(viewer(64 << 10));
        BufferedReader other = reader(viewer(64 << 10));
        int ofOne = event(one).getInteger("n");
        int ofOther = event(other).getInteger("n");

        // Either may miss one now and then; were they made for each of them, no number would come twice.
        while (ofOne != ofOther) {
            if (ofOne < ofOther) {
                ofOne = event(one).getInteger("n");
            } else {
                ofOther = event(other).getInteger("n");
            }
        }
        assertThat(ofOne).isPositive();
    }

    @Test
    void whoDoesNotReadMissesSnapshotsAndIsDroppedInTheEnd() throws Exception {
        payload = "x".repeat(256 << 10);
        Socket slow = viewer(8 << 10);

        // It was the only one.
        assertThat(rested.await(20, TimeUnit.SECONDS)).isTrue();

        assertThat(made).hasValueGreaterThanOrEqualTo(LiveFeed.MOST_MISSED);
        assertThat(bytesUntilTheEnd(slow)).isLessThan(LiveFeed.MOST_MISSED * (long) payload.length() / 2);
    }

    @Test
    void closingSaysGoodbyeAndEndsTheStream() throws Exception {
        Socket viewer = viewer(64 << 10);
        BufferedReader reader = reader(viewer);
        event(reader);

        vertx.runOnContext(now -> feed.close());

        String line = reader.readLine();
        while (line != null && !line.equals("event: bye")) {
            line = reader.readLine();
        }
        assertThat(line).isEqualTo("event: bye");
        while (!"0".equals(line)) {
            line = reader.readLine();
            assertThat(line).isNotNull();
        }
        assertThat(rested.getCount()).isZero();
        assertThat(feed.hasRoom()).isFalse();
    }

    private Socket viewer(int receiveBuffer) throws IOException {
        Socket socket = new Socket();
        sockets.add(socket);
        socket.setReceiveBufferSize(receiveBuffer);
        socket.setSoTimeout(20_000);
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), server.actualPort()));
        socket.getOutputStream()
                .write("GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        return socket;
    }

    private static BufferedReader reader(Socket socket) throws IOException {
        return new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
    }

    /** Chunk sizes stand on lines of their own, so they do not get into the data. */
    private static JsonObject event(BufferedReader reader) throws IOException {
        String line = reader.readLine();
        while (line != null && !line.startsWith("data: ")) {
            line = reader.readLine();
        }
        assertThat(line).as("an event").isNotNull();
        return new JsonObject(line.substring("data: ".length()));
    }

    private static long bytesUntilTheEnd(Socket socket) throws IOException {
        long bytes = 0;
        try (InputStream in = socket.getInputStream()) {
            byte[] some = new byte[64 << 10];
            for (int read = in.read(some); read >= 0; read = in.read(some)) {
                bytes += read;
            }
        } catch (SocketException reset) {
            return bytes;
        }
        return bytes;
    }
}
