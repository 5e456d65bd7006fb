package io.penstock.health;

import io.penstock.upstream.UpstreamState;

/**
 * What the request path saw and the probe verticle should look into at once: a refused connection, one that timed out,
 * one that broke.
 *
 * @param upstream which replica
 * @param reason what was seen, in one phrase for people
 */
public record Doubt(UpstreamState upstream, String reason) {}
