package io.penstock.bench;

import java.util.List;
import java.util.Locale;

/**
 * One figure for each cell and policy.
 *
 * @param title what is shown
 * @param policies their names
 * @param cells their names
 * @param values for each cell one for each policy, 0 or more
 * @param percent whether values are shares
 */
record BarChart(String title, List<String> policies, List<String> cells, List<List<Double>> values, boolean percent) {

    private static final int HEIGHT = 270;
    private static final double LEFT = 48;
    private static final double TOP = 62;
    private static final double BOTTOM = 238;
    private static final double BAR = 24;
    private static final double SPACE = 22;

    Drawing draw() {
        double group = policies.size() * (BAR + 2) + SPACE;
        double right = LEFT + cells.size() * group;
        Drawing drawing = new Drawing((int) Math.max(right + 16, 440), HEIGHT, title);
        double most = values.stream()
                .flatMap(List::stream)
                .mapToDouble(each -> each)
                .max()
                .orElse(1);
        Scale up = percent ? new Scale(0, 1, BOTTOM, TOP, false) : Scale.linear(most, BOTTOM, TOP);
        for (double tick : up.ticks()) {
            drawing.line(LEFT, up.at(tick), right, up.at(tick), "grid");
            drawing.text(LEFT - 6, up.at(tick) + 4, "end", "soft", written(tick));
        }
        double x = LEFT;
        for (int i = 0; i < policies.size(); i++) {
            drawing.bar(x, 34, 10, 10, "f" + RoutingReport.color(policies.get(i)), policies.get(i));
            drawing.text(x + 15, 43, "start", "soft", policies.get(i));
            x += 30 + 6.2 * policies.get(i).length();
        }
        for (int cell = 0; cell < cells.size(); cell++) {
            double from = LEFT + cell * group + SPACE / 2;
            for (int i = 0; i < policies.size(); i++) {
                double value = values.get(cell).get(i);
                double at = from + i * (BAR + 2);
                String words = cells.get(cell) + ", " + policies.get(i) + ": " + exact(value);
                drawing.bar(
                        at,
                        up.at(value),
                        BAR,
                        BOTTOM - up.at(value),
                        "f" + RoutingReport.color(policies.get(i)),
                        words);
                drawing.text(at + BAR / 2, up.at(value) - 4, "middle", "soft", exact(value));
            }
            drawing.text(from + (group - SPACE) / 2, BOTTOM + 17, "middle", "soft", cells.get(cell));
        }
        drawing.line(LEFT, BOTTOM, right, BOTTOM, "axis");
        return drawing;
    }

    private String exact(double value) {
        return percent ? written(value) : String.format(Locale.ROOT, "%.2f", value);
    }

    private String written(double value) {
        return percent ? Math.round(100 * value) + "" : Scale.plain(value);
    }
}
