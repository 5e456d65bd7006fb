package io.penstock.bench;

import java.net.URI;

/**
 * A balancer that is compared with others.
 *
 * @param name what people call it
 * @param host where it listens
 * @param port where it listens
 * @param adminPort where it tells what it believes of the replicas' caches, if it is a Penstock; otherwise 0
 */
public record Contender(String name, String host, int port, int adminPort) {

    /**
     * Somebody of whom nothing is known.
     *
     * @param name what people call it
     * @param host where it listens
     * @param port where it listens
     */
    public Contender(String name, String host, int port) {
        this(name, host, port, 0);
    }

    /**
     * Reads how it is given on a command line.
     *
     * @param name what people call it
     * @param url where it listens, as in {@code http://127.0.0.1:8080}
     * @return the contender
     * @throws IllegalArgumentException if that is no address of plain HTTP
     */
    public static Contender at(String name, String url) {
        URI uri = URI.create(url);
        if (!"http".equals(uri.getScheme()) || uri.getHost() == null) {
            throw new IllegalArgumentException("--against: want NAME=http://HOST:PORT, got " + name + "=" + url);
        }
        return new Contender(name, uri.getHost(), uri.getPort() < 0 ? 80 : uri.getPort());
    }
}
