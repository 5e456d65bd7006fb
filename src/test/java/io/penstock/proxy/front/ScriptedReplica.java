package io.penstock.proxy.front;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * A replica on a bare server socket that does exactly what a test tells it. Probes of its health and its models are
 * answered unless a test says otherwise, and are not among its {@link #calls}.
 */
public final class ScriptedReplica implements AutoCloseable {

    private static final String MODELS =
            "{\"object\":\"list\",\"data\":[{\"id\":\"m\",\"object\":\"model\",\"owned_by\":\"vllm\"}]}";

    private final String address;
    private final int backlog;
    private final Map<String, Script> paths = new ConcurrentHashMap<>();
    private final Queue<Script> once = new ConcurrentLinkedQueue<>();
    private final List<Call> calls = new CopyOnWriteArrayList<>();
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private final List<Socket> fillers = new ArrayList<>();
    private volatile Script always = Script.json("{}");
    private volatile boolean deaf;
    private volatile int idleMillis = 60_000;
    private ServerSocket listener;
    private @Nullable Thread accepting;

    private ScriptedReplica(String address, int port, int backlog) throws IOException {
        this.address = address;
        this.backlog = backlog;
        this.listener = new ServerSocket(port, backlog, InetAddress.getByName(address));
        accept(listener);
    }

    /** One on a free port of 127.0.0.1. */
    public static ScriptedReplica start() throws IOException {
        return new ScriptedReplica("127.0.0.1", 0, 512);
    }

    /** One on another loopback address. */
    public static ScriptedReplica startAt(String address, int port) throws IOException {
        return new ScriptedReplica(address, port, 512);
    }

    /** One whose backlog a test can fill, see {@link #blackHole}. */
    public static ScriptedReplica startWithTinyBacklog() throws IOException {
        return new ScriptedReplica("127.0.0.1", 0, 1);
    }

    /** Where it listens. */
    public int port() {
        return listener.getLocalPort();
    }

    /** What it does with every request for which {@link #next} says nothing. */
    public ScriptedReplica always(Script script) {
        always = script;
        return this;
    }

    /** What it does with the next requests, one each. */
    public ScriptedReplica next(Script... scripts) {
        once.addAll(List.of(scripts));
        return this;
    }

    /** What it does with a path, {@code /health} and {@code /v1/models} included. Not among the calls. */
    public ScriptedReplica at(String path, Script script) {
        paths.put(path, script);
        return this;
    }

    /** Closes a connection after so long without a request. */
    public ScriptedReplica idle(int millis) {
        idleMillis = millis;
        return this;
    }

    /** The requests so far. */
    public List<Call> calls() {
        return List.copyOf(calls);
    }

    /** The n-th request, from 0, once it is there. */
    public Call call(int n) {
        Eventually.that("request " + n + " reaches the replica", () -> calls.size() > n);
        return calls.get(n);
    }

    /** Requests whose script is still being played. */
    public long busy() {
        return calls.stream().filter(call -> !call.over()).count();
    }

    /** Connections that have carried a request and that neither side has closed. */
    public int connectionsWithCalls() {
        return (int) open.stream()
                .filter(socket -> calls.stream().anyMatch(call -> call.cameBy(socket)))
                .count();
    }

    /** Closes the port: connections are refused from now on. Those that are open stay. */
    public ScriptedReplica refuse() throws Exception {
        listener.close();
        acceptorEnds(); // While it still accepts, the kernel keeps the port open.
        return this;
    }

    /** Opens the same port again. */
    public ScriptedReplica listen() throws IOException {
        int port = listener.getLocalPort();
        listener = new ServerSocket();
        listener.setReuseAddress(true);
        listener.bind(new InetSocketAddress(address, port), backlog);
        accept(listener);
        return this;
    }

    /** Closes the port and resets every connection, as when its process is killed. */
    public ScriptedReplica die() throws Exception {
        refuse();
        for (Socket socket : open) {
            socket.setSoLinger(true, 0);
            socket.close();
        }
        return this;
    }

    /** Accepts nobody any more: from now on the kernel drops who wants to connect. */
    public ScriptedReplica blackHole() throws Exception {
        deaf = true;
        fillers.add(new Socket(address, port()));
        acceptorEnds(); // It took that one; the next ones fill the backlog.
        while (true) {
            Socket filler = new Socket();
            fillers.add(filler);
            try {
                filler.connect(new InetSocketAddress(address, port()), 150);
            } catch (SocketTimeoutException full) {
                return this;
            }
        }
    }

    private void acceptorEnds() throws InterruptedException {
        Thread acceptor = accepting;
        if (acceptor != null) {
            acceptor.join(10_000);
        }
    }

    private void accept(ServerSocket from) {
        accepting = daemon(() -> {
            while (!deaf) {
                Socket socket = from.accept();
                if (deaf) {
                    fillers.add(socket);
                    return;
                }
                open.add(socket);
                daemon(() -> serve(socket));
            }
        });
    }

    private interface Work {
        void run() throws Exception;
    }

    private static Thread daemon(Work work) {
        Thread thread = new Thread(
                () -> {
                    try {
                        work.run();
                    } catch (Exception over) {
                        // The socket was closed, by us or by them.
                    }
                },
                "scripted-replica");
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    private void serve(Socket socket) throws Exception {
        try (socket) {
            socket.setTcpNoDelay(true);
            InputStream in = new BufferedInputStream(socket.getInputStream());
            while (!socket.isClosed()) {
                socket.setSoTimeout(idleMillis);
                String head = line(in, "\r\n\r\n");
                socket.setSoTimeout(0);
                Call call = new Call(socket, head, body(in, head));
                Script told = paths.get(path(head));
                Script probe = told == null ? standing(path(head)) : told;
                if (probe != null) {
                    probe.play(call);
                } else {
                    play(call);
                }
            }
        } finally {
            open.remove(socket);
        }
    }

    private void play(Call call) throws Exception {
        Script next = once.poll();
        calls.add(call);
        try {
            (next == null ? always : next).play(call);
        } finally {
            call.ends();
        }
    }

    private static @Nullable Script standing(String path) {
        return switch (path) {
            case "/health" -> Script.answer(200, "text/plain", "");
            case "/v1/models" -> Script.json(MODELS);
            default -> null;
        };
    }

    private static String path(String head) {
        return head.split(" ", 3)[1];
    }

    private static byte[] body(InputStream in, String head) throws IOException {
        String lower = head.toLowerCase(Locale.ROOT);
        if (lower.contains("\r\ntransfer-encoding: chunked")) {
            return line(in, "0\r\n\r\n").getBytes(StandardCharsets.ISO_8859_1);
        }
        int at = lower.indexOf("\r\ncontent-length:");
        if (at < 0) {
            return new byte[0];
        }
        int length = Integer.parseInt(
                lower.substring(at + 17, lower.indexOf('\r', at + 2)).strip());
        byte[] body = in.readNBytes(length);
        if (body.length < length) {
            throw new IOException("the body ended early");
        }
        return body;
    }

    /** Reads up to and with a mark; fails when the connection ends before it. */
    private static String line(InputStream in, String mark) throws IOException {
        ByteArrayOutputStream seen = new ByteArrayOutputStream();
        int matched = 0;
        while (matched < mark.length()) {
            int next = in.read();
            if (next < 0) {
                throw new IOException("ended");
            }
            seen.write(next);
            matched = next == mark.charAt(matched) ? matched + 1 : next == mark.charAt(0) ? 1 : 0;
        }
        return seen.toString(StandardCharsets.ISO_8859_1);
    }

    @Override
    public void close() throws IOException {
        deaf = true;
        listener.close();
        for (Socket socket : open) {
            socket.close();
        }
        for (Socket socket : fillers) {
            socket.close();
        }
    }
}
