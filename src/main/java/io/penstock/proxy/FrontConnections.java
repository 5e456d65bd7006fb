package io.penstock.proxy;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import io.penstock.config.PenstockConfig;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.net.impl.ConnectionBase;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The clients' connections of one event loop: how many there may be, how long one may take for its first request, and
 * how long it may idle. Vert.x has no time limit for a request's head, and its idle timeout would cut requests that wait
 * for a long prefill; hence this. Confined to one event loop, but for the count, which all loops share.
 */
final class FrontConnections {

    /** What a connection is doing. */
    private static final class Seat {
        private int requests;
        private boolean greeted;
        // Its last answer did not say that the connection ends, so its client may be sending the next request now.
        private boolean owed;
        private long sinceNanos;

        private Seat(long sinceNanos) {
            this.sinceNanos = sinceNanos;
        }
    }

    /** On the way down, whoever might be sending a request has this long. */
    private static final long LINGER_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final Loop loop;
    private final AtomicInteger open;
    private final Map<HttpConnection, Seat> seats = new HashMap<>();
    private @Nullable ListeningSocket listener;

    FrontConnections(Loop loop, AtomicInteger open) {
        this.loop = loop;
        this.open = open;
    }

    /** Takes a connection in, or closes it if there are too many. */
    void opened(HttpConnection connection) {
        loop.shared().observer().connectionOpened();
        if (listener == null) {
            listener = new ListeningSocket(channel(connection).parent());
        }
        int now = open.incrementAndGet();
        seats.put(connection, new Seat(loop.now()));
        connection.exceptionHandler(t -> {}); // Without one Vert.x logs an error for each client that resets.
        connection.closeHandler(v -> {
            open.decrementAndGet();
            seats.remove(connection);
            loop.shared().observer().connectionClosed();
        });
        if (now > loop.config().limits().connections()) {
            connection.close();
        }
    }

    /**
     * Where they come from.
     *
     * @return null while there was none
     */
    @Nullable
    ListeningSocket listener() {
        return listener;
    }

    /** Whether there is none. */
    boolean isEmpty() {
        return seats.isEmpty();
    }

    /**
     * A request has begun there.
     *
     * @return whether its client could not know that Penstock is on its way down: it has just connected, or its last
     *     answer did not say so
     */
    boolean busy(HttpConnection connection) {
        Seat seat = seats.get(connection);
        if (seat == null) {
            return false;
        }
        boolean unaware = !seat.greeted || seat.owed;
        seat.requests++;
        seat.greeted = true;
        seat.owed = false;
        return unaware;
    }

    /**
     * A request has been answered there. On the way down this was the last one, if its client was told so: closing waits
     * for what is unsent. One that was not told may be sending its next request, and a close would lose it.
     *
     * @param told whether the answer said that the connection ends
     */
    void free(HttpConnection connection, boolean told) {
        Seat seat = seats.get(connection);
        if (seat != null) {
            seat.requests--;
            seat.sinceNanos = loop.now();
            if (seat.requests == 0 && loop.shared().lifecycle().leaving()) {
                seat.owed = !told;
                if (told) {
                    connection.close();
                }
            }
        }
    }

    /** Closes those that have idled too long. Called about once a second. */
    void sweep() {
        PenstockConfig.Timeouts timeouts = loop.config().timeouts();
        long now = loop.now();
        closeWhere(seat -> {
            long limit = (seat.greeted ? timeouts.clientIdle() : timeouts.clientHead()).toNanos();
            return now - seat.sinceNanos > limit;
        });
    }

    /** Closes those that do nothing, on the way down, but for those that may be sending a request just now. */
    void closeIdle() {
        long now = loop.now();
        closeWhere(seat -> (seat.greeted && !seat.owed) || now - seat.sinceNanos > LINGER_NANOS);
    }

    private void closeWhere(Predicate<Seat> condition) {
        List<HttpConnection> idle = new ArrayList<>();
        seats.forEach((connection, seat) -> {
            if (seat.requests == 0 && condition.test(seat)) {
                idle.add(connection);
            }
        });
        // Closing calls back, so not while walking the map.
        idle.forEach(HttpConnection::close);
    }

    /**
     * Closes a connection from below. {@code close} and {@code reset} queue behind what the client has not read, so a
     * client that does not read would keep its connection for ever. The one place that reaches under Vert.x's API.
     */
    static void kill(HttpConnection connection) {
        close(connection);
    }

    /** Closes a connection with a reset, so that its end cannot be taken for the end of an answer. */
    static void reset(HttpConnection connection) {
        channel(connection).config().setOption(ChannelOption.SO_LINGER, 0);
        close(connection);
    }

    private static Channel channel(HttpConnection connection) {
        return ((ConnectionBase) connection).channelHandlerContext().channel();
    }

    private static void close(HttpConnection connection) {
        ChannelHandlerContext channel = ((ConnectionBase) connection).channelHandlerContext();
        channel.close().addListener(closed -> {});
    }
}
