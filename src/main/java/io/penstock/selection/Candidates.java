package io.penstock.selection;

import io.penstock.upstream.Ejection;
import io.penstock.upstream.Standing;
import io.penstock.upstream.UpstreamSet;
import io.penstock.upstream.UpstreamState;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Who may be chosen for a request: usable (or better than nobody), serving its model, and not ruled out by the request itself.
 *
 * @param members who is left, in order, perhaps nobody; the caller may change the list
 * @param onTrial an ejected replica that needs a request to show whether it is well again; null if there is none
 * @param panic whether all that serve the model are ejected, so that these are
 */
public record Candidates(
        List<UpstreamState> members, @Nullable UpstreamState onTrial, boolean panic) {

    /**
     * Lists them.
     *
     * <p>If any replica is known to serve the model, only such replicas count, also when all of them are down: the
     * request then waits for one. If no list has the model, everyone may get it: lists may be old or unreadable, and
     * vLLM's own 404 says it best. Suspected replicas count only while nobody usable is left, ejected ones only while
     * nobody else is there at all.
     *
     * @param set all replicas
     * @param model what the request asks for; null if it names none
     * @param acceptable false for those that the request has tried
     * @return the candidates
     */
    public static Candidates among(UpstreamSet set, @Nullable String model, Predicate<UpstreamState> acceptable) {
        List<UpstreamState> members = set.members();
        String sought = model != null && someoneServes(members, model) ? model : null;
        List<UpstreamState> usable = new ArrayList<>(members.size());
        List<UpstreamState> suspected = List.of();
        List<UpstreamState> ejected = List.of();
        boolean anyBetter = false;
        for (int i = 0; i < members.size(); i++) {
            UpstreamState member = members.get(i);
            if (!member.accepting() || (sought != null && !Boolean.TRUE.equals(member.serves(sought)))) {
                continue;
            }
            Standing standing = member.standing();
            anyBetter |= standing == Standing.READY || standing == Standing.SUSPECT;
            if (!acceptable.test(member)) {
                continue;
            }
            switch (standing) {
                case READY -> usable.add(member);
                case SUSPECT -> suspected = with(suspected, member);
                case EJECTED -> ejected = with(ejected, member);
                // It fell this very moment.
                default -> {}
            }
        }
        if (!anyBetter && !ejected.isEmpty()) {
            return new Candidates(ejected, onTrial(ejected), true);
        }
        return new Candidates(usable.isEmpty() && !suspected.isEmpty() ? suspected : usable, onTrial(ejected), false);
    }

    private static List<UpstreamState> with(List<UpstreamState> some, UpstreamState one) {
        List<UpstreamState> more = some.isEmpty() ? new ArrayList<>() : some;
        more.add(one);
        return more;
    }

    /**
     * Lists everyone but those that refused a connection, for when nobody watches the replicas: who fails may be well
     * again, and who stands well may have failed.
     *
     * @param set all replicas
     * @param model what the request asks for; null if it names none
     * @param acceptable false for those that the request has tried
     * @return the candidates, as in a panic
     */
    public static Candidates blindly(UpstreamSet set, @Nullable String model, Predicate<UpstreamState> acceptable) {
        List<UpstreamState> left = new ArrayList<>();
        String sought = model != null && someoneServes(set.members(), model) ? model : null;
        for (UpstreamState member : set.members()) {
            boolean there = !member.draining()
                    && !member.removed()
                    && !member.identity().addresses().isEmpty();
            if (there
                    && member.standing() != Standing.REFUSED
                    && acceptable.test(member)
                    && (sought == null || Boolean.TRUE.equals(member.serves(sought)))) {
                left.add(member);
            }
        }
        return new Candidates(left, null, true);
    }

    /** One that is suspected besides has to show by itself that it makes tokens, before a request depends on it. */
    private static @Nullable UpstreamState onTrial(List<UpstreamState> ejected) {
        for (int i = 0; i < ejected.size(); i++) {
            Ejection out = ejected.get(i).conduct().ejection();
            boolean silent = ejected.get(i).engine().suspicion() != null;
            if (out != null && out.phase() == Ejection.Phase.OPEN && !silent) {
                return ejected.get(i);
            }
        }
        return null;
    }

    private static boolean someoneServes(List<UpstreamState> members, String model) {
        for (int i = 0; i < members.size(); i++) {
            if (Boolean.TRUE.equals(members.get(i).serves(model))) {
                return true;
            }
        }
        return false;
    }

    /**
     * Whether nobody is left. One that is on trial is not counted: nothing may count on it.
     *
     * @return true if there is no member
     */
    public boolean isEmpty() {
        return members.isEmpty();
    }

    /**
     * Takes those out of the members that said a moment ago that they are busy.
     *
     * @param nowNanos now
     * @return these, in order, perhaps nobody
     */
    public List<UpstreamState> setBusyAside(long nowNanos) {
        List<UpstreamState> busy = List.of();
        for (int i = members.size() - 1; i >= 0; i--) {
            if (members.get(i).conduct().busy().holds(nowNanos)) {
                busy = busy.isEmpty() ? new ArrayList<>(members.size()) : busy;
                busy.add(0, members.remove(i));
            }
        }
        return busy;
    }
}
