package io.penstock.bench;

import java.util.List;
import java.util.Locale;

/**
 * How something changes with the rate, for several policies.
 *
 * @param title what is shown
 * @param seconds whether values are seconds, on a logarithmic axis; else they are shares from 0 to 1
 * @param limit a value worth a line
 * @param limitName what that value is
 * @param series one for each policy
 */
record LineChart(String title, boolean seconds, double limit, String limitName, List<Series> series) {

    private static final int WIDTH = 460;
    private static final int HEIGHT = 270;
    private static final double LEFT = 52;
    private static final double RIGHT = 442;
    private static final double TOP = 56;
    private static final double BOTTOM = 228;

    /**
     * One policy.
     *
     * @param name its name
     * @param slot which color it has, in all pictures the same
     * @param rates requests per second, rising
     * @param values one for each rate
     */
    record Series(String name, int slot, List<Double> rates, List<Double> values) {}

    Drawing draw() {
        Drawing drawing = new Drawing(WIDTH, HEIGHT, title);
        double most = series.stream()
                .flatMap(each -> each.rates().stream())
                .mapToDouble(each -> each)
                .max()
                .orElse(1);
        Scale across = new Scale(0, most, LEFT, RIGHT, false);
        Scale up = up();
        for (double tick : Scale.linear(most, LEFT, RIGHT).ticks()) {
            if (tick <= most) {
                drawing.text(across.at(tick), BOTTOM + 16, "middle", "soft", Scale.plain(tick));
            }
        }
        for (double tick : up.ticks()) {
            drawing.line(LEFT, up.at(tick), RIGHT, up.at(tick), "grid");
            drawing.text(LEFT - 6, up.at(tick) + 4, "end", "soft", value(tick));
        }
        drawing.line(LEFT, BOTTOM, RIGHT, BOTTOM, "axis");
        drawing.line(LEFT, up.at(limit), RIGHT, up.at(limit), "mark");
        drawing.text(LEFT + 4, up.at(limit) - 4, "start", "soft", limitName);
        drawing.text((LEFT + RIGHT) / 2, HEIGHT - 8, "middle", "soft", "requests per second");
        double x = LEFT;
        for (Series each : series) {
            drawing.bar(x, 32, 10, 10, "f" + each.slot(), each.name());
            drawing.text(x + 15, 41, "start", "soft", each.name());
            x += 30 + 6.2 * each.name().length();
            draw(drawing, each, across, up);
        }
        return drawing;
    }

    private void draw(Drawing drawing, Series each, Scale across, Scale up) {
        StringBuilder points = new StringBuilder();
        for (int i = 0; i < each.rates().size(); i++) {
            double y = up.at(each.values().get(i));
            points.append(String.format(
                    Locale.ROOT, "%.1f,%.1f ", across.at(each.rates().get(i)), y));
        }
        drawing.curve(points.toString().strip(), "s" + each.slot());
        for (int i = 0; i < each.rates().size(); i++) {
            double value = each.values().get(i);
            String words = each.name() + ", " + Scale.plain(each.rates().get(i)) + "/s: " + exact(value);
            drawing.dot(across.at(each.rates().get(i)), up.at(value), "f" + each.slot(), words);
        }
    }

    private Scale up() {
        if (!seconds) {
            return new Scale(0, 1, BOTTOM, TOP, false);
        }
        double[] values = series.stream()
                .flatMap(each -> each.values().stream())
                .mapToDouble(each -> Math.max(each, 0.001))
                .sorted()
                .toArray();
        return Scale.logarithmic(Math.min(limit, values[0]), Math.max(limit, values[values.length - 1]), BOTTOM, TOP);
    }

    private String value(double tick) {
        return seconds ? Scale.plain(tick) + " s" : Math.round(100 * tick) + " %";
    }

    private String exact(double value) {
        return seconds
                ? String.format(Locale.ROOT, "%.3f s", value)
                : String.format(Locale.ROOT, "%.1f %%", 100 * value);
    }
}
