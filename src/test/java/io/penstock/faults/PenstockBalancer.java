package io.penstock.faults;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Penstock as a child process, with its own books open. */
final class PenstockBalancer extends Balancer {

    private static final int START_SECONDS = 30;
    /** {@code -Dpenstock.selection=round_robin}: the same under another policy than the default. */
    private static final String SELECTION = System.getProperty("penstock.selection", "");

    private static final Pattern SAMPLE = Pattern.compile("(?m)^(penstock_\\w+?)(\\{[^}]*})? ([0-9.eE+-]+)$");

    private final int adminPort;

    private PenstockBalancer(ChildProcess process, int port, int adminPort) {
        super(Contender.PENSTOCK, process, port);
        this.adminPort = adminPort;
    }

    /** Starts it with its defaults, and what is added to them. Ready when all replicas are. */
    static PenstockBalancer start(Path folder, List<Integer> replicas, String more) throws Exception {
        int port = ChildProcess.freePort();
        int adminPort = ChildProcess.freePort();
        StringBuilder file = new StringBuilder("listen: 127.0.0.1:" + port + "\nadmin: 127.0.0.1:" + adminPort)
                .append("\nlog: {access: false}\n")
                .append(SELECTION.isEmpty() ? "" : "selection: " + SELECTION + "\n")
                .append(more)
                .append("upstreams:\n");
        for (int i = 0; i < replicas.size(); i++) {
            file.append("  - {url: \"http://127.0.0.1:" + replicas.get(i) + "\", name: r" + i + "}\n");
        }
        Path config = Files.writeString(folder.resolve("penstock-" + port + ".yaml"), file);
        ChildProcess process =
                ChildProcess.penstock(folder, "penstock-" + port, "-Xmx512m", "serve", "--config", config.toString());
        process.awaitPort(port, START_SECONDS);
        process.awaitPort(adminPort, START_SECONDS);
        PenstockBalancer started = new PenstockBalancer(process, port, adminPort);
        Deadline.of(START_SECONDS)
                .until(() -> "all replicas are up; " + process.output(), () -> started.up() == replicas.size());
        return started;
    }

    /** Replicas that get work. */
    int up() throws Exception {
        return (int) sum("penstock_replica_up", "");
    }

    /** The sum of a metric's samples whose labels contain a text. */
    double sum(String metric, String label) throws Exception {
        return metrics().entrySet().stream()
                .filter(each -> each.getKey().equals(metric) || each.getKey().startsWith(metric + "{"))
                .filter(each -> each.getKey().contains(label))
                .mapToDouble(Map.Entry::getValue)
                .sum();
    }

    /** All samples of Penstock's own metrics, by name and labels. */
    Map<String, Double> metrics() throws Exception {
        Map<String, Double> samples = new LinkedHashMap<>();
        Matcher sample = SAMPLE.matcher(SimProcess.get("http://127.0.0.1:" + adminPort + "/metrics"));
        while (sample.find()) {
            String labels = sample.group(2) == null ? "" : sample.group(2);
            samples.put(sample.group(1) + labels, Double.parseDouble(sample.group(3)));
        }
        return samples;
    }
}
