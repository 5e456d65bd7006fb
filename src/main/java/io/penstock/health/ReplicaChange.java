package io.penstock.health;

import io.penstock.upstream.Standing;
import io.penstock.upstream.UpstreamState;

/**
 * News about one replica: it came into rotation, left it, or was asked again because someone doubted it.
 *
 * @param upstream which
 * @param from how it stood
 * @param to how it stands
 * @param reason why, in one phrase for people
 */
public record ReplicaChange(UpstreamState upstream, Standing from, Standing to, String reason) {}
