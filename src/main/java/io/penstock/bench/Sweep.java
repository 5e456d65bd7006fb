package io.penstock.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** One cell at several rates under several policies. Confined to one thread. */
public final class Sweep {

    /** A rate is carried if so many requests are good. */
    static final double CARRIED = 0.9;

    private final Cell cell;
    private final Map<String, List<Point>> points = new LinkedHashMap<>();

    /**
     * What came of one rate.
     *
     * @param rate requests per second
     * @param score the mean of all seeds
     */
    record Point(double rate, Score score) {}

    /**
     * Begins with no result.
     *
     * @param cell what happens, at its usual rate
     */
    public Sweep(Cell cell) {
        this.cell = cell;
    }

    /**
     * Notes a result. Rates come in rising order.
     *
     * @param policy who decided
     * @param rate requests per second
     * @param runs the same with different seeds, one at least
     */
    public void add(String policy, double rate, List<Score> runs) {
        points.computeIfAbsent(policy, name -> new ArrayList<>()).add(new Point(rate, Score.mean(runs)));
    }

    Cell cell() {
        return cell;
    }

    Set<String> policies() {
        return points.keySet();
    }

    List<Point> points(String policy) {
        return points.getOrDefault(policy, List.of());
    }

    /** The highest rate up to which requests are good, between two rates in proportion; at most the highest tried. */
    double capacity(String policy) {
        double rate = 0;
        double good = 1;
        for (Point each : points(policy)) {
            if (each.score().good() < CARRIED) {
                return rate
                        + (each.rate() - rate)
                                * (good - CARRIED)
                                / (good - each.score().good());
            }
            rate = each.rate();
            good = each.score().good();
        }
        return rate;
    }

    /** Whether it was good at every rate, so that the capacity is higher than known. */
    boolean unbroken(String policy) {
        return points(policy).stream().allMatch(each -> each.score().good() >= CARRIED);
    }

    /** The result at the rate that is nearest to the cell's own. */
    Score usual(String policy) {
        Point nearest = points(policy).get(0);
        for (Point each : points(policy)) {
            if (Math.abs(each.rate() - cell.rate()) < Math.abs(nearest.rate() - cell.rate())) {
                nearest = each;
            }
        }
        return nearest.score();
    }
}
