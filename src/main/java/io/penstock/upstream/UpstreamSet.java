package io.penstock.upstream;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The replicas of one moment, in the order of the configuration. A reload makes a new set; members that stay are the
 * same objects, so their running requests and counters go on.
 *
 * @param members the replicas
 */
public record UpstreamSet(List<UpstreamState> members) {

    /** Copies the list. */
    public UpstreamSet {
        members = List.copyOf(members);
    }

    /**
     * Finds a replica by what people call it.
     *
     * @param name a display name or an id
     * @return the replica, or null if there is none
     */
    public @Nullable UpstreamState find(String name) {
        for (UpstreamState member : members) {
            if (member.name().equals(name) || member.id().equals(name)) {
                return member;
            }
        }
        return null;
    }

    /**
     * Whether work can be done: some replica is usable, or there are suspected ones, which get it where nobody better is
     * left, or ejected ones, which get it in a panic.
     *
     * @return true if at least one accepts work
     */
    public boolean anyAccepting() {
        for (UpstreamState member : members) {
            if (member.accepting()) {
                return true;
            }
        }
        return false;
    }

    /**
     * Whether no replica is usable, not even as a last resort, but some are only ejected: these then get the work, since
     * a replica that may fail is better than none.
     *
     * @return true if so
     */
    public boolean inPanic() {
        for (UpstreamState member : members) {
            if (member.usable() || member.lastResort()) {
                return false;
            }
        }
        return anyAccepting();
    }
}
