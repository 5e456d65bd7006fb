package io.penstock.sim;

import io.vertx.core.buffer.Buffer;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One request as it arrived.
 *
 * @param method as sent
 * @param target the request target as sent
 * @param http10 whether the request line said HTTP/1.0
 * @param headers names and values as sent, in order
 * @param body the body without its framing; empty if there was none
 */
public record SimRequest(
        String method, String target, boolean http10, List<Map.Entry<String, String>> headers, Buffer body) {

    /** Copies the headers. */
    public SimRequest {
        headers = List.copyOf(headers);
    }

    /**
     * The path that routes are compared with: percent-decoded, but with its dots and double slashes left as they are,
     * as vLLM does it.
     *
     * @return without query, and without scheme and authority if the target had them
     */
    public String path() {
        String path = target;
        int scheme = path.indexOf("://");
        if (scheme > 0 && path.charAt(0) != '/') {
            int slash = path.indexOf('/', scheme + 3);
            path = slash < 0 ? "/" : path.substring(slash);
        }
        int query = path.indexOf('?');
        return decoded((query < 0 ? path : path.substring(0, query)).replace("+", "%2B"));
    }

    /**
     * A parameter of the query.
     *
     * @param name its name
     * @return its decoded value, or null if it is not there
     */
    public @Nullable String parameter(String name) {
        int query = target.indexOf('?');
        if (query >= 0) {
            for (String pair : target.substring(query + 1).split("&", -1)) {
                if (pair.startsWith(name + "=")) {
                    return decoded(pair.substring(name.length() + 1));
                }
            }
        }
        return null;
    }

    /**
     * A header's value.
     *
     * @param name in any case
     * @return the first value, or null if it was not sent
     */
    public @Nullable String header(String name) {
        for (Map.Entry<String, String> header : headers) {
            if (header.getKey().equalsIgnoreCase(name)) {
                return header.getValue();
            }
        }
        return null;
    }

    /** Whether the connection stays open after the answer, which HTTP/1.0 never gets from uvicorn. */
    boolean keepsConnection() {
        String connection = header("connection");
        return !http10 && (connection == null || !connection.equalsIgnoreCase("close"));
    }

    private static String decoded(String text) {
        try {
            return URLDecoder.decode(text, StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            return text;
        }
    }
}
