package io.penstock.admin;

import io.penstock.config.Endpoint;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Decides whether a request may change something. With an admin key it must bear the key, wherever it comes from: what
 * comes from this machine may well be a stranger's, through a proxy or a forwarded port. Without one it must come from
 * this machine, and not under a foreign name that was pointed here (DNS rebinding). In neither case may it come from the
 * page of another site (CSRF; RFC 6454, section 7).
 */
final class ChangeGuard {

    private static final Pattern IPV4 = Pattern.compile("\\d{1,3}(\\.\\d{1,3}){3}");
    private static final Pattern IPV6 = Pattern.compile("\\[[0-9A-Fa-f:.]+(%[0-9A-Za-z]+)?]");
    private static final Pattern PORT = Pattern.compile(":\\d*$");

    private static final String BEARER = "bearer ";

    /**
     * What speaks against a change.
     *
     * @param status the answer's status: 401 if the key is missing or wrong, else 403
     * @param reason the reason and what to do
     */
    record Objection(int status, String reason) {}

    private final String adminHost;
    private final Supplier<@Nullable String> key;

    /**
     * A guard of the port that was configured as {@code admin}.
     *
     * @param admin where it listens
     * @param key gives the key of the moment, null if there is none
     */
    ChangeGuard(Endpoint admin, Supplier<@Nullable String> key) {
        this.adminHost = admin.host().toLowerCase(Locale.ROOT);
        this.key = key;
    }

    /**
     * What speaks against the change.
     *
     * @param peer the IP literal at the other end of the connection, null if there is none
     * @param hosts the Host headers
     * @param origin the Origin header, null if there is none
     * @param fetchSite the Sec-Fetch-Site header, null if there is none
     * @param authorization the Authorization header, null if there is none
     * @return the objection, or null if the change may be made
     */
    @Nullable
    Objection objection(
            @Nullable String peer,
            List<String> hosts,
            @Nullable String origin,
            @Nullable String fetchSite,
            @Nullable String authorization) {
        String wanted = key.get();
        if (wanted != null && !bears(authorization, wanted)) {
            return new Objection(
                    401,
                    authorization == null
                            ? "changes need the admin key, as Authorization: Bearer KEY (penstock drain takes it from"
                                    + " PENSTOCK_ADMIN_KEY)"
                            : "this is not the admin key");
        }
        String reason = wanted == null ? fromElsewhere(peer, hosts) : null;
        if (reason == null) {
            reason = ofAnotherSite(hosts, origin, fetchSite, wanted != null);
        }
        return reason == null ? null : new Objection(403, reason);
    }

    private @Nullable String fromElsewhere(@Nullable String peer, List<String> hosts) {
        if (peer == null || !isLoopback(peer)) {
            return "changes are accepted from this machine only, and this connection comes from " + peer
                    + ": run penstock drain or undrain where Penstock runs (docker exec, kubectl exec), or configure"
                    + " admin.key";
        }
        if (hosts.size() != 1 || !trusted(hosts.get(0))) {
            return "the Host header must be an IP address, localhost or " + adminHost
                    + ": call this port by one of those";
        }
        return null;
    }

    private static @Nullable String ofAnotherSite(
            List<String> hosts, @Nullable String origin, @Nullable String fetchSite, boolean behindTls) {
        if (origin != null && !isOwn(origin, hosts, behindTls)) {
            return "a page of another site may not change anything here: use penstock drain or undrain, or curl";
        }
        if (fetchSite != null && !fetchSite.equals("same-origin") && !fetchSite.equals("none")) {
            return "a page of another site may not change anything here (Sec-Fetch-Site: " + fetchSite + ")";
        }
        return null;
    }

    /** Where a key is needed, the page may come through a proxy that speaks TLS. */
    private static boolean isOwn(String origin, List<String> hosts, boolean behindTls) {
        return hosts.size() == 1
                && (origin.equalsIgnoreCase("http://" + hosts.get(0))
                        || (behindTls && origin.equalsIgnoreCase("https://" + hosts.get(0))));
    }

    /** Takes as long for a key that is nearly right as for any other of its length. */
    private static boolean bears(@Nullable String authorization, String wanted) {
        if (authorization == null || !authorization.regionMatches(true, 0, BEARER, 0, BEARER.length())) {
            return false;
        }
        byte[] shown = authorization.substring(BEARER.length()).strip().getBytes(StandardCharsets.UTF_8);
        return MessageDigest.isEqual(shown, wanted.getBytes(StandardCharsets.UTF_8));
    }

    /** The peer is an address from a socket, so this never asks a name service. */
    private static boolean isLoopback(String peer) {
        try {
            return InetAddress.getByName(peer).isLoopbackAddress();
        } catch (UnknownHostException notAnAddress) {
            return false;
        }
    }

    private boolean trusted(String hostHeader) {
        String host = PORT.matcher(hostHeader).replaceFirst("").toLowerCase(Locale.ROOT);
        return host.equals("localhost")
                || host.equals(adminHost)
                || IPV4.matcher(host).matches()
                || IPV6.matcher(host).matches();
    }
}
