package io.penstock.proxy;

import io.vertx.core.buffer.Buffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;

/**
 * Bodies that were in flight at the death of two replicas a moment ago. A client that sends one again would kill the
 * next two, so it is refused for a minute. Any thread may ask; nothing is computed while there is none of that length.
 */
public final class PoisonBodies {

    private static final long KEPT_NANOS = 60_000_000_000L;
    /** Beyond this the youngest are not added: that many in a minute are an outage, not a body. */
    private static final int MOST = 256;

    /** A body, told by its length and SHA-256. */
    private record Key(int length, String digest) {}

    private final Map<Key, Long> untilNanos = new ConcurrentHashMap<>();
    private final LongSupplier nanoClock;

    /**
     * Knows none yet.
     *
     * @param nanoClock the time, in nanoseconds
     */
    public PoisonBodies(LongSupplier nanoClock) {
        this.nanoClock = nanoClock;
    }

    /** Remembers one for a minute. */
    void add(Buffer body) {
        forgetOld();
        if (untilNanos.size() < MOST && body.length() > 0) {
            untilNanos.put(key(body), nanoClock.getAsLong() + KEPT_NANOS);
        }
    }

    /**
     * Whether a body is one of them.
     *
     * @return true for a minute after {@link #add}
     */
    boolean contains(Buffer body) {
        if (untilNanos.isEmpty()) {
            return false;
        }
        forgetOld();
        for (Key each : untilNanos.keySet()) {
            if (each.length() == body.length()) {
                return untilNanos.containsKey(key(body));
            }
        }
        return false;
    }

    private void forgetOld() {
        long now = nanoClock.getAsLong();
        untilNanos.values().removeIf(until -> now - until >= 0);
    }

    private static Key key(Buffer body) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(body.getBytes());
            return new Key(body.length(), HexFormat.of().formatHex(digest));
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException("every Java has SHA-256", impossible);
        }
    }
}
