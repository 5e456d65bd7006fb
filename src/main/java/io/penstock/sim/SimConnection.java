package io.penstock.sim;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import io.netty.channel.SimpleChannelInboundHandler;
import io.vertx.core.buffer.Buffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * One client's connection: requests in, answered one after the other, bytes out. It sits on Netty rather than on
 * Vert.x's server because the faults need what a good server hides: a reset, half a chunk, a port that closes while
 * streams go on.
 *
 * <p>As with uvicorn, a client that closes its sending half has left. Confined to one event loop.
 */
final class SimConnection extends SimpleChannelInboundHandler<ByteBuf> implements HttpRequestReader.Listener {

    /** Who serves the connection. */
    interface Owner {

        /** A connection is open. */
        void onOpen(SimConnection connection);

        /** A connection is gone. */
        void onClosed(SimConnection connection);

        /** A request's turn has come. */
        void onExchange(Exchange exchange);

        /** A request was answered, cut or given up. */
        void onEnd(Exchange exchange);

        /** The date header's value. */
        String date();

        /** How long an unused connection may stay after an answer. */
        Duration keepAlive();

        /** Where things run later. */
        Timers timers();
    }

    private final Owner owner;
    private final HttpRequestReader reader = new HttpRequestReader(this);
    private final Deque<SimRequest> pipelined = new ArrayDeque<>();
    private @Nullable ChannelHandlerContext context;
    private @Nullable Exchange current;
    private Timers.@Nullable Alarm idle;
    private boolean invalid;
    private boolean closing;

    SimConnection(Owner owner) {
        this.owner = owner;
    }

    @Override
    public void channelActive(ChannelHandlerContext active) {
        context = active;
        owner.onOpen(this);
    }

    @Override
    public void channelInactive(ChannelHandlerContext inactive) {
        closing = true;
        stopIdle();
        Exchange interrupted = current;
        current = null;
        if (interrupted != null) {
            interrupted.abandon();
        }
        owner.onClosed(this);
    }

    @Override
    protected void channelRead0(ChannelHandlerContext reading, ByteBuf bytes) {
        stopIdle();
        if (!closing) {
            reader.read(Buffer.buffer(ByteBufUtil.getBytes(bytes)));
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext failing, Throwable cause) {
        // A reset by the client, as a rule; channelInactive does what is to be done.
        reset();
    }

    @Override
    public void onExpectContinue() {
        write(Buffer.buffer("HTTP/1.1 100 Continue\r\n\r\n"));
    }

    @Override
    public void onRequest(SimRequest request) {
        pipelined.add(request);
        next();
    }

    @Override
    public void onInvalid() {
        invalid = true;
        next();
    }

    Owner owner() {
        return owner;
    }

    /** Whether no request is being answered. */
    boolean isUnused() {
        return current == null;
    }

    /** Sends bytes at once, as one write. */
    void write(Buffer bytes) {
        ChannelHandlerContext active = context;
        if (active != null && !closing) {
            ChannelFuture unused = active.writeAndFlush(Unpooled.wrappedBuffer(bytes.getBytes()));
        }
    }

    /** Takes the next request when one was answered in full. */
    void answered(Exchange exchange) {
        if (current == exchange) {
            current = null;
            owner.onEnd(exchange);
            if (!exchange.keepsConnection()) {
                close();
            } else if (pipelined.isEmpty() && !invalid) {
                idle = owner.timers().after(owner.keepAlive(), this::close);
            } else {
                next();
            }
        }
    }

    /** Ends the connection in the middle of an answer: what was written goes out, then FIN. */
    void finish(Exchange exchange) {
        drop(exchange);
        close();
    }

    /** Resets the connection in the middle of an answer. */
    void reset(Exchange exchange) {
        drop(exchange);
        reset();
    }

    /** Ends the connection after what was written. */
    void close() {
        ChannelHandlerContext active = context;
        if (active != null && !closing) {
            closing = true;
            // A plain close would throw away what the kernel has not taken yet.
            ChannelFuture unused = active.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
        }
    }

    /** Ends the connection as a dying server does. */
    void kill() {
        Exchange interrupted = current;
        if (interrupted != null) {
            interrupted.kill();
        }
        reset();
    }

    /** Ends the connection at once and with a reset: closing with no time to linger makes the kernel send RST. */
    void reset() {
        ChannelHandlerContext active = context;
        if (active != null) {
            closing = true;
            if (active.channel().isOpen()) {
                active.channel().config().setOption(ChannelOption.SO_LINGER, 0);
            }
            ChannelFuture unused = active.close();
        }
    }

    private void drop(Exchange exchange) {
        if (current == exchange) {
            current = null;
            owner.onEnd(exchange);
        }
    }

    private void next() {
        if (current != null || closing) {
            return;
        }
        SimRequest request = pipelined.poll();
        if (request != null) {
            Exchange exchange = new Exchange(this, request);
            current = exchange;
            owner.onExchange(exchange);
        } else if (invalid) {
            Answer answer = Answer.notHttp();
            write(Answer.head(answer.status(), owner.date(), answer.fields(), true, "")
                    .appendBuffer(answer.body()));
            close();
        }
    }

    private void stopIdle() {
        Timers.Alarm waiting = idle;
        idle = null;
        if (waiting != null) {
            waiting.cancel();
        }
    }
}
