package io.penstock.admin;

import io.penstock.admin.TrafficSecond.Kind;
import io.penstock.proxy.Decision.Cause;
import io.penstock.upstream.UpstreamSet;
import io.penstock.upstream.UpstreamState;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Everything that the live page shows, at one moment: what {@code GET /live} sends. Keys are only ever added. Nothing of
 * a prompt, an answer or a key is in it. Confined to the admin verticle's event loop.
 */
final class LiveSnapshot {

    /** More replicas than these are counted only; those that are unwell come first. */
    static final int MOST_REPLICAS = 128;

    private static final int DECISIONS = 20;
    /** A percentile of one second of few requests says little. */
    private static final int SMOOTHED_SECONDS = 5;

    private static final int RATE_SECONDS = 5;
    private static final double MEDIAN = 0.50;
    private static final double NEARLY_ALL = 0.99;

    private final RunningInstance instance;
    private final Chronicle chronicle;
    private final Headline headline;
    private final EngineRates rates = new EngineRates();

    LiveSnapshot(RunningInstance instance, Chronicle chronicle) {
        this.instance = instance;
        this.chronicle = chronicle;
        this.headline = new Headline(instance, chronicle);
    }

    JsonObject now() {
        // The same set for all of it: it may be replaced meanwhile.
        UpstreamSet present = instance.upstreams().current();
        List<UpstreamState> members = present.members();
        forgetOthers(members);
        JsonObject listing = UpstreamListing.of(instance, present);
        Laggards laggards = new Laggards(instance);
        JsonArray replicas = replicas(members, listing.getJsonArray("upstreams"), laggards);
        List<@Nullable TrafficSecond> minute = instance.traffic().minute();
        return new JsonObject()
                .put("version", instance.version())
                .put("frontPort", instance.frontPort().getAsInt())
                .put("headline", headline.now(laggards))
                .put("lameDuck", listing.getBoolean("lameDuck"))
                .put("waiting", listing.getLong("waiting"))
                .put("config", listing.getJsonObject("config"))
                .put("totals", totals())
                .put("rates", rates(minute, members))
                .put("history", history(minute))
                .put("replicas", replicas)
                .put("moreReplicas", members.size() - replicas.size())
                .put(
                        "usableReplicas",
                        members.stream().filter(UpstreamState::usable).count())
                .put(
                        "inFlight",
                        members.stream().mapToInt(UpstreamState::inFlight).sum())
                .put(
                        "decisions",
                        ReceiptListing.newest(instance.receipts(), DECISIONS).getJsonArray("receipts"))
                .put("incidents", chronicle.latest());
    }

    /** Nobody looks any more. */
    void rest() {
        rates.clear();
    }

    private void forgetOthers(List<UpstreamState> members) {
        Set<String> ids = new HashSet<>();
        Set<String> names = new HashSet<>();
        for (UpstreamState member : members) {
            ids.add(member.id());
            names.add(member.name());
        }
        rates.keepOnly(ids);
        chronicle.keepOnly(ids);
        instance.traffic().keepOnly(names);
    }

    private JsonArray replicas(List<UpstreamState> members, JsonArray listed, Laggards laggards) {
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < members.size(); i++) {
            order.add(i);
        }
        if (order.size() > MOST_REPLICAS) {
            order.sort(Comparator.comparing(i -> listed.getJsonObject(i).getBoolean("usable")));
        }
        JsonArray shown = new JsonArray();
        for (int i : order.subList(0, Math.min(MOST_REPLICAS, order.size()))) {
            shown.add(withLife(listed.getJsonObject(i), members.get(i), laggards));
        }
        return shown;
    }

    private JsonObject withLife(JsonObject replica, UpstreamState state, Laggards laggards) {
        long now = instance.nanoClock().getAsLong();
        var gauges = state.engine().gauges();
        return replica.put("sinceMillis", chronicle.sinceMillis(state))
                .put("slow", state.usable() ? laggards.why(state) : null)
                .put("tokensPerSecond", rounded(rates.perSecond(state, now)))
                .put("enginesFresh", gauges != null && gauges.fresh(now))
                .put("firstOutputMillis", known(instance.traffic().firstOutputMillis(state.name(), 1)));
    }

    private JsonObject totals() {
        TrafficRecorder traffic = instance.traffic();
        return new JsonObject()
                .put("whole", traffic.whole())
                .put("lost", traffic.lost())
                .put("failovers", traffic.moves(Cause.FAILOVER))
                .put("retries", traffic.moves(Cause.RETRY))
                .put("hedges", traffic.moves(Cause.HEDGE));
    }

    private JsonObject rates(List<@Nullable TrafficSecond> minute, List<UpstreamState> members) {
        List<@Nullable TrafficSecond> last = minute.subList(minute.size() - RATE_SECONDS, minute.size());
        long now = instance.nanoClock().getAsLong();
        Double tokens = null;
        for (UpstreamState member : members) {
            Double own = rates.perSecond(member, now);
            if (own != null) {
                tokens = (tokens == null ? 0 : tokens) + own;
            }
        }
        long[] all = histogram(minute);
        return new JsonObject()
                .put("requestsPerSecond", perSecond(last, Kind.ARRIVED))
                .put("wholePerSecond", perSecond(last, Kind.WHOLE))
                .put("lostPerSecond", perSecond(last, Kind.LOST))
                .put("tokensPerSecond", rounded(tokens))
                .put("firstOutputP50Millis", known(TrafficSecond.percentileMillis(all, MEDIAN)))
                .put("firstOutputP99Millis", known(TrafficSecond.percentileMillis(all, NEARLY_ALL)));
    }

    private static double perSecond(List<@Nullable TrafficSecond> seconds, Kind kind) {
        long count = 0;
        for (TrafficSecond second : seconds) {
            count += second == null ? 0 : second.counted(kind);
        }
        return (double) count / seconds.size();
    }

    /** One value per second, the oldest first. */
    private static JsonObject history(List<@Nullable TrafficSecond> minute) {
        JsonArray arrived = new JsonArray();
        JsonArray whole = new JsonArray();
        JsonArray lost = new JsonArray();
        JsonArray moved = new JsonArray();
        JsonArray median = new JsonArray();
        JsonArray nearlyAll = new JsonArray();
        for (int i = 0; i < minute.size(); i++) {
            TrafficSecond second = minute.get(i);
            arrived.add(second == null ? 0 : second.counted(Kind.ARRIVED));
            whole.add(second == null ? 0 : second.counted(Kind.WHOLE));
            lost.add(second == null ? 0 : second.counted(Kind.LOST));
            moved.add(second == null ? 0 : second.counted(Kind.MOVED));
            long[] histogram = histogram(minute.subList(Math.max(0, i + 1 - SMOOTHED_SECONDS), i + 1));
            median.add(known(TrafficSecond.percentileMillis(histogram, MEDIAN)));
            nearlyAll.add(known(TrafficSecond.percentileMillis(histogram, NEARLY_ALL)));
        }
        return new JsonObject()
                .put("arrived", arrived)
                .put("whole", whole)
                .put("lost", lost)
                .put("moved", moved)
                .put("firstOutputP50Millis", median)
                .put("firstOutputP99Millis", nearlyAll);
    }

    private static long[] histogram(List<@Nullable TrafficSecond> seconds) {
        long[] histogram = new long[TrafficSecond.BUCKETS];
        for (TrafficSecond second : seconds) {
            if (second != null) {
                second.addTo(histogram);
            }
        }
        return histogram;
    }

    /** JSON has no NaN, and nobody reads more than one digit after the point. */
    private static @Nullable Double known(double value) {
        return Double.isNaN(value) ? null : Double.valueOf(Math.round(value * 10) / 10.0);
    }

    private static @Nullable Double rounded(@Nullable Double value) {
        return value == null ? null : known(value);
    }
}
