package io.penstock.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.buffer.Buffer;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class PoisonBodiesTest {

    private final AtomicLong clock = new AtomicLong(Long.MAX_VALUE - 5);
    private final PoisonBodies bodies = new PoisonBodies(clock::get);

    @Test
    void bodyIsKnownForAMinute() {
        bodies.add(Buffer.buffer("bad"));

        assertThat(bodies.contains(Buffer.buffer("bad"))).isTrue();
        assertThat(bodies.contains(Buffer.buffer("bat"))).isFalse();
        assertThat(bodies.contains(Buffer.buffer("bad "))).isFalse();
        clock.addAndGet(59_999_999_999L);
        assertThat(bodies.contains(Buffer.buffer("bad"))).isTrue();
        clock.addAndGet(1);
        assertThat(bodies.contains(Buffer.buffer("bad"))).isFalse();
    }

    @Test
    void oneThatKillsAgainIsKnownForAnotherMinute() {
        bodies.add(Buffer.buffer("bad"));
        clock.addAndGet(40_000_000_000L);
        bodies.add(Buffer.buffer("bad"));
        clock.addAndGet(40_000_000_000L);

        assertThat(bodies.contains(Buffer.buffer("bad"))).isTrue();
    }

    @Test
    void requestsWithoutABodyAreNeverRefused() {
        bodies.add(Buffer.buffer());

        assertThat(bodies.contains(Buffer.buffer())).isFalse();
    }

    @Test
    void memoryIsBounded() {
        for (int i = 0; i < 300; i++) {
            bodies.add(Buffer.buffer("body " + i));
        }

        assertThat(bodies.contains(Buffer.buffer("body 255"))).isTrue();
        assertThat(bodies.contains(Buffer.buffer("body 256"))).isFalse();
    }
}
