package io.penstock.config;

/**
 * One key that the file may have, as it stands in {@code docs/configuration.md}, and what it is set to.
 *
 * @param path its full path; list indexes are empty, as in {@code upstreams[].weight}
 * @param type the kind of value
 * @param bounds what is allowed, in words
 * @param fallback what holds when the key is absent, as one would write it; empty when there is nothing to fall back to
 * @param value what holds now, as one would write it; never a secret
 */
public record Setting(String path, String type, String bounds, String fallback, String value) {}
