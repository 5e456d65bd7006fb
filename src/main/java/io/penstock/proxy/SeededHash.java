package io.penstock.proxy;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * A fast hash of 64 bits, not a cryptographic one: multiply to 128 bits and fold, as in Wang Yi's wyhash. It begins with
 * chance, so that no client can know which texts collide. Immutable.
 */
final class SeededHash {

    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private static final int STRIDE = 2 * Long.BYTES;

    // The fractions of the square roots of 2, 3 and 5: odd enough, and nobody's choice.
    private static final long LENGTH_FACTOR = 0x6a09e667f3bcc909L;
    private static final long LEFT_FACTOR = 0xbb67ae8584caa73bL;
    private static final long RIGHT_FACTOR = 0x3c6ef372fe94f82bL;

    private final long seed;
    private final long left;
    private final long right;

    /**
     * One of very many functions.
     *
     * @param seed which; chosen once for the process, and told to nobody
     */
    SeededHash(long seed) {
        this.seed = fold(seed ^ LEFT_FACTOR, RIGHT_FACTOR);
        this.left = fold(seed ^ RIGHT_FACTOR, LENGTH_FACTOR);
        this.right = fold(seed ^ LENGTH_FACTOR, LEFT_FACTOR);
    }

    /**
     * The hash of some bytes.
     *
     * @param bytes holds them from index 0, and has a length that is a multiple of 16; what follows them is overwritten
     * @param length how many they are
     */
    long of(byte[] bytes, int length) {
        int padded = (length + STRIDE - 1) / STRIDE * STRIDE;
        Arrays.fill(bytes, length, padded, (byte) 0);
        long hash = seed ^ length * LENGTH_FACTOR;
        for (int i = 0; i < padded; i += STRIDE) {
            long first = (long) LONGS.get(bytes, i);
            long second = (long) LONGS.get(bytes, i + Long.BYTES);
            hash = fold(first ^ left, second ^ hash);
        }
        return join(hash, length);
    }

    /** The hash of two hashes, in this order. */
    long join(long first, long second) {
        return fold(first ^ left, Long.rotateLeft(second, 23) ^ right);
    }

    /** The hash of a short word. */
    long of(String word) {
        long hash = seed;
        for (int i = 0; i < word.length(); i++) {
            hash = join(hash, word.charAt(i));
        }
        return join(hash, word.length());
    }

    private static long fold(long a, long b) {
        return a * b ^ Math.multiplyHigh(a, b);
    }
}
