package io.penstock.upstream;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;

/**
 * The one place where the current {@link UpstreamSet} is found. Written from the probe verticle's event loop only; read
 * by anyone.
 */
public final class LiveUpstreams {

    /** How long a replica that went is remembered with its counters, in case it comes back. */
    private static final long MEMORY_NANOS = Duration.ofSeconds(60).toNanos();

    /** The writer shows a sign of life each second; after this it is stuck, and what it wrote means little. */
    private static final long BLIND_NANOS = Duration.ofSeconds(10).toNanos();

    private record Departed(UpstreamState state, long atNanos) {}

    private final LongSupplier nanoClock;
    // Touched by the writer only.
    private final Map<String, Departed> departed = new LinkedHashMap<>();

    private volatile UpstreamSet current = new UpstreamSet(List.of());
    private volatile long lastTurnNanos;

    /**
     * Starts with no replica.
     *
     * @param nanoClock the time, in nanoseconds
     */
    public LiveUpstreams(LongSupplier nanoClock) {
        this.nanoClock = nanoClock;
        this.lastTurnNanos = nanoClock.getAsLong();
    }

    /** The writer lives. For the probe verticle only. */
    public void turned() {
        lastTurnNanos = nanoClock.getAsLong();
    }

    /**
     * Whether the probe verticle has been silent for 10 s: nobody notices any more who comes back.
     *
     * @return true if how replicas stand is not to be believed, but for connections that were refused
     */
    public boolean blind() {
        return nanoClock.getAsLong() - lastTurnNanos > BLIND_NANOS;
    }

    /**
     * Whether a new request would be sent to someone: to a replica that accepts work, or, while nobody watches them, to
     * one that may.
     *
     * @return false if it would have to wait
     */
    public boolean anyOpen() {
        UpstreamSet now = current;
        if (now.anyAccepting()) {
            return true;
        }
        return blind() && now.members().stream().anyMatch(LiveUpstreams::mayBeWell);
    }

    private static boolean mayBeWell(UpstreamState member) {
        return member.standing() != Standing.REFUSED
                && !member.draining()
                && !member.removed()
                && !member.identity().addresses().isEmpty();
    }

    /**
     * The replicas of this moment.
     *
     * @return an immutable set
     */
    public UpstreamSet current() {
        return current;
    }

    /**
     * Makes these the replicas. Those that stay keep their state, those that go finish what they have, those that come
     * back within 60 s (or with work still running) continue where they were.
     *
     * @param next the replicas, in order, with unique ids
     * @return the set that is now current
     */
    public UpstreamSet apply(List<Upstream> next) {
        Map<String, UpstreamState> known = new LinkedHashMap<>();
        for (UpstreamState member : current.members()) {
            known.put(member.id(), member);
        }
        forget();
        List<UpstreamState> members = new ArrayList<>(next.size());
        Set<String> staying = new HashSet<>();
        for (Upstream identity : next) {
            staying.add(identity.id());
            members.add(stateOf(identity, known));
        }
        for (UpstreamState member : known.values()) {
            if (!staying.contains(member.id())) {
                member.remove(true);
                departed.put(member.id(), new Departed(member, nanoClock.getAsLong()));
            }
        }
        current = new UpstreamSet(members);
        return current;
    }

    private UpstreamState stateOf(Upstream identity, Map<String, UpstreamState> known) {
        UpstreamState state = known.get(identity.id());
        if (state == null) {
            Departed back = departed.remove(identity.id());
            state = back == null ? new UpstreamState(identity) : back.state();
        }
        state.become(identity);
        if (state.removed()) {
            // It may have been restarted while nobody looked: it is asked again before it gets work.
            state.judge(Standing.STARTING, "back in the configuration, not probed yet");
            state.remove(false);
        }
        return state;
    }

    private void forget() {
        long now = nanoClock.getAsLong();
        departed.values().removeIf(d -> d.state().inFlight() == 0 && now - d.atNanos() > MEMORY_NANOS);
    }
}
