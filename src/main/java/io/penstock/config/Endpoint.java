package io.penstock.config;

/**
 * A host and a TCP port, as in {@code 0.0.0.0:8000}.
 *
 * @param host a name or an IP literal, IPv6 without brackets
 * @param port 0 to 65535; 0 means "pick a free one" where a server listens
 */
public record Endpoint(String host, int port) {

    /** Refuses a port that no socket can have. */
    public Endpoint {
        if (host.isEmpty() || port < 0 || port > 65535) {
            throw new IllegalArgumentException("not an endpoint: " + host + ":" + port);
        }
    }

    /**
     * The form that people write and read, with brackets around IPv6.
     *
     * @return for example {@code 10.0.0.7:8000} or {@code [::1]:8000}
     */
    @Override
    public String toString() {
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }
}
