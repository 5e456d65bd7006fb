package io.penstock.sim;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.ServerChannel;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A TCP port that opens and closes without a word to the connections that came through it, which Vert.x's server cannot
 * do. Confined to one event loop.
 */
final class ListeningPort {

    private static final int BACKLOG = 1_024;

    private final ServerBootstrap bootstrap;
    private InetSocketAddress address;
    private @Nullable Channel channel;
    private Future<Void> latest = Future.succeededFuture();

    ListeningPort(
            EventLoop loop,
            io.netty.channel.ChannelFactory<? extends ServerChannel> channels,
            InetSocketAddress address,
            Supplier<SimConnection> connections) {
        this.address = address;
        this.bootstrap = new ServerBootstrap()
                .group(loop, loop)
                .channelFactory(channels)
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel accepted) {
                        accepted.pipeline().addLast(connections.get());
                    }
                });
    }

    /** The port's number; 0 until it was open once, if a free one was asked for. */
    int number() {
        return address.getPort();
    }

    /** Opens or closes it, after what was asked for before. Does nothing if it is so already. */
    Future<Void> open(boolean wanted) {
        latest = latest.transform(before -> wanted ? bind() : unbind());
        return latest;
    }

    private Future<Void> bind() {
        if (channel != null) {
            return Future.succeededFuture();
        }
        Promise<Void> bound = Promise.promise();
        ChannelFuture binding = bootstrap.bind(address);
        ChannelFuture unused = binding.addListener(result -> {
            if (result.isSuccess()) {
                channel = binding.channel();
                address = (InetSocketAddress) binding.channel().localAddress();
                bound.complete();
            } else {
                bound.fail(result.cause());
            }
        });
        return bound.future();
    }

    private Future<Void> unbind() {
        Channel open = channel;
        channel = null;
        if (open == null) {
            return Future.succeededFuture();
        }
        Promise<Void> closed = Promise.promise();
        // NIO gives the port back only with its next select, which comes before any timer.
        ChannelFuture unused = open.close().addListener(result -> {
            io.netty.util.concurrent.Future<?> unusedTimer =
                    open.eventLoop().schedule(() -> closed.complete(), 1, TimeUnit.MILLISECONDS);
        });
        return closed.future();
    }
}
