package io.penstock.admin;

import io.penstock.config.Endpoint;
import io.penstock.upstream.Standing;
import io.penstock.upstream.UpstreamSet;
import io.penstock.upstream.UpstreamState;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What is wrong, in words: the worst first, and what it means for clients. The sentences hold no number that changes by
 * the second, so that whoever has them read aloud hears each once. Confined to the admin verticle's event loop.
 */
final class Headline {

    private static final int SHOWN = 8;
    private static final int FELT_SECONDS = 10;

    /** How much a matter matters; the words are the page's. */
    private enum Level {
        /** Clients feel it. */
        BAD("bad"),
        /** Something is broken, and clients are served all the same. */
        WARN("warn"),
        /** Somebody wants it so, or it passes. */
        INFO("info"),
        /** All is well. */
        GOOD("good"),
        /** There is nothing to say anything about. */
        EMPTY("empty");

        private final String word;

        Level(String word) {
            this.word = word;
        }
    }

    private record Matter(
            Level level,
            String text,
            String why,
            @Nullable String replica,
            @Nullable Long sinceMillis) {

        private JsonObject json() {
            return new JsonObject()
                    .put("level", level.word)
                    .put("text", text)
                    .put("why", why)
                    .put("replica", replica)
                    .put("sinceMillis", sinceMillis);
        }
    }

    private final RunningInstance instance;
    private final Chronicle chronicle;

    Headline(RunningInstance instance, Chronicle chronicle) {
        this.instance = instance;
        this.chronicle = chronicle;
    }

    /** The worst matter, with {@code impact} and the {@code more} that there are; {@code laggards} as they are now. */
    JsonObject now(Laggards laggards) {
        UpstreamSet replicas = instance.upstreams().current();
        List<Matter> matters = new ArrayList<>();
        instance.loopProblems()
                .get()
                .forEach(problem -> matters.add(general(Level.BAD, "Penstock is unwell.", problem)));
        matters.addAll(service(replicas));
        matters.addAll(configuration(instance.config().get()));
        for (UpstreamState replica : replicas.members()) {
            String slow = replica.usable() ? laggards.why(replica) : null;
            if (!replica.usable()) {
                matters.add(unusable(replica));
            } else if (slow != null) {
                String text = replica.name() + " is far slower than the others.";
                matters.add(new Matter(Level.WARN, text, slow, replica.name(), null));
            }
        }
        matters.sort(Comparator.comparing(Matter::level));
        Matter first = matters.isEmpty() ? well(replicas) : matters.get(0);
        JsonArray more = new JsonArray();
        matters.stream().skip(1).limit(SHOWN).forEach(matter -> more.add(matter.json()));
        return first.json()
                .put("impact", impact(replicas))
                .put("more", more)
                .put("others", Math.max(0, matters.size() - 1 - SHOWN));
    }

    private static Matter general(Level level, String text, String why) {
        return new Matter(level, text, why, null, null);
    }

    /** Whether requests are served. */
    private List<Matter> service(UpstreamSet replicas) {
        List<Matter> matters = new ArrayList<>();
        long waiting = instance.waiting().getAsLong();
        if (instance.lameDuck().getAsBoolean()) {
            matters.add(general(
                    Level.WARN, "Penstock is going down.", "it serves what it has, and sends new clients elsewhere"));
        }
        if (replicas.members().isEmpty()) {
            return matters;
        }
        if (!instance.upstreams().anyOpen()) {
            matters.add(general(
                    Level.BAD,
                    "No replica can take work.",
                    waiting == 0 ? "requests will wait for one" : "requests wait until one can"));
        } else if (replicas.inPanic()) {
            matters.add(general(
                    Level.BAD,
                    "No replica is well, so those that failed requests get the work.",
                    "there is nobody better; read their logs"));
        } else if (instance.traffic().turnedAway(FELT_SECONDS) > 0) {
            matters.add(general(
                    Level.BAD,
                    "More requests come than the replicas can take.",
                    "some get 429 with Retry-After; add replicas, or let each take more"));
        } else if (waiting > 0) {
            matters.add(general(
                    Level.INFO, "Requests wait for a replica.", "all that could take them have as much as they may"));
        }
        return matters;
    }

    private static List<Matter> configuration(JsonObject config) {
        List<Matter> matters = new ArrayList<>();
        JsonArray problems = config.getJsonArray("problems", new JsonArray());
        if (!problems.isEmpty()) {
            matters.add(general(
                    Level.WARN,
                    problems.size() == 1
                            ? "The configuration file has a problem; the last good one stays in force."
                            : "The configuration file has " + problems.size()
                                    + " problems; the last good one stays in force.",
                    problems.getString(0)));
        }
        JsonArray pending = config.getJsonArray("pendingRestart", new JsonArray());
        if (!pending.isEmpty()) {
            matters.add(general(Level.INFO, "An edit waits for a restart of Penstock.", pending.getString(0)));
        }
        return matters;
    }

    private Matter unusable(UpstreamState replica) {
        String name = replica.name();
        Long since = chronicle.sinceMillis(replica);
        if (replica.draining()) {
            return new Matter(
                    Level.INFO, name + " is drained: it finishes what it has and gets no new work.", "", name, since);
        }
        if (replica.identity().addresses().isEmpty()) {
            Endpoint endpoint = replica.identity().replica().endpoint();
            return new Matter(
                    Level.WARN,
                    name + " cannot be found.",
                    "the name " + endpoint.host() + " does not resolve",
                    name,
                    since);
        }
        String text = name
                + switch (replica.standing()) {
                    case STARTING -> " is not ready yet.";
                    case REFUSED -> " refuses connections: it is loading, or it is gone.";
                    case LEAVING -> " can take no more work: it has to be started again.";
                    case FAILING -> " fails its probes.";
                    case EJECTED -> " passes its probes and fails requests, so it rests.";
                    case SUSPECT ->
                        " makes no tokens though /health says 200; what waits there is asked elsewhere, too.";
                    case STALLED -> " makes no tokens though /health says 200; its requests are asked elsewhere.";
                    case READY -> " takes no work.";
                };
        Level level = replica.standing() == Standing.STARTING ? Level.INFO : Level.WARN;
        return new Matter(level, text, replica.reason(), name, since);
    }

    private static Matter well(UpstreamSet replicas) {
        int count = replicas.members().size();
        return switch (count) {
            case 0 -> general(Level.EMPTY, "There are no replicas.", "the configuration names none that is known");
            case 1 -> general(Level.GOOD, "The one replica takes work.", "");
            case 2 -> general(Level.GOOD, "Both replicas take work.", "");
            default -> general(Level.GOOD, "All " + count + " replicas take work.", "");
        };
    }

    private static String impact(UpstreamSet replicas) {
        long usable = replicas.members().stream().filter(UpstreamState::usable).count();
        int count = replicas.members().size();
        return usable == count ? "" : usable + " of " + count + (usable == 1 ? " takes work" : " take work");
    }
}
