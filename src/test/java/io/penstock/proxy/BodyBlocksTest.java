package io.penstock.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.internal.buffer.BufferInternal;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BodyBlocksTest {

    private final BodyBlocks blocks = new BodyBlocks();

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 4096, 256 << 10, (256 << 10) + 1, 1 << 20, 3_000_001})
    void aBodyOfKnownLengthTakesExactlyThat(int length) {
        byte[] body = new byte[length];
        new Random(length).nextBytes(body);

        for (int at = 0; at < length; at += 50_000) {
            blocks.append(Buffer.buffer().appendBytes(body, at, Math.min(50_000, length - at)), length);
            assertThat(blocks.allocatedBytes()).isLessThanOrEqualTo(length);
        }

        assertThat(blocks.length()).isEqualTo(length);
        assertThat(blocks.allocatedBytes()).isEqualTo(length);
        assertThat(blocks.whole().getBytes()).isEqualTo(body);
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3})
    void aBodyThatGrowsNeverTakesMoreThanItMay(long seed) {
        Random random = new Random(seed);
        Buffer body = Buffer.buffer();
        long most = 0;
        for (int i = 0; i < 300; i++) {
            byte[] piece = new byte[random.nextInt(i % 10 == 0 ? 65_536 : 100)];
            random.nextBytes(piece);
            body.appendBytes(piece);
            most = Math.max(most, body.length() + random.nextInt(100_000));
            blocks.append(Buffer.buffer(piece), most);
            assertThat(blocks.allocatedBytes()).isBetween(blocks.length(), most);
        }

        assertThat(blocks.whole().getBytes()).isEqualTo(body.getBytes());
    }

    @Test
    void aBodyMayBeSentMoreThanOnce() {
        blocks.append(Buffer.buffer("x".repeat(600_000)), 600_000);
        Buffer whole = blocks.whole();

        for (int attempt = 0; attempt < 3; attempt++) {
            // What the codec does with each buffer that it has written.
            assertThat(((BufferInternal) whole).getByteBuf().skipBytes(10).release())
                    .isFalse();
        }

        assertThat(((BufferInternal) whole).getByteBuf().readableBytes()).isEqualTo(600_000);
    }
}
