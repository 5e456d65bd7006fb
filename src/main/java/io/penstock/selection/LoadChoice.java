package io.penstock.selection;

import io.penstock.upstream.Choice;
import io.penstock.upstream.Choice.Option;
import io.penstock.upstream.Choice.Reason;
import io.penstock.upstream.UpstreamState;
import java.util.ArrayList;
import java.util.List;

/** Puts down what a choice was made from that looked at requests in flight, or at whose turn it was. */
public final class LoadChoice {

    private LoadChoice() {}

    /**
     * Puts it down, once the chosen one has the request.
     *
     * @param reason the rule that decided
     * @param members who could have been chosen
     * @param chosen one of them; it holds the request already
     * @param nowNanos now
     * @return the choice
     */
    public static Choice of(Reason reason, List<UpstreamState> members, UpstreamState chosen, long nowNanos) {
        int[] listed = Shortlist.of(members.size(), i -> members.get(i).inFlight(), members.indexOf(chosen));
        List<Option> options = new ArrayList<>(listed.length);
        for (int i : listed) {
            UpstreamState member = members.get(i);
            int before = member == chosen ? member.inFlight() - 1 : member.inFlight();
            options.add(new Option(member.name(), Math.max(0, before), null));
        }
        boolean alone = members.size() == 1 && (reason == Reason.LEAST_IN_FLIGHT || reason == Reason.IN_TURN);
        return new Choice(
                alone ? Reason.ONLY_ONE_USABLE : reason,
                options,
                members.size() - options.size(),
                nowNanos,
                /* laneNanos= */ -1,
                /* promptTokens= */ 0,
                /* predictedNanos= */ -1);
    }
}
