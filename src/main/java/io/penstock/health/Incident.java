package io.penstock.health;

import io.penstock.upstream.UpstreamState;

/**
 * A request failed at a replica, or one that was on trial has ended. What happened stands in the replica's
 * {@link io.penstock.upstream.Conduct}; this only says that it is worth a look.
 *
 * @param upstream which replica
 */
public record Incident(UpstreamState upstream) {}
