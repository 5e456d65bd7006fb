package io.penstock.admin;

import io.penstock.config.Replica;
import io.penstock.selection.LearnedSpeed;
import io.penstock.upstream.EngineGauges;
import io.penstock.upstream.Outcome;
import io.penstock.upstream.Standing;
import io.penstock.upstream.UpstreamSet;
import io.penstock.upstream.UpstreamState;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** What {@code GET /upstreams} says, and what {@code penstock status} reads. Keys are only ever added. */
final class UpstreamListing {

    private UpstreamListing() {}

    /** The whole instance. */
    static JsonObject of(RunningInstance instance) {
        return of(instance, instance.upstreams().current());
    }

    /** The whole instance, with these replicas. */
    static JsonObject of(RunningInstance instance, UpstreamSet present) {
        JsonArray replicas = new JsonArray();
        Map<String, LearnedSpeed> learned = instance.learned().get();
        for (UpstreamState member : present.members()) {
            LearnedSpeed speed = learned.get(member.id());
            replicas.add(speed == null ? of(member) : of(member).put("learned", of(speed)));
        }
        return new JsonObject()
                .put("version", instance.version())
                .put("lameDuck", instance.lameDuck().getAsBoolean())
                .put("waiting", instance.waiting().getAsLong())
                .put("config", instance.config().get())
                .put("upstreams", replicas);
    }

    /** One replica. Its API key is not part of it. */
    static JsonObject of(UpstreamState state) {
        Replica replica = state.identity().replica();
        Set<String> models = state.knownModels();
        return new JsonObject()
                .put("name", state.name())
                .put("id", state.id())
                .put("url", (replica.tls() ? "https://" : "http://") + replica.endpoint())
                .put("addresses", new JsonArray(state.identity().addresses()))
                .put("standing", wordFor(state.standing()))
                .put("reason", state.reason())
                .put("usable", state.usable())
                .put("draining", state.draining())
                .put("weight", replica.weight())
                .put("maxInFlight", replica.maxInFlight())
                .put("inFlight", state.inFlight())
                .put("epoch", state.epoch())
                .put("passedProbes", state.passedProbes())
                .put(
                        "models",
                        models == null
                                ? null
                                : new JsonArray(new TreeSet<>(models).stream().toList()))
                .put("engines", enginesOf(state))
                .put("started", state.started())
                .put("completed", state.count(Outcome.COMPLETED))
                .put("failed", state.count(Outcome.FAILED))
                .put("ignored", state.count(Outcome.IGNORED));
    }

    /** What predictions are made from; null for what is not known yet. */
    private static JsonObject of(LearnedSpeed speed) {
        return new JsonObject()
                .put("readTokensPerSecond", speed.tokensPerSecond() > 0 ? speed.tokensPerSecond() : null)
                .put("tokenGapMillis", speed.gapSeconds() > 0 ? speed.gapSeconds() * 1e3 : null)
                .put("indexedPieces", speed.indexedPieces())
                .put("indexCapacity", speed.indexCapacity())
                .put("inLane", speed.inLane());
    }

    /** What its engines last said, however long ago; null if nothing is known of the process that runs now. */
    private static @Nullable JsonArray enginesOf(UpstreamState state) {
        EngineGauges gauges = state.engine().gauges();
        if (gauges == null) {
            return null;
        }
        JsonArray engines = new JsonArray();
        for (EngineGauges.Engine engine : gauges.engines()) {
            engines.add(new JsonObject()
                    .put("engine", engine.label())
                    .put("running", known(engine.running()))
                    .put("waiting", known(engine.waiting()))
                    .put("kvUsage", known(engine.cacheUsage())));
        }
        return engines;
    }

    /** JSON has no NaN. */
    private static @Nullable Double known(double value) {
        return Double.isNaN(value) ? null : value;
    }

    static String wordFor(Standing standing) {
        return standing.name().toLowerCase(Locale.ROOT);
    }
}
