package io.penstock.faults;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Vertx;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What strikes others must not stumble itself: ports are given once, opened and closed in turn, and taken with patience. */
@SuppressWarnings("NullAway.Init") // Opened before each test.
class WireTest {

    private final Vertx vertx = Vertx.vertx();
    private Wire wire;

    @BeforeEach
    void open() throws Exception {
        wire = new Wire(vertx, new Mischief(), ChildProcess.freePort());
    }

    @AfterEach
    void close() throws Exception {
        wire.close();
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }

    /** With so many of some thirty thousand, chance alone would give some of them twice. */
    @Test
    void noPortIsGivenTwice() throws Exception {
        Set<Integer> given = new HashSet<>();
        for (int i = 0; i < 1_000; i++) {
            given.add(ChildProcess.freePort());
        }
        assertThat(given).hasSize(1_000);
    }

    @Test
    void aWireThatFlappedIsOpenOnceItIsUp() throws Exception {
        for (int i = 0; i < 5; i++) {
            wire.flap(5);
            boolean turned = Deadline.of(10).met(this::accepts);
            wire.up();
            assertThat(turned).isTrue();
            assertThat(accepts()).isTrue();
        }
        wire.down();
        assertThat(accepts()).isFalse();
    }

    @Test
    void aHoleWaitsUntilItsPortIsFree() throws Exception {
        wire.down();
        ServerSocket other = new ServerSocket();
        other.setReuseAddress(true);
        other.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), wire.port()));
        Thread digs = Thread.currentThread();
        Thread leaves = new Thread(() -> {
            try {
                // It sleeps between two tries.
                Deadline.of(10).met(() -> digs.getState() == Thread.State.TIMED_WAITING);
                other.close();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
        leaves.start();
        wire.hole();
        leaves.join();
        assertThat(other.isClosed()).isTrue();
        wire.holeEnds();
        assertThat(accepts()).isTrue();
    }

    private boolean accepts() {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), wire.port()), 1_000);
            return true;
        } catch (IOException refused) {
            return false;
        }
    }
}
