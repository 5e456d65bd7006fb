package io.penstock.proxy;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * A request target (RFC 9112, section 3.2) taken apart once, so that what is compared with the API table is what the
 * replica will understand: vLLM decodes percent-escapes before it routes.
 *
 * @param decoded the path with its escapes resolved
 * @param raw the path as it came
 * @param query the query with its question mark, empty if there is none
 */
public record RequestPath(String decoded, String raw, String query) {

    /** Stands for a target that cannot be read. */
    static final RequestPath UNREADABLE = new RequestPath("", "", "");

    /**
     * Takes a target apart.
     *
     * @param target origin form, or absolute form, whose authority is dropped
     * @return the path, or null if no such path can exist: bad escapes, empty or dot segments, control characters
     */
    public static @Nullable RequestPath parse(String target) {
        String origin = originForm(target);
        if (origin == null) {
            return null;
        }
        int fragment = origin.indexOf('#');
        String whole = fragment < 0 ? origin : origin.substring(0, fragment);
        int mark = whole.indexOf('?');
        String raw = mark < 0 ? whole : whole.substring(0, mark);
        String query = mark < 0 ? "" : whole.substring(mark);
        String decoded = decode(raw);
        return decoded == null || strange(decoded) ? null : new RequestPath(decoded, raw, query);
    }

    private static @Nullable String originForm(String target) {
        if (target.startsWith("/")) {
            return target;
        }
        int scheme = target.indexOf("://");
        if (scheme <= 0) {
            return null;
        }
        // The authority ends at whichever comes first (RFC 3986, section 3.2); a slash in the query begins no path.
        int end = scheme + 3;
        while (end < target.length() && "/?#".indexOf(target.charAt(end)) < 0) {
            end++;
        }
        String rest = target.substring(end);
        return rest.startsWith("/") ? rest : "/" + rest;
    }

    private static @Nullable String decode(String raw) {
        if (raw.indexOf('%') < 0) {
            return raw;
        }
        ByteBuffer bytes = ByteBuffer.allocate(raw.length() * 3);
        for (int i = 0; i < raw.length(); i++) {
            char c = raw.charAt(i);
            if (c != '%') {
                bytes.put(String.valueOf(c).getBytes(StandardCharsets.UTF_8));
                continue;
            }
            int high = i + 2 <= raw.length() - 1 ? Character.digit(raw.charAt(i + 1), 16) : -1;
            int low = i + 2 <= raw.length() - 1 ? Character.digit(raw.charAt(i + 2), 16) : -1;
            if (high < 0 || low < 0) {
                return null;
            }
            bytes.put((byte) (high << 4 | low));
            i += 2;
        }
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(bytes.flip()).toString();
        } catch (CharacterCodingException e) {
            return null;
        }
    }

    /** vLLM knows no path with empty or dot segments; refusing them here leaves no room for two readings. */
    private static boolean strange(String path) {
        for (int i = 0; i < path.length(); i++) {
            if (path.charAt(i) < ' ' || path.charAt(i) == 0x7f || path.charAt(i) == '\\') {
                return true;
            }
        }
        return path.contains("//")
                || path.contains("/./")
                || path.contains("/../")
                || path.endsWith("/.")
                || path.endsWith("/..");
    }
}
