package io.penstock.admin;

import io.penstock.config.Endpoint;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Decides whether a request may change something. There is no admin key, so it must come from this machine, and not from
 * a page in a browser on this machine: neither under a foreign name that was pointed here (DNS rebinding) nor from
 * another site (CSRF; RFC 6454, section 7).
 */
final class ChangeGuard {

    private static final Pattern IPV4 = Pattern.compile("\\d{1,3}(\\.\\d{1,3}){3}");
    private static final Pattern IPV6 = Pattern.compile("\\[[0-9A-Fa-f:.]+(%[0-9A-Za-z]+)?]");
    private static final Pattern PORT = Pattern.compile(":\\d*$");

    private final String adminHost;

    /** A guard of the port that was configured as {@code admin}. */
    ChangeGuard(Endpoint admin) {
        this.adminHost = admin.host().toLowerCase(Locale.ROOT);
    }

    /**
     * What speaks against the change.
     *
     * @param peer the IP literal at the other end of the connection, null if there is none
     * @param hosts the Host headers
     * @param origin the Origin header, null if there is none
     * @param fetchSite the Sec-Fetch-Site header, null if there is none
     * @return the reason and what to do, or null if the change may be made
     */
    @Nullable
    String objection(@Nullable String peer, List<String> hosts, @Nullable String origin, @Nullable String fetchSite) {
        if (peer == null || !isLoopback(peer)) {
            return "changes are accepted from this machine only, and this connection comes from " + peer
                    + ": run penstock drain or undrain where Penstock runs (docker exec, kubectl exec)";
        }
        if (hosts.size() != 1 || !trusted(hosts.get(0))) {
            return "the Host header must be an IP address, localhost or " + adminHost
                    + ": call this port by one of those";
        }
        if (origin != null && !origin.equalsIgnoreCase("http://" + hosts.get(0))) {
            return "a page of another site may not change anything here: use penstock drain or undrain, or curl";
        }
        if (fetchSite != null && !fetchSite.equals("same-origin") && !fetchSite.equals("none")) {
            return "a page of another site may not change anything here (Sec-Fetch-Site: " + fetchSite + ")";
        }
        return null;
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
