package io.penstock.proxy;

import io.vertx.core.MultiMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which headers pass, in both directions. Hop-by-hop headers and those that {@code Connection} names end here (RFC 9110,
 * section 7.6.1). Forwarding headers are ours to write, unless the peer is a proxy that is trusted. The client's
 * {@code Authorization} reaches the replica unless the replica has a key of its own in the configuration.
 */
final class HeaderHygiene {

    private static final Set<String> HOP_BY_HOP = Set.of(
            "connection",
            "keep-alive",
            "proxy-connection",
            "proxy-authenticate",
            "proxy-authorization",
            "te",
            "trailer",
            "transfer-encoding",
            "upgrade");

    /**
     * Written here, or nothing that a stranger may say: Host and Content-Length are set with the connection and the
     * body, Expect is answered by the front, and a data-parallel rank is not the client's choice.
     */
    private static final Set<String> NOT_TO_REPLICA = Set.of(
            "host",
            "content-length",
            "expect",
            "x-data-parallel-rank",
            "x-request-id",
            "x-real-ip",
            "x-forwarded-for",
            "x-forwarded-proto",
            "x-forwarded-host",
            "x-forwarded-port",
            "x-forwarded-server",
            "forwarded");

    private HeaderHygiene() {}

    /**
     * What is known of the client's connection.
     *
     * @param peer its address, without port
     * @param trusted whether its forwarding headers are believed
     * @param scheme {@code http} or {@code https}
     * @param host the Host it asked for, with its port; null if it sent none
     */
    record Hop(
            String peer,
            boolean trusted,
            String scheme,
            @Nullable String host) {}

    /**
     * Copies a request's headers for a replica.
     *
     * @param from what the client sent
     * @param to what the replica gets
     * @param hop the client's connection
     * @param requestId the id that this attempt carries
     * @param apiKey the replica's own key, null to pass the client's
     */
    static void toReplica(MultiMap from, MultiMap to, Hop hop, String requestId, @Nullable String apiKey) {
        String nominated = nominated(from);
        for (Map.Entry<String, String> header : from) {
            String name = header.getKey();
            if (!hopByHop(name, nominated)
                    && !in(NOT_TO_REPLICA, name)
                    && !(apiKey != null && name.equalsIgnoreCase("authorization"))) {
                to.add(name, header.getValue());
            }
        }
        if (apiKey != null) {
            to.set("authorization", "Bearer " + apiKey);
        }
        forwarded(from, to, hop);
        to.set("x-request-id", requestId);
    }

    private static void forwarded(MultiMap from, MultiMap to, Hop hop) {
        List<String> chain = hop.trusted() ? from.getAll("x-forwarded-for") : List.of();
        String earlier = String.join(", ", chain);
        to.set("x-forwarded-for", earlier.isEmpty() ? hop.peer() : earlier + ", " + hop.peer());
        believed(from, to, "x-real-ip", hop, hop.peer());
        believed(from, to, "x-forwarded-proto", hop, hop.scheme());
        believed(from, to, "x-forwarded-host", hop, hop.host());
    }

    /** What a trusted proxy said, else what we know ourselves, else nothing. */
    private static void believed(MultiMap from, MultiMap to, String name, Hop hop, @Nullable String own) {
        String said = hop.trusted() ? from.get(name) : null;
        String value = said == null ? own : said;
        if (value != null) {
            to.set(name, value);
        }
    }

    /**
     * Copies a response's headers for the client, in the replica's order and spelling. Framing is left to the caller.
     *
     * @param from what the replica sent
     * @param to what the client gets
     */
    static void toClient(MultiMap from, MultiMap to) {
        String nominated = nominated(from);
        for (Map.Entry<String, String> header : from) {
            if (!hopByHop(header.getKey(), nominated)) {
                to.add(header.getKey(), header.getValue());
            }
        }
    }

    /** The names that Connection lists, in lower case between commas; null if there is nothing to compare with. */
    private static @Nullable String nominated(MultiMap headers) {
        if (!headers.contains("connection")) {
            return null;
        }
        String all = "," + String.join(",", headers.getAll("connection")) + ",";
        return all.toLowerCase(java.util.Locale.ROOT).replace(" ", "").replace("\t", "");
    }

    private static boolean hopByHop(String name, @Nullable String nominated) {
        return in(HOP_BY_HOP, name)
                || (nominated != null && nominated.contains("," + name.toLowerCase(java.util.Locale.ROOT) + ","));
    }

    private static boolean in(Set<String> lowerCase, String name) {
        return lowerCase.contains(name) || lowerCase.contains(name.toLowerCase(java.util.Locale.ROOT));
    }

    /**
     * Whether an id may be passed on: short and of plain characters, so that it can stand in logs and in bodies.
     *
     * @param id what the client sent, null if nothing
     * @return true if it can be used as it is
     */
    static boolean acceptableRequestId(@Nullable String id) {
        if (id == null || id.isEmpty() || id.length() > 128) {
            return false;
        }
        for (int i = 0; i < id.length(); i++) {
            char c = id.charAt(i);
            if (!(c >= '0' && c <= '9')
                    && !(c >= 'a' && c <= 'z')
                    && !(c >= 'A' && c <= 'Z')
                    && "-_.:".indexOf(c) < 0) {
                return false;
            }
        }
        return true;
    }
}
