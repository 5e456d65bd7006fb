package io.penstock.selection;

import io.penstock.upstream.UpstreamState;
import java.util.List;

/**
 * Picks the replica for one request. Called from any event loop, at times inside the waiting room's lock: never blocks,
 * never throws, calls nobody else.
 *
 * <p>To add a policy: implement this, then add a line to {@link SelectionPolicy}.
 */
public interface Selector {

    /**
     * Chooses.
     *
     * @param candidates usable replicas that serve the request's model; at least one
     * @param traits what is known of the request
     * @return one of the candidates
     */
    UpstreamState choose(List<UpstreamState> candidates, RequestTraits traits);
}
