package io.penstock.faults;

import io.netty.channel.ChannelException;
import io.netty.channel.ChannelOption;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.internal.net.NetSocketInternal;
import io.vertx.core.net.NetClient;
import io.vertx.core.net.NetServer;
import io.vertx.core.net.NetSocket;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The cable between a proxy and one replica. It passes what it gets, byte for byte, counts the tries of each request,
 * and strikes those that the mischief names. When its replica is away its port is closed, so a proxy is refused as it
 * would be by the replica itself.
 */
final class Wire implements AutoCloseable {

    private static final int TIMEOUT_SECONDS = 10;

    private final Vertx vertx;
    private final Mischief mischief;
    private final Set<NetSocket> lines = ConcurrentHashMap.newKeySet();
    private final AtomicInteger open = new AtomicInteger();
    private final Queue<Long> asked = new ConcurrentLinkedQueue<>();
    private final NetClient client;
    private final int replicaPort;
    private volatile Runnable killer = () -> {};
    private volatile @Nullable Strike everybody;
    private volatile int idleMillis;
    private volatile int port;
    private final List<Socket> fillers = new ArrayList<>();
    private @Nullable ServerSocket hole;
    // Guarded by this: who opens and closes the port takes turns. Null while it is closed.
    private @Nullable NetServer server;
    // By whoever tells the wire what to do; null unless it flaps.
    private @Nullable ScheduledExecutorService flapping;

    Wire(Vertx vertx, Mischief mischief, int replicaPort) {
        this.vertx = vertx;
        this.mischief = mischief;
        this.replicaPort = replicaPort;
        this.client = vertx.createNetClient();
        listen();
    }

    /** What a request that kills does. */
    void onKill(Runnable action) {
        killer = action;
    }

    /** What happens to every request that asks for text; null for nothing. A replica that is about to die is like that. */
    void strikeEverybody(@Nullable Strike strike) {
        everybody = strike;
    }

    @Nullable
    Strike everybody() {
        return everybody;
    }

    /** Closes connections that were not used for so long; 0 for never. */
    void closeIdle(int millis) {
        idleMillis = millis;
    }

    /** Where proxies connect; the same for ever. */
    int port() {
        return port;
    }

    /** Requests that have come in and whose answer is not over. */
    int open() {
        return open.get();
    }

    /** When each question of a client came in, in order; nanoseconds. */
    List<Long> askedNanos() {
        return List.copyOf(asked);
    }

    /** The replica has died: the port closes, every connection is reset. */
    synchronized void down() {
        unlisten();
        lines.forEach(Wire::reset);
    }

    /** The replica is back. */
    void up() {
        stopFlapping();
        listen();
    }

    /** Nobody accepts any more: connections come to nothing, without a refusal. What is connected stays so. */
    void hole() throws IOException {
        unlisten();
        patiently(() -> {
            ServerSocket socket = new ServerSocket();
            socket.setReuseAddress(true);
            try {
                socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1);
            } catch (IOException e) {
                socket.close();
                throw e;
            }
            hole = socket;
        });
        // As many as the backlog takes; the next one gets no answer.
        for (int i = 0; i < 3; i++) {
            Socket filler = new Socket();
            fillers.add(filler);
            try {
                filler.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 300);
            } catch (SocketTimeoutException full) {
                return;
            }
        }
    }

    /** Somebody accepts again; what was connected before the hole is reset. */
    void holeEnds() throws IOException {
        for (Socket filler : fillers) {
            filler.close();
        }
        fillers.clear();
        ServerSocket ended = hole;
        if (ended != null) {
            ended.close();
        }
        lines.forEach(Wire::reset);
        listen();
    }

    /** Closes the port and opens it again after so long, and so on; ends open when {@link #up} is called. */
    void flap(int millis) {
        down();
        ScheduledExecutorService turns = Executors.newSingleThreadScheduledExecutor();
        flapping = turns;
        var unused = turns.scheduleAtFixedRate(this::turn, millis, millis, TimeUnit.MILLISECONDS);
    }

    private synchronized void turn() {
        if (server != null) {
            down();
        } else {
            listen();
        }
    }

    /** Whatever turn is on its way is over then, and none will come. */
    private void stopFlapping() {
        ScheduledExecutorService turns = flapping;
        flapping = null;
        if (turns == null) {
            return;
        }
        turns.shutdown();
        try {
            if (!turns.awaitTermination(2 * TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
                throw new IllegalStateException("the flapping does not end");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void connected(NetSocket socket) {
        lines.add(socket);
        new WireLine(this, socket).start();
    }

    /** Opens the port if it is closed. */
    private synchronized void listen() {
        if (server == null) {
            patiently(() -> {
                NetServer opened = vertx.createNetServer().connectHandler(this::connected);
                await(opened.listen(port, "127.0.0.1"));
                port = opened.actualPort();
                server = opened;
            });
        }
    }

    private synchronized void unlisten() {
        NetServer open = server;
        server = null;
        if (open != null) {
            await(open.close());
            // Closed is not yet free: for a moment connections are still accepted, and come to nothing.
            patiently(() -> {
                try (Socket free = new Socket()) {
                    free.setReuseAddress(true);
                    free.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
                }
            });
        }
    }

    private interface Binding {
        void bind() throws Exception;
    }

    /** A port that was closed may be taken for a moment, by chance as the near end of somebody's connection. */
    private static void patiently(Binding binding) {
        try {
            Deadline.of(TIMEOUT_SECONDS).until(() -> "the port can be had", () -> binds(binding));
        } catch (Exception e) {
            throw new IllegalStateException("the port cannot be had", e);
        }
    }

    private static boolean binds(Binding binding) throws Exception {
        try {
            binding.bind();
            return true;
        } catch (BindException taken) {
            return false;
        } catch (CompletionException e) {
            if (e.getCause() instanceof BindException) {
                return false;
            }
            throw e;
        }
    }

    Vertx vertx() {
        return vertx;
    }

    Mischief mischief() {
        return mischief;
    }

    int idleMillis() {
        return idleMillis;
    }

    Future<NetSocket> dial() {
        return client.connect(replicaPort, "127.0.0.1");
    }

    void kill() {
        killer.run();
    }

    void began() {
        open.incrementAndGet();
    }

    void asked() {
        asked.add(System.nanoTime());
    }

    void ended() {
        open.decrementAndGet();
    }

    void gone(NetSocket line) {
        lines.remove(line);
    }

    /** Ends a connection by a reset. */
    static void reset(NetSocket socket) {
        var channel = ((NetSocketInternal) socket).channelHandlerContext().channel();
        try {
            channel.config().setOption(ChannelOption.SO_LINGER, 0);
        } catch (ChannelException closedAlready) {
            return;
        }
        socket.close().onFailure(t -> {
            // Closed already.
        });
    }

    private static void await(Future<?> future) {
        future.toCompletionStage()
                .toCompletableFuture()
                .orTimeout(TIMEOUT_SECONDS, TimeUnit.SECONDS)
                .join();
    }

    @Override
    public void close() {
        stopFlapping();
        down();
        await(client.close());
    }
}
