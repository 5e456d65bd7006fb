package io.penstock.admin;

import io.penstock.selection.LearnedSpeed;
import io.penstock.upstream.UpstreamState;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * Which replicas are far slower than their peers: by the time from token to token that was learned of them, and by the
 * first tokens of the last minute. Times are milliseconds, NaN where nothing is known.
 */
final class Laggards {

    /** Replicas of one model differ by their load, and twofold says nothing. */
    private static final double FAR = 4;
    /** Below these, nobody minds. */
    private static final double GAP_MILLIS = 50;

    private static final double FIRST_OUTPUT_MILLIS = 1000;

    private final List<UpstreamState> replicas;
    private final Map<String, LearnedSpeed> learned;
    private final TrafficRecorder traffic;

    /** Looks at these, as they are now. */
    Laggards(List<UpstreamState> replicas, Map<String, LearnedSpeed> learned, TrafficRecorder traffic) {
        this.replicas = replicas;
        this.learned = learned;
        this.traffic = traffic;
    }

    /** What is slow about one of them, in words with figures; null if nothing is. */
    @Nullable
    String why(UpstreamState replica) {
        String gap = compared("a token", replica, this::gapMillis, GAP_MILLIS);
        return gap != null ? gap : compared("the first token", replica, this::firstMillis, FIRST_OUTPUT_MILLIS);
    }

    private @Nullable String compared(
            String what, UpstreamState replica, ToDoubleFunction<UpstreamState> time, double least) {
        double[] others = replicas.stream()
                .filter(other -> other != replica)
                .mapToDouble(time)
                .filter(known -> !Double.isNaN(known))
                .sorted()
                .toArray();
        double here = time.applyAsDouble(replica);
        if (others.length == 0 || !(here >= least && here >= FAR * others[others.length / 2])) {
            return null;
        }
        return String.format(
                Locale.ROOT, "%s takes %s there and %s elsewhere", what, span(here), span(others[others.length / 2]));
    }

    private double gapMillis(UpstreamState replica) {
        LearnedSpeed speed = learned.get(replica.id());
        return speed == null || speed.gapSeconds() == 0 ? Double.NaN : speed.gapSeconds() * 1000;
    }

    private double firstMillis(UpstreamState replica) {
        return traffic.firstOutputMillis(replica.name());
    }

    private static String span(double millis) {
        return millis < 1000
                ? String.format(Locale.ROOT, "%.0f ms", millis)
                : String.format(Locale.ROOT, "%.1f s", millis / 1000);
    }
}
