package io.penstock.proxy;

import io.vertx.core.MultiMap;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * Who asks: told by the key in the request's head, or else by its address. Only a digest is kept, which says nothing to
 * who does not know the seed. Nobody has checked the key, so this tells callers apart and gives them no rights.
 *
 * @param name tells callers apart
 * @param byKey whether a key was shown; an address may be shared by many
 */
record Caller(String name, boolean byKey) {

    private static final int DIGEST_BYTES = 8;

    /**
     * The one who sent a request.
     *
     * @param headers its headers
     * @param address where it came from, as far as we can believe
     * @param seed a number of this process that nobody is told
     */
    static Caller of(MultiMap headers, String address, long seed) {
        String key = headers.get("authorization");
        if (key == null || key.isEmpty()) {
            key = headers.get("x-api-key");
        }
        boolean byKey = key != null && !key.isEmpty();
        return new Caller(byKey ? digest("key", key, seed) : digest("address", address, seed), byKey);
    }

    private static String digest(String kind, String value, long seed) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(ByteBuffer.allocate(Long.BYTES).putLong(seed).array());
            digest.update((kind + " " + value).getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest.digest(), 0, DIGEST_BYTES);
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException("every Java has SHA-256", impossible);
        }
    }
}
