package io.penstock.admission;

import io.penstock.upstream.UpstreamState;
import org.jspecify.annotations.Nullable;

/**
 * The replicas that have failed a request. One of them may get it again once a probe of it has passed since: until then
 * nothing says that it would do better. Immutable; any thread may ask.
 */
public final class Tried {

    /** Nobody yet. */
    public static final Tried NOBODY = new Tried(null, -1, null);

    private final @Nullable UpstreamState upstream;
    private final long passedProbes;
    private final @Nullable Tried earlier;

    private Tried(@Nullable UpstreamState upstream, long passedProbes, @Nullable Tried earlier) {
        this.upstream = upstream;
        this.passedProbes = passedProbes;
        this.earlier = earlier;
    }

    /**
     * Adds one.
     *
     * @param failed the replica that failed just now
     * @return these and that one
     */
    public Tried with(UpstreamState failed) {
        return new Tried(failed, failed.passedProbes(), this);
    }

    /**
     * Whether the request may go there.
     *
     * @param candidate a replica
     * @return false if it failed the request and no probe of it has passed since
     */
    public boolean allows(UpstreamState candidate) {
        for (Tried each = this; each != null; each = each.earlier) {
            if (each.upstream == candidate) {
                return candidate.passedProbes() > each.passedProbes;
            }
        }
        return true;
    }
}
