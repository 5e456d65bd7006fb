package io.penstock.proxy;

import io.penstock.upstream.Standing;
import io.penstock.upstream.UpstreamState;
import java.time.Duration;

/** How long a replica has said nothing to one attempt, and when that is too long. Confined to one event loop. */
final class Silence {

    /** How many times longer a replica may be silent that was removed from the configuration. */
    private static final int REMOVED_TIMES = 6;

    // When it last said something, was sent, or was first seen out of rotation.
    private long heardNanos;
    private boolean wasOut;

    /** It said something just now, or is being asked. */
    void heard(long nowNanos) {
        heardNanos = nowNanos;
    }

    /** When it was last heard of. */
    long heardNanos() {
        return heardNanos;
    }

    /**
     * Whether the replica is out of rotation and has said nothing for so long since. Asked now and then. One whose engine
     * stands still was silent before, too, and that counts. One that was only removed is probed by nobody, but nothing
     * speaks against it: it gets longer.
     */
    boolean lasts(UpstreamState upstream, Duration stall, long nowNanos) {
        Standing standing = upstream.standing();
        // Whoever was ejected failed requests, which says nothing of those that run there; a suspected one may be slow.
        boolean out = !standing.takesWork() && standing != Standing.EJECTED && standing != Standing.SUSPECT;
        if (!out && !upstream.removed()) {
            wasOut = false;
            return false;
        }
        if (!wasOut) {
            wasOut = true;
            heardNanos = standing == Standing.STALLED ? heardNanos : nowNanos;
        }
        return !stall.isZero() && nowNanos - heardNanos >= stall.toNanos() * (out ? 1 : REMOVED_TIMES);
    }
}
