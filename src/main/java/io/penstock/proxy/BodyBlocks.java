package io.penstock.proxy;

import io.netty.buffer.Unpooled;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.internal.buffer.BufferInternal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A body while it comes in: blocks of memory that are taken when they are needed and never moved. A Vert.x buffer that is
 * appended to moves to an array that is up to twice as large each time it is full, so for a moment there are three times
 * the body, in arrays so long that the heap has to find neighboring regions for them. And keeping the pieces as they
 * arrive would cost a hundred bytes for each of one byte. Confined to one event loop.
 */
final class BodyBlocks {

    /** Below half a region of the smallest heap that G1 knows, so that no block needs a region of its own. */
    static final int BLOCK_BYTES = 256 << 10;

    private static final byte[] NONE = new byte[0];

    private final List<byte[]> full = new ArrayList<>(1);
    private byte[] current = NONE;
    private int used;
    private long allocated;
    private long length;

    /**
     * Adds the next piece.
     *
     * @param piece bytes, which are copied
     * @param mostBytes what may be allocated in all, at least the length with this piece
     */
    void append(Buffer piece, long mostBytes) {
        int taken = 0;
        while (taken < piece.length()) {
            if (used == current.length) {
                nextBlock(mostBytes);
            }
            int fits = Math.min(piece.length() - taken, current.length - used);
            piece.getBytes(taken, taken + fits, current, used);
            used += fits;
            taken += fits;
        }
        length += taken;
    }

    private void nextBlock(long mostBytes) {
        if (used > 0) {
            full.add(current);
        }
        current = new byte[(int) Math.min(BLOCK_BYTES, mostBytes - allocated)];
        allocated += current.length;
        used = 0;
    }

    /** Bytes added so far. */
    long length() {
        return length;
    }

    /** Memory taken so far: never more than was allowed. */
    long allocatedBytes() {
        return allocated;
    }

    /** The whole body, which takes {@link #length} bytes of memory. Nothing may be added after it. */
    Buffer whole() {
        if (used < current.length) {
            current = Arrays.copyOf(current, used);
        }
        full.add(current);
        // Not a composite from an allocator: those are watched for being released, and this one is the heap's own.
        return BufferInternal.buffer(Unpooled.wrappedBuffer(full.toArray(byte[][]::new)));
    }
}
