package io.penstock.admission;

import io.penstock.upstream.UpstreamState;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The replicas that have failed a request. Some may get it again once something says that they would do better: a probe
 * that has passed since, or another process in their place. Immutable; any thread may ask.
 */
public final class Tried {

    /** Nobody yet. */
    public static final Tried NOBODY = new Tried(null, () -> true, null);

    private final @Nullable UpstreamState upstream;
    private final BooleanSupplier better;
    private final @Nullable Tried earlier;

    private Tried(@Nullable UpstreamState upstream, BooleanSupplier better, @Nullable Tried earlier) {
        this.upstream = upstream;
        this.better = better;
        this.earlier = earlier;
    }

    /**
     * Adds one that may get the request again once a probe of it has passed.
     *
     * @param failed the replica that failed just now
     * @return these and that one
     */
    public Tried untilProbed(UpstreamState failed) {
        long passed = failed.passedProbes();
        return new Tried(failed, () -> failed.passedProbes() > passed, this);
    }

    /**
     * Adds one that may get the request again once another process runs there: this one passes its probes as it goes.
     *
     * @param failed the replica that failed just now
     * @return these and that one
     */
    public Tried untilRestart(UpstreamState failed) {
        int epoch = failed.epoch();
        return new Tried(failed, () -> failed.epoch() > epoch, this);
    }

    /**
     * Adds one that never gets the request again: it is well, and answered with an error.
     *
     * @param failed the replica that answered
     * @return these and that one
     */
    public Tried forGood(UpstreamState failed) {
        return new Tried(failed, () -> false, this);
    }

    /**
     * Whether the request may go there.
     *
     * @param candidate a replica
     * @return false if it failed the request and nothing says that it would do better now
     */
    public boolean allows(UpstreamState candidate) {
        for (Tried each = this; each != null; each = each.earlier) {
            if (each.upstream == candidate) {
                return each.better.getAsBoolean();
            }
        }
        return true;
    }
}
