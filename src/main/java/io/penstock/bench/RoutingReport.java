package io.penstock.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Sweeps as pictures, and as one HTML page that needs nothing else. Confined to one thread. */
public final class RoutingReport {

    private static final String PAGE_STYLE = """
            :root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;max-width:980px;margin:2em auto;padding:0 1em;
            background:#f4f3f0;color:#0b0b0b}svg{max-width:100%;height:auto;border-radius:6px;margin:0 8px 8px 0}
            table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:13px}
            td,th{padding:2px 12px 2px 0;text-align:right}td:nth-child(2),th:nth-child(2){text-align:left}
            .wide{overflow-x:auto}
            @media (prefers-color-scheme:dark){body{background:#0d0d0d;color:#eceae4}}
            """;

    private final List<Sweep> sweeps;
    private final List<String> policies;
    private final int seeds;
    private final String command;

    /**
     * Takes the results.
     *
     * @param sweeps one for each cell, all with the same policies
     * @param policies whom to show, in order
     * @param seeds how many runs each point is the mean of
     * @param command what gives the same page again
     */
    public RoutingReport(List<Sweep> sweeps, List<String> policies, int seeds, String command) {
        this.sweeps = List.copyOf(sweeps);
        this.policies = List.copyOf(policies);
        this.seeds = seeds;
        this.command = command;
    }

    /**
     * The pictures as files.
     *
     * @return SVG by file name
     */
    public Map<String, String> files() {
        Map<String, String> files = new LinkedHashMap<>();
        files.put("capacity.svg", capacity().alone());
        files.put("hits.svg", hits().alone());
        for (Sweep each : sweeps) {
            files.put(each.cell().name() + "-good.svg", good(each).alone());
            files.put(each.cell().name() + "-p99.svg", p99(each).alone());
        }
        return files;
    }

    /**
     * The page.
     *
     * @return HTML
     */
    public String page() {
        StringBuilder page = new StringBuilder("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">")
                .append(
                        "<meta name=\"viewport\" content=\"width=device-width\"><title>Penstock: routing</title>\n<style>\n")
                .append(PAGE_STYLE)
                .append(Drawing.STYLE)
                .append(
                        "</style></head><body>\n<h1>Routing in virtual time</h1>\n<p>The same requests for every policy, in")
                .append(" front of simulated engines. Every point is the mean of ")
                .append(seeds == 1 ? "one run" : seeds + " runs")
                .append(". Again: <code>")
                .append(Drawing.escaped(command))
                .append("</code></p>\n")
                .append(section(
                        "Capacity",
                        "The highest rate at which 90 % of the requests are good, as a multiple of the"
                                + " rate that least_in_flight carries. A + means: at least."))
                .append("<div class=\"wide\">")
                .append(capacity().inline())
                .append("</div>")
                .append(section(
                        "Prefix cache",
                        "Share of the prompt tokens that were found in a cache, in percent, at the"
                                + " cell's own rate. Only cells with shared prompts are here."))
                .append(hits().inline());
        for (Sweep each : sweeps) {
            page.append(section(each.cell().name(), each.cell().story()))
                    .append(good(each).inline())
                    .append(p99(each).inline())
                    .append(table(each));
        }
        return page.append("</body></html>\n").toString();
    }

    /** The color of a policy, in all pictures the same. */
    static int color(String policy) {
        return switch (policy) {
            case "predicted_delay" -> 0;
            case "least_in_flight" -> 1;
            default -> 2;
        };
    }

    private static String section(String name, String words) {
        return "<h2>" + Drawing.escaped(name) + "</h2>\n<p>" + Drawing.escaped(words) + "</p>\n";
    }

    private String table(Sweep sweep) {
        StringBuilder table = new StringBuilder("<details><summary>Figures</summary><table><tr><th>rate</th>")
                .append("<th>policy</th><th>good</th><th>median</th><th>p99</th><th>quiet p99</th><th>hits</th>")
                .append("<th>busiest</th><th>idlest</th></tr>\n");
        for (int i = 0; i < sweep.points(policies.get(0)).size(); i++) {
            for (String policy : policies) {
                Sweep.Point at = sweep.points(policy).get(i);
                table.append(String.format(
                        Locale.ROOT,
                        "<tr><td>%.1f</td><td>%s</td><td>%.1f %%</td><td>%.3f s</td><td>%.3f s</td><td>%.3f s</td>"
                                + "<td>%.1f %%</td><td>%.2f</td><td>%.2f</td></tr>\n",
                        at.rate(),
                        Drawing.escaped(policy),
                        100 * at.score().good(),
                        at.score().medianSeconds(),
                        at.score().p99Seconds(),
                        at.score().quietP99Seconds(),
                        100 * at.score().hits(),
                        at.score().busiest(),
                        at.score().idlest()));
            }
        }
        return table.append("</table></details>\n").toString();
    }

    private Drawing capacity() {
        List<List<Double>> values = new ArrayList<>();
        List<String> cells = new ArrayList<>();
        String measure = policies.contains("least_in_flight") ? "least_in_flight" : policies.get(0);
        for (Sweep each : sweeps) {
            if (each.cell().workload().flood()) {
                continue; // How much the flood leaves good is no rate that anybody carries.
            }
            double one = Math.max(each.capacity(measure), 1e-9);
            values.add(
                    policies.stream().map(policy -> each.capacity(policy) / one).toList());
            cells.add(each.cell().name() + (policies.stream().anyMatch(each::unbroken) ? " +" : ""));
        }
        return new BarChart("Capacity, relative to " + measure, policies, cells, values, false).draw();
    }

    private Drawing hits() {
        List<List<Double>> values = new ArrayList<>();
        List<String> cells = new ArrayList<>();
        for (Sweep each : sweeps) {
            if (each.cell().workload().groups() > 0) {
                values.add(policies.stream()
                        .map(policy -> each.usual(policy).hits())
                        .toList());
                cells.add(each.cell().name());
            }
        }
        return new BarChart("Prompt tokens found in a cache, %", policies, cells, values, true).draw();
    }

    private Drawing good(Sweep sweep) {
        List<LineChart.Series> series = new ArrayList<>();
        for (String policy : policies) {
            List<Sweep.Point> points = sweep.points(policy);
            series.add(new LineChart.Series(
                    policy,
                    color(policy),
                    points.stream().map(Sweep.Point::rate).toList(),
                    points.stream().map(point -> point.score().good()).toList()));
        }
        return new LineChart(sweep.cell().name() + ": good requests", false, Sweep.CARRIED, "90 %", series).draw();
    }

    private Drawing p99(Sweep sweep) {
        boolean flood = sweep.cell().workload().flood();
        List<LineChart.Series> series = new ArrayList<>();
        for (String policy : policies) {
            List<Sweep.Point> points = sweep.points(policy);
            series.add(new LineChart.Series(
                    policy,
                    color(policy),
                    points.stream().map(Sweep.Point::rate).toList(),
                    points.stream()
                            .map(point -> flood
                                    ? point.score().quietP99Seconds()
                                    : point.score().p99Seconds())
                            .toList()));
        }
        String title = sweep.cell().name() + ": first token, p99" + (flood ? " of the steady caller" : "");
        return new LineChart(title, true, sweep.cell().firstTokenSeconds(), "good", series).draw();
    }
}
