package io.penstock.selection;

import io.penstock.upstream.UpstreamSet;
import io.penstock.upstream.UpstreamState;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Who may be chosen for a request: usable, serving its model, and not ruled out by the request itself. */
public final class Candidates {

    private Candidates() {}

    /**
     * Lists them.
     *
     * <p>If any replica is known to serve the model, only such replicas count, also when all of them are down: the
     * request then waits for one. If no list has the model, everyone may get it: lists may be old or unreadable, and
     * vLLM's own 404 says it best. A suspected replica counts only while no other does.
     *
     * @param set all replicas
     * @param model what the request asks for; null if it names none
     * @param acceptable false for those that the request has tried
     * @return the candidates, in order, perhaps empty
     */
    public static List<UpstreamState> among(
            UpstreamSet set, @Nullable String model, Predicate<UpstreamState> acceptable) {
        List<UpstreamState> members = set.members();
        String sought = model != null && someoneServes(members, model) ? model : null;
        List<UpstreamState> candidates = those(UpstreamState::usable, members, sought, acceptable);
        return candidates.isEmpty() ? those(UpstreamState::lastResort, members, sought, acceptable) : candidates;
    }

    private static List<UpstreamState> those(
            Predicate<UpstreamState> inRotation,
            List<UpstreamState> members,
            @Nullable String sought,
            Predicate<UpstreamState> acceptable) {
        List<UpstreamState> candidates = new ArrayList<>(members.size());
        for (int i = 0; i < members.size(); i++) {
            UpstreamState member = members.get(i);
            if (inRotation.test(member)
                    && acceptable.test(member)
                    && (sought == null || Boolean.TRUE.equals(member.serves(sought)))) {
                candidates.add(member);
            }
        }
        return candidates;
    }

    private static boolean someoneServes(List<UpstreamState> members, String model) {
        for (int i = 0; i < members.size(); i++) {
            if (Boolean.TRUE.equals(members.get(i).serves(model))) {
                return true;
            }
        }
        return false;
    }
}
