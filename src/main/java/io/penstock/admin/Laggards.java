package io.penstock.admin;

import io.penstock.selection.LearnedSpeed;
import io.penstock.upstream.UpstreamState;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which replicas are far slower than their peers that serve the same models: by the time from token to token that was
 * learned of them, and by the first tokens of the last minute. Times are milliseconds, NaN where nothing is known.
 */
final class Laggards {

    /** Replicas of one model differ by their load, and twofold says nothing. */
    private static final double FAR = 4;
    /** Below these, nobody minds. */
    private static final double GAP_MILLIS = 50;

    private static final double FIRST_OUTPUT_MILLIS = 1000;
    /** One long prompt makes nobody slow. */
    private static final int FEWEST_FIRSTS = 3;

    // By the models that replicas serve: those of a large one are slower, and nothing is wrong with them.
    private final Map<Set<String>, List<Times>> groups = new HashMap<>();

    /** Looks at all replicas, as they are now. */
    Laggards(RunningInstance instance) {
        Map<String, LearnedSpeed> learned = instance.learned().get();
        TrafficRecorder traffic = instance.traffic();
        for (UpstreamState replica : instance.upstreams().current().members()) {
            List<Times> times = groups.computeIfAbsent(
                    models(replica),
                    models -> List.of(
                            new Times("a token", GAP_MILLIS), new Times("the first token", FIRST_OUTPUT_MILLIS)));
            LearnedSpeed speed = learned.get(replica.id());
            times.get(0)
                    .note(replica, speed == null || speed.gapSeconds() == 0 ? Double.NaN : speed.gapSeconds() * 1000);
            times.get(1).note(replica, traffic.firstOutputMillis(replica.name(), FEWEST_FIRSTS));
        }
        groups.values().forEach(times -> times.forEach(Times::sort));
    }

    private static Set<String> models(UpstreamState replica) {
        Set<String> known = replica.knownModels();
        return known == null ? Set.of() : known;
    }

    /** What is slow about one of them, in words with figures; null if nothing is. */
    @Nullable
    String why(UpstreamState replica) {
        for (Times times : groups.getOrDefault(models(replica), List.of())) {
            String slow = times.compared(replica);
            if (slow != null) {
                return slow;
            }
        }
        return null;
    }

    /** One kind of time, of all replicas of which it is known. */
    private static final class Times {

        private final String what;
        private final double least;
        private final Map<UpstreamState, Double> known = new HashMap<>();
        private double[] inOrder = {};

        Times(String what, double least) {
            this.what = what;
            this.least = least;
        }

        void note(UpstreamState replica, double millis) {
            if (!Double.isNaN(millis)) {
                known.put(replica, millis);
            }
        }

        void sort() {
            inOrder = known.values().stream()
                    .mapToDouble(Double::doubleValue)
                    .sorted()
                    .toArray();
        }

        @Nullable
        String compared(UpstreamState replica) {
            Double here = known.get(replica);
            if (here == null || inOrder.length < 2 || here < least) {
                return null;
            }
            // The median of the others: without its own place in the order.
            int middle = (inOrder.length - 1) / 2;
            double others = inOrder[middle < Arrays.binarySearch(inOrder, here) ? middle : middle + 1];
            return here < FAR * others
                    ? null
                    : String.format(Locale.ROOT, "%s takes %s there and %s elsewhere", what, span(here), span(others));
        }
    }

    private static String span(double millis) {
        return millis < 1000
                ? String.format(Locale.ROOT, "%.0f ms", millis)
                : String.format(Locale.ROOT, "%.1f s", millis / 1000);
    }
}
