package io.penstock.health;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A server on a raw socket that does what a test tells it to. The port stays its own through {@link #close}. */
final class ScriptedReplica implements AutoCloseable {

    /** What it does with a connection or a request. */
    enum Manner {
        /** 200 and an empty body. */
        FINE,
        /** 503. */
        UNAVAILABLE,
        /** 307 to a path that is fine. */
        MOVED,
        /** 200 and a body without end. */
        ENDLESS,
        /** Reads the request and says nothing. */
        MUTE,
        /** Says 200 once {@link #letGo} was called. */
        HELD,
        /** Ends the connection as soon as it is there, by RST. */
        RESET,
        /** Reads the request, then ends the connection properly. */
        HANG_UP,
        /** Answers in another protocol. */
        GIBBERISH
    }

    private static final String EMPTY_200 = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

    final List<String> requests = new CopyOnWriteArrayList<>();
    final List<String> headers = new CopyOnWriteArrayList<>();
    final AtomicInteger concurrent = new AtomicInteger();
    final AtomicInteger mostConcurrent = new AtomicInteger();
    volatile Manner health = Manner.FINE;
    /** The answer to {@code GET /v1/models}, from status line to the end; null for none. */
    volatile @Nullable String models = modelsAnswer("demo");

    /** The answer to {@code GET /metrics}; null for none. */
    volatile @Nullable String metrics;
    /** The answer to {@code POST /v1/completions}; null for none. */
    volatile @Nullable String completions;
    /** The answer to {@code POST /v1/embeddings}; null for none. */
    volatile @Nullable String embeddings;
    /** The bodies of what was posted. */
    final List<String> bodies = new CopyOnWriteArrayList<>();

    private final Semaphore held = new Semaphore(0);
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private final String address;
    private final int port;
    private volatile @Nullable ServerSocket listener;
    private @Nullable Thread accepting;

    ScriptedReplica() throws IOException {
        this("127.0.0.1", 0);
    }

    ScriptedReplica(String address, int port) throws IOException {
        this.address = address;
        this.port = listen(port);
    }

    static String modelsAnswer(String... ids) {
        StringBuilder body = new StringBuilder("{\"object\":\"list\",\"data\":[");
        for (int i = 0; i < ids.length; i++) {
            body.append(i == 0 ? "" : ",").append("{\"id\":\"").append(ids[i]).append("\"}");
        }
        return answer("200 OK", body.append("]}").toString());
    }

    static String answer(String status, String body) {
        return "HTTP/1.1 " + status + "\r\ncontent-length: " + body.length() + "\r\n\r\n" + body;
    }

    int port() {
        return port;
    }

    long count(String path) {
        return requests.stream().filter(path::equals).count();
    }

    int openConnections() {
        return open.size();
    }

    /** Lets one held answer go. */
    void letGo() {
        held.release();
    }

    /** Listens again on its port. */
    void reopen() throws IOException {
        listen(port);
    }

    private int listen(int wanted) throws IOException {
        ServerSocket server = new ServerSocket();
        server.setReuseAddress(true);
        server.bind(new InetSocketAddress(InetAddress.getByName(address), wanted));
        listener = server;
        Thread acceptor = new Thread(() -> accept(server), "scripted-accept");
        accepting = acceptor;
        acceptor.setDaemon(true);
        acceptor.start();
        return server.getLocalPort();
    }

    private void accept(ServerSocket server) {
        while (true) {
            try {
                Socket socket = server.accept();
                if (health == Manner.RESET) {
                    socket.setSoLinger(true, 0);
                    socket.close();
                    continue;
                }
                open.add(socket);
                Thread serving = new Thread(() -> serve(socket), "scripted-serve");
                serving.setDaemon(true);
                serving.start();
            } catch (IOException closed) {
                return;
            }
        }
    }

    private void serve(Socket socket) {
        boolean counted = false;
        try (socket) {
            BufferedReader in = new BufferedReader(new InputStreamReader(socket.getInputStream(), ISO_8859_1));
            List<String> head = new ArrayList<>();
            for (String line = in.readLine(); line != null && !line.isEmpty(); line = in.readLine()) {
                head.add(line);
            }
            if (head.isEmpty()) {
                return;
            }
            String path = head.get(0)
                    .substring(head.get(0).indexOf(' ') + 1, head.get(0).lastIndexOf(' '));
            headers.addAll(head.subList(1, head.size()));
            counted = path.equals("/health");
            if (counted) {
                mostConcurrent.accumulateAndGet(concurrent.incrementAndGet(), Math::max);
            }
            bodies.addAll(readBody(in, head));
            requests.add(path);
            if (respond(socket, path)) {
                // Until the other side ends it.
                while (in.read() >= 0) {
                    Thread.onSpinWait();
                }
            }
        } catch (IOException ended) {
            // By the other side or by close().
        } finally {
            if (counted) {
                concurrent.decrementAndGet();
            }
            open.remove(socket);
        }
    }

    private static List<String> readBody(BufferedReader in, List<String> head) throws IOException {
        for (String line : head) {
            if (line.toLowerCase(Locale.ROOT).startsWith("content-length:")) {
                char[] body = new char[Integer.parseInt(line.substring(15).strip())];
                int read = 0;
                while (read < body.length) {
                    int more = in.read(body, read, body.length - read);
                    if (more < 0) {
                        return List.of();
                    }
                    read += more;
                }
                return List.of(new String(body));
            }
        }
        return List.of();
    }

    private boolean respond(Socket socket, String path) throws IOException {
        Map<String, Supplier<@Nullable String>> written = Map.of(
                "/v1/models", () -> models,
                "/metrics", () -> metrics,
                "/v1/completions", () -> completions,
                "/v1/embeddings", () -> embeddings);
        if (written.containsKey(path)) {
            String answer = written.get(path).get();
            if (answer != null) {
                send(socket, answer);
            }
            return true;
        }
        if (path.equals("/elsewhere")) {
            send(socket, EMPTY_200);
            return true;
        }
        switch (health) {
            case FINE -> send(socket, EMPTY_200);
            case UNAVAILABLE -> send(socket, answer("503 Service Unavailable", ""));
            case MOVED ->
                send(socket, "HTTP/1.1 307 Temporary Redirect\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n");
            case ENDLESS -> send(socket, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n");
            case GIBBERISH -> send(socket, "SSH-2.0-OpenSSH_9.6\r\n\r\n");
            case HELD -> {
                held.acquireUninterruptibly();
                send(socket, EMPTY_200);
            }
            case MUTE -> {}
            case RESET, HANG_UP -> {
                return false;
            }
        }
        return true;
    }

    private static void send(Socket socket, String bytes) throws IOException {
        socket.getOutputStream().write(bytes.getBytes(ISO_8859_1));
        socket.getOutputStream().flush();
    }

    /** The port is closed only once nobody stands in accept() any more. */
    private void awaitAcceptor() {
        Thread acceptor = accepting;
        if (acceptor != null) {
            try {
                acceptor.join(5_000);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Closes the port and resets every connection, as a process that is killed does. */
    @Override
    public void close() throws IOException {
        ServerSocket server = listener;
        if (server != null) {
            server.close();
        }
        awaitAcceptor();
        for (Socket socket : open) {
            try {
                socket.setSoLinger(true, 0);
            } catch (SocketException gone) {
                // Then there is nothing to reset.
            }
            socket.close();
        }
    }
}
