package io.penstock.proxy.front;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Two hundred uploads of 60 MiB, half sent, at a Penstock of its own process with half a gigabyte of heap: chats must not
 * notice, and the memory comes back.
 */
@Tag("faults")
@SuppressWarnings("NullAway.Init") // Opened before each test.
class UploadFloodTest {

    private static final int MIB = 1 << 20;
    private static final int UPLOADS = 200;
    private static final int UPLOAD_BYTES = 60 * MIB;
    private static final int CHATS = 200;
    private static final int CHATS_AT_ONCE = 8;
    private static final int RUSH_BYTES = 16 * MIB;
    private static final Duration SLOWEST_CHAT = Duration.ofSeconds(3);
    private static final Duration ALWAYS_ACCEPTABLE = Duration.ofMillis(100);

    /** What the uploads are like. */
    enum Kind {
        KNOWN_LENGTH,
        CHUNKED,
        /** From 60 MiB down to 60 KiB, to fill every gap that is left. */
        MANY_SIZES
    }

    @TempDir
    private Path folder;

    private ScriptedReplica replica;
    private Child penstock;
    private Flood flood;

    @BeforeEach
    void open() throws Exception {
        // Long enough that the chats of one moment hold their memory at the same time.
        replica = ScriptedReplica.start().always(Script.after(20).then(Script.json("{}")));
    }

    @AfterEach
    void close() throws Exception {
        if (flood != null) {
            flood.close();
        }
        if (penstock != null) {
            penstock.close();
        }
        replica.close();
    }

    private void start(String clientBody) throws Exception {
        Path config = Files.writeString(
                folder.resolve("penstock.yaml"),
                "listen: 127.0.0.1:0\nadmin: 127.0.0.1:0\nupstreams: [\"http://127.0.0.1:" + replica.port()
                        + "\"]\ntimeouts: {clientBody: " + clientBody + "}\nlog: {access: false}\n");
        penstock = new Child(config);
        Eventually.that(() -> "it answers\n" + penstock.log(), () -> penstock.chat() == 200);
    }

    @ParameterizedTest
    @EnumSource
    void chatsDoNotNoticeTwoHundredHalfSentUploads(Kind kind) throws Exception {
        start("60s");
        chats(); // So that both measurements are of warm code.
        Duration undisturbed = chats();
        flood = new Flood(penstock.front, kind);
        Eventually.that("large bodies hold what they can get", () -> penstock.bodyBytes() > 50 * MIB);

        List<Duration> rushing = new ArrayList<>();
        List<Duration> resting = new ArrayList<>();
        long start = System.nanoTime();
        // Past the time that a body waits for memory, so both before and after most uploads were refused.
        while (System.nanoTime() - start < TimeUnit.SECONDS.toNanos(8) || resting.size() < 5) {
            long sent = flood.sentBytes();
            Duration p95 = chats();
            // Not held to the same time: what refused clients still send is read and dropped on the event loops for
            // up to a second, and chats wait behind it. There each must succeed, without having waited for memory.
            (flood.sentBytes() - sent > RUSH_BYTES ? rushing : resting).add(p95);
        }

        Duration allowed = Collections.max(List.of(ALWAYS_ACCEPTABLE, undisturbed.multipliedBy(3)));
        assertThat(resting)
                .as(
                        "p95 of chats beside half-sent uploads; undisturbed %s, while they were sending %s",
                        undisturbed, rushing)
                .allMatch(p95 -> p95.compareTo(allowed) <= 0);
        assertThat(penstock.bodyBytes()).as("held by large bodies still").isBetween(50L * MIB, 128L * MIB);
        assertThat(flood.statuses()).as("what refused uploads heard").containsOnlyKeys(503);
        assertThat(flood.statuses().get(503)).isGreaterThan(UPLOADS / 4);

        flood.close();
        Eventually.that(() -> "memory comes back: " + penstock.bodyBytes(), () -> penstock.bodyBytes() == 0);
        assertThat(penstock.log()).doesNotContain("OutOfMemory").doesNotContain("ERROR");
        assertThat(penstock.process.isAlive()).isTrue();
        assertThat(penstock.chat()).isEqualTo(200);
    }

    @Test
    void uploadsThatNeverEndAreCutInTime() throws Exception {
        start("2s");
        flood = new Flood(penstock.front, Kind.KNOWN_LENGTH);
        Eventually.that("large bodies hold what they can get", () -> penstock.bodyBytes() > 50 * MIB);

        flood.awaitEnd(Duration.ofSeconds(60));

        assertThat(flood.statuses().keySet()).isSubsetOf(408, 503).contains(408);
        assertThat(flood.statuses().values().stream().mapToInt(n -> n).sum()).isGreaterThan(UPLOADS / 2);
        Eventually.that(() -> "memory comes back: " + penstock.bodyBytes(), () -> penstock.bodyBytes() == 0);
        assertThat(penstock.chat()).isEqualTo(200);
    }

    /** The time that 95 of 100 chats stay below; every one of them must succeed. */
    private Duration chats() throws Exception {
        ExecutorService clients = Executors.newFixedThreadPool(CHATS_AT_ONCE);
        try {
            List<Duration> times = new ArrayList<>();
            for (Future<Duration> chat :
                    clients.invokeAll(Collections.<Callable<Duration>>nCopies(CHATS, this::timedChat))) {
                times.add(chat.get());
            }
            Collections.sort(times);
            return times.get(CHATS * 95 / 100);
        } finally {
            clients.shutdown();
        }
    }

    private Duration timedChat() {
        long start = System.nanoTime();
        assertThat(penstock.chat()).isEqualTo(200);
        Duration time = Duration.ofNanos(System.nanoTime() - start);
        assertThat(time).as("a chat that waits for memory").isLessThan(SLOWEST_CHAT);
        return time;
    }

    /** A Penstock in a process of its own, with a small heap. */
    private static final class Child implements AutoCloseable {

        private static final Pattern FRONT = Pattern.compile("serving on http://127\\.0\\.0\\.1:(\\d+)");
        private static final Pattern ADMIN = Pattern.compile("admin on http://127\\.0\\.0\\.1:(\\d+)");
        private static final Pattern BODIES = Pattern.compile("(?m)^penstock_body_memory_bytes(?:\\{[^}]*})? (\\S+)$");
        private static final String CHAT = "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\""
                + "Why is the sky blue? ".repeat(700) + "\"}]}";

        private final Process process;
        private final Queue<String> lines = new ConcurrentLinkedQueue<>();
        private final HttpClient http =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        private final int front;
        private final int admin;

        Child(Path config) throws IOException {
            process = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-Xmx512m",
                            "-XX:+ExitOnOutOfMemoryError",
                            "-cp",
                            System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                            "io.penstock.Main",
                            "serve",
                            "--config",
                            config.toString())
                    .redirectErrorStream(true)
                    .start();
            Thread reader = new Thread(this::read, "child-log");
            reader.setDaemon(true);
            reader.start();
            front = port(FRONT);
            admin = port(ADMIN);
        }

        private void read() {
            try (BufferedReader out = process.inputReader()) {
                for (String line = out.readLine(); line != null; line = out.readLine()) {
                    lines.add(line);
                }
            } catch (IOException over) {
                // It has ended.
            }
        }

        private int port(Pattern where) {
            Eventually.that(
                    () -> where + " in\n" + log(), () -> where.matcher(log()).find());
            Matcher found = where.matcher(log());
            return found.find() ? Integer.parseInt(found.group(1)) : 0;
        }

        String log() {
            return String.join("\n", lines);
        }

        int chat() {
            return send(HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + front + "/v1/chat/completions"))
                            .POST(HttpRequest.BodyPublishers.ofString(CHAT)))
                    .statusCode();
        }

        long bodyBytes() {
            String metrics = send(HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + admin + "/metrics")))
                    .body();
            Matcher bytes = BODIES.matcher(metrics);
            assertThat(bytes.find()).as(metrics).isTrue();
            return (long) Double.parseDouble(bytes.group(1));
        }

        private HttpResponse<String> send(HttpRequest.Builder request) {
            try {
                return http.send(request.timeout(Duration.ofSeconds(10)).build(), HttpResponse.BodyHandlers.ofString());
            } catch (IOException | InterruptedException e) {
                throw new AssertionError("no answer\n" + log(), e);
            }
        }

        @Override
        public void close() {
            process.destroyForcibly().onExit().join();
        }
    }

    /** Clients that send the first half of a large body, and then nothing more; they read what they are told. */
    private static final class Flood implements AutoCloseable {

        private static final Pattern STATUS = Pattern.compile("^HTTP/1\\.1 (\\d+) ");

        private final List<Socket> sockets = new ArrayList<>();
        private final List<Thread> threads = new ArrayList<>();
        private final AtomicLong sentBytes = new AtomicLong();
        private final Map<Integer, Integer> statuses = new ConcurrentHashMap<>();

        Flood(int port, Kind kind) throws IOException {
            for (int i = 0; i < UPLOADS; i++) {
                Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
                sockets.add(socket);
                int bytes = kind == Kind.MANY_SIZES ? UPLOAD_BYTES >> i % 11 : UPLOAD_BYTES;
                threads.add(daemon(() -> sendHalf(socket, bytes, kind == Kind.CHUNKED)));
                threads.add(daemon(() -> listen(socket)));
            }
        }

        private static Thread daemon(Runnable work) {
            Thread thread = new Thread(work, "flood");
            thread.setDaemon(true);
            thread.start();
            return thread;
        }

        private void sendHalf(Socket socket, int bytes, boolean chunked) {
            byte[] piece = new byte[64 << 10];
            String framing = chunked
                    ? "Transfer-Encoding: chunked\r\n\r\n" + Integer.toHexString(bytes) + "\r\n"
                    : "Content-Length: " + bytes + "\r\n\r\n";
            try {
                OutputStream out = socket.getOutputStream();
                out.write(("POST /v1/audio/transcriptions HTTP/1.1\r\nHost: a\r\n" + framing)
                        .getBytes(StandardCharsets.US_ASCII));
                for (int left = bytes / 2; left > 0; left -= piece.length) {
                    out.write(piece, 0, Math.min(left, piece.length));
                    sentBytes.addAndGet(piece.length);
                }
            } catch (IOException cut) {
                // It was refused.
            }
        }

        private void listen(Socket socket) {
            try {
                InputStream in = socket.getInputStream();
                Matcher status = STATUS.matcher(new String(in.readNBytes(13), StandardCharsets.US_ASCII));
                if (status.find()) {
                    statuses.merge(Integer.parseInt(status.group(1)), 1, Integer::sum);
                }
                in.transferTo(OutputStream.nullOutputStream());
            } catch (IOException cut) {
                // Closed, by them or by us.
            }
        }

        /** What all of them have sent so far. */
        long sentBytes() {
            return sentBytes.get();
        }

        /** How many heard which status so far. */
        Map<Integer, Integer> statuses() {
            return statuses;
        }

        void awaitEnd(Duration most) throws InterruptedException {
            long end = System.nanoTime() + most.toNanos();
            for (Thread thread : threads) {
                thread.join(Math.max(1, TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime())));
                assertThat(thread.isAlive())
                        .as("a connection that is still open")
                        .isFalse();
            }
        }

        @Override
        public void close() throws IOException {
            for (Socket socket : sockets) {
                socket.close();
            }
        }
    }
}
