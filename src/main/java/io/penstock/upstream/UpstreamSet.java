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
     * Whether any replica can take work.
     *
     * @return true if at least one is usable, or suspected but better than nobody
     */
    public boolean anyUsable() {
        for (UpstreamState member : members) {
            if (member.usable() || member.lastResort()) {
                return true;
            }
        }
        return false;
    }
}
