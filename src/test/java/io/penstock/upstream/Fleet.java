package io.penstock.upstream;

import io.penstock.config.Endpoint;
import io.penstock.config.Replica;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/** Replicas for tests that need no network. */
public final class Fleet {

    private static final List<Outcome> OUTCOMES = List.of(Outcome.values());

    private Fleet() {}

    /** A replica of weight 1 without limits, at an address. */
    public static Upstream upstream(String name) {
        return upstream(name, 1, 0);
    }

    /** A replica at an address. */
    public static Upstream upstream(String name, int weight, int maxInFlight, String... models) {
        Replica replica =
                new Replica(name, new Endpoint(name, 8000), false, false, weight, maxInFlight, Set.of(models), null);
        return new Upstream(name, name, replica, List.of("192.0.2.1"));
    }

    /** A replica that can take work. */
    public static UpstreamState ready(String name) {
        return ready(name, 1, 0);
    }

    /** A replica that can take work. */
    public static UpstreamState ready(String name, int weight, int maxInFlight, String... models) {
        UpstreamState state = new UpstreamState(upstream(name, weight, maxInFlight, models));
        state.judge(Standing.READY, "ready");
        return state;
    }

    /** Replicas that can take work, as the current set. */
    public static LiveUpstreams live(Upstream... upstreams) {
        LiveUpstreams live = new LiveUpstreams(() -> 0);
        live.apply(List.of(upstreams)).members().forEach(each -> each.judge(Standing.READY, "ready"));
        return live;
    }

    /** A set of these. */
    public static UpstreamSet set(UpstreamState... members) {
        return new UpstreamSet(Arrays.asList(members));
    }

    /** One of the three outcomes, in turn. */
    public static Outcome outcome(int turn) {
        return OUTCOMES.get(turn % OUTCOMES.size());
    }

    /** Takes a place that is known to be free. */
    public static Lease lease(UpstreamState state) {
        return Objects.requireNonNull(state.lease(0, () -> {}));
    }
}
