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
 * @param probed whether a probe says so; false if it is only what a request met, and a probe is under way
 */
public record ReplicaChange(UpstreamState upstream, Standing from, Standing to, String reason, boolean probed) {}
