package io.penstock.admin;

import io.penstock.admin.TrafficRecorder.TimedMove;
import io.penstock.health.ReplicaChange;
import io.penstock.proxy.Move;
import io.penstock.upstream.Standing;
import io.penstock.upstream.UpstreamState;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What happened lately, in words: replicas that rose or fell, edits that came into force, what the operator did, and
 * requests that moved. Also knows since when each replica stands as it does. Confined to the admin verticle's event loop.
 */
final class Chronicle {

    // Twice as many as a configuration may name.
    private static final int MOST_REPLICAS = 2_000;
    private static final int KEPT = 64;
    private static final int SHOWN = 24;
    private static final long NANOS_PER_MILLI = 1_000_000;
    /** Moves that are further apart than this have nothing to do with each other. */
    private static final long APART_NANOS = 10_000 * NANOS_PER_MILLI;

    /** Something that happened at a replica, if it was at one; {@code targets} are where requests moved to. */
    private record Entry(
            long atNanos, String kind, @Nullable String replica, String text, List<String> targets) {}

    private final LongSupplier nanoClock;
    private final TrafficRecorder traffic;
    private final Deque<Entry> entries = new ArrayDeque<>();
    private final Map<String, Long> standing = new HashMap<>();
    private final Map<String, Long> drained = new HashMap<>();

    Chronicle(LongSupplier nanoClock, TrafficRecorder traffic) {
        this.nanoClock = nanoClock;
        this.traffic = traffic;
    }

    void changed(ReplicaChange change) {
        if (change.from() == change.to()) {
            return;
        }
        UpstreamState replica = change.upstream();
        stamp(standing, replica);
        note(
                change.to() == Standing.READY ? "up" : "down",
                replica.name(),
                replica.name() + ": " + change.from() + " → " + change.to() + " (" + change.reason() + ")");
    }

    void reconfigured() {
        note("config", null, "an edit of the configuration came into force");
    }

    private void stamp(Map<String, Long> times, UpstreamState replica) {
        if (times.size() >= MOST_REPLICAS && !times.containsKey(replica.id())) {
            // Names come and go, and nobody has looked for long. Those that are there will be noted again.
            times.clear();
        }
        times.put(replica.id(), nanoClock.getAsLong());
    }

    void drained(UpstreamState replica, boolean drain) {
        stamp(drained, replica);
        note(
                "drain",
                replica.name(),
                replica.name()
                        + (drain
                                ? ": drained by the operator, no new work"
                                : ": undrained by the operator, may take work again"));
    }

    private void note(String kind, @Nullable String replica, String text) {
        entries.addFirst(new Entry(nanoClock.getAsLong(), kind, replica, text, List.of()));
        if (entries.size() > KEPT) {
            entries.removeLast();
        }
    }

    /**
     * For how long a replica has been drained, if it is, or else has stood as it does, in milliseconds; null if nothing
     * has changed since the start.
     */
    @Nullable
    Long sinceMillis(UpstreamState replica) {
        Long from = (replica.draining() ? drained : standing).get(replica.id());
        return from == null ? null : (nanoClock.getAsLong() - from) / NANOS_PER_MILLI;
    }

    /** Forgets all replicas but these. */
    void keepOnly(Set<String> ids) {
        standing.keySet().retainAll(ids);
        drained.keySet().retainAll(ids);
    }

    /** The latest, the newest first. */
    JsonArray latest() {
        List<Entry> all = new ArrayList<>(entries);
        all.addAll(moves());
        // Read once: a sort wants the same answer for the same two entries.
        long now = nanoClock.getAsLong();
        all.sort(
                Comparator.comparingLong((Entry entry) -> entry.atNanos() - now).reversed());
        JsonArray listed = new JsonArray();
        for (Entry entry : all.subList(0, Math.min(SHOWN, all.size()))) {
            listed.add(new JsonObject()
                    .put("agoMillis", (now - entry.atNanos()) / NANOS_PER_MILLI)
                    .put("kind", entry.kind())
                    .put("replica", entry.replica())
                    .put("targets", new JsonArray(entry.targets()))
                    .put("text", entry.text()));
        }
        return listed;
    }

    /** When a replica dies, a hundred requests move at once: that is one line. */
    private List<Entry> moves() {
        List<Entry> merged = new ArrayList<>();
        List<TimedMove> moves = traffic.lastMoves();
        for (int i = 0; i < moves.size(); ) {
            Move first = moves.get(i).move();
            Set<String> targets = new LinkedHashSet<>();
            int end = i;
            while (end < moves.size()
                    && alike(first, moves.get(end).move())
                    && moves.get(Math.max(i, end - 1)).atNanos()
                                    - moves.get(end).atNanos()
                            < APART_NANOS) {
                targets.add(moves.get(end).move().to());
                end++;
            }
            String who = end - i == 1 ? "request " + shortened(first.requestId()) : end - i + " requests";
            String text = who + " " + words(first, String.join(", ", targets));
            merged.add(new Entry(moves.get(i).atNanos(), "move", first.from(), text, List.copyOf(targets)));
            i = end;
        }
        return merged;
    }

    private static boolean alike(Move one, Move other) {
        return one.cause() == other.cause() && one.from().equals(other.from()) && one.failure() == other.failure();
    }

    private static String words(Move move, String targets) {
        String why = move.failure() == null
                ? ""
                : " (" + move.failure().name().toLowerCase(Locale.ROOT).replace('_', ' ') + ")";
        String way = move.from() + " → " + targets + why;
        return switch (move.cause()) {
            case HEDGE -> "asked of " + targets + ", too: " + move.from() + " shows nothing";
            case RETRY -> "tried again: " + way;
            case FAILOVER, ARRIVAL -> "moved: " + way;
        };
    }

    /** Clients choose ids, and some are long. */
    private static String shortened(String id) {
        return id.length() <= 12 ? id : id.substring(0, 10) + "…";
    }
}
