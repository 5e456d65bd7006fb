package io.penstock.config;

import io.netty.util.NetUtil;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A host and perhaps a port, taken apart. Nothing is resolved.
 *
 * @param host a name or IP literal, IPv6 without brackets, not yet checked
 * @param port 0 to 65535, or -1 when none was written
 */
record HostPort(String host, int port) {

    private static final Pattern PORT = Pattern.compile("0|[1-9]\\d{0,4}");
    /**
     * RFC 1123 labels, and underscores besides: Docker's names have them and every resolver takes them. One dot may end
     * the name, which keeps it from the search domains.
     */
    private static final Pattern NAME = Pattern.compile(
            "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*\\.?");

    private static final Pattern ALL_NUMBERS = Pattern.compile("[0-9.]+");
    private static final int LONGEST_NAME = 253;
    private static final int LARGEST_PORT = 65535;

    /** Takes {@code host}, {@code host:port}, {@code [ipv6]} or {@code [ipv6]:port} apart; null when it is none of them. */
    static @Nullable HostPort split(String text) {
        int end = text.startsWith("[") ? text.indexOf(']') + 1 : text.indexOf(':');
        if (text.startsWith("[") && end == 0) {
            return null;
        }
        String host = end < 0 ? text : text.substring(0, end);
        String rest = end < 0 ? "" : text.substring(end);
        if (host.startsWith("[")) {
            host = host.substring(1, host.length() - 1);
            if (host.indexOf(':') < 0) {
                return null;
            }
        }
        if (host.isEmpty()) {
            return null;
        }
        if (rest.isEmpty()) {
            return new HostPort(host, -1);
        }
        Integer port = rest.startsWith(":") ? portOf(rest.substring(1)) : null;
        return port == null ? null : new HostPort(host, port);
    }

    /** What is wrong with a host, in words, or null when nothing is. */
    static @Nullable String faultOf(String host) {
        if (host.indexOf(':') >= 0) {
            return isIpv6(host) ? null : "is not an IPv6 address";
        }
        String name = host.toLowerCase(Locale.ROOT);
        if (ALL_NUMBERS.matcher(name).matches()) {
            return NetUtil.isValidIpV4Address(name) ? null : "is not an IPv4 address";
        }
        return name.length() <= LONGEST_NAME && NAME.matcher(name).matches() ? null : "is not a host name";
    }

    /** The one spelling of a host that {@link #faultOf} finds nothing wrong with. */
    static String canonical(String host) {
        return isIpv6(host)
                ? NetUtil.toAddressString(NetUtil.createInetAddressFromIpAddressString(host))
                : host.toLowerCase(Locale.ROOT);
    }

    /** Whether this is an IP literal, IPv6 without brackets and zone. */
    static boolean isIp(String text) {
        return isIpv6(text) || NetUtil.isValidIpV4Address(text);
    }

    static boolean isIpv6(String text) {
        return text.indexOf(':') >= 0
                && text.indexOf('%') < 0
                && text.indexOf('[') < 0
                && NetUtil.isValidIpV6Address(text);
    }

    private static @Nullable Integer portOf(String text) {
        if (!PORT.matcher(text).matches()) {
            return null;
        }
        int port = Integer.parseInt(text);
        return port <= LARGEST_PORT ? port : null;
    }
}
