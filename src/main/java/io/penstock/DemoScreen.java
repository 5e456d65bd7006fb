package io.penstock;

import io.penstock.config.ConfigVerticle;
import io.penstock.health.ProbeVerticle;
import io.penstock.sim.SimFleet;
import io.penstock.upstream.Outcome;
import io.penstock.upstream.Standing;
import io.penstock.upstream.UpstreamState;
import io.vertx.core.Vertx;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What the demo shows: what to try, a table that updates in place, and the last things that happened. */
final class DemoScreen {

    private static final long REFRESH_MILLIS = 500;
    private static final int EVENTS = 6;

    private final Penstock penstock;
    private final SimFleet fleet;
    private final Path file;
    private final @Nullable DemoTraffic traffic;
    private final PrintWriter out;
    // Written by event loops, read by the screen.
    private final Deque<String> events = new ArrayDeque<>();

    DemoScreen(
            Penstock penstock, SimFleet fleet, Path file, Vertx vertx, @Nullable DemoTraffic traffic, PrintWriter out) {
        this.traffic = traffic;
        this.penstock = penstock;
        this.fleet = fleet;
        this.file = file;
        this.out = out;
        ProbeVerticle.CHANGES.subscribe(vertx.eventBus(), change -> {
            if (change.from() != change.to()) {
                String why = change.to() == Standing.READY ? "" : " (" + change.reason() + ")";
                happened(change.upstream().name() + ": " + change.from() + " → " + change.to() + why);
            }
        });
        ConfigVerticle.CHANGES.subscribe(vertx.eventBus(), config -> happened("your edit is in force"));
    }

    private void happened(String what) {
        synchronized (events) {
            events.addLast(what);
            if (events.size() > EVENTS) {
                events.removeFirst();
            }
        }
    }

    /** Shows until the thread is interrupted or the process ends. */
    void run() throws InterruptedException {
        out.print(introduction());
        Repaint screen = new Repaint(out, Terminal.present());
        while (true) {
            screen.show(table());
            Thread.sleep(REFRESH_MILLIS);
        }
    }

    private String introduction() {
        int front = penstock.port();
        return """

            Penstock serves %d simulated vLLM replicas on http://127.0.0.1:%d

            Try, in another terminal:
              1. a streamed answer:
                 curl -N http://127.0.0.1:%d/v1/chat/completions -H 'content-type: application/json' \\
                   -d '{"model":"demo","stream":true,"max_tokens":200,"messages":[{"role":"user","content":"Hi"}]}'
              2. stop a replica while it answers, then start it again:
                 curl -X POST http://127.0.0.1:%d/replicas/0/stop
                 curl -X POST http://127.0.0.1:%d/replicas/0/start
              3. edit the list of replicas (delete a line, change a weight, make a mistake) and save:
                 %s

            Watch it live: http://127.0.0.1:%d/ in a browser (penstock status asks the same port).
            Ctrl-C ends all of it.

            """.formatted(
                        fleet.replicas().size(),
                        front,
                        front,
                        fleet.controlPort(),
                        fleet.controlPort(),
                        file,
                        penstock.adminPort());
    }

    private List<String> table() {
        List<String> lines = new ArrayList<>();
        lines.add(String.format(
                Locale.ROOT,
                "%-10s %-10s %10s %10s %8s  %s",
                "REPLICA",
                "STANDING",
                "IN FLIGHT",
                "DONE",
                "FAILED",
                ""));
        for (UpstreamState replica : penstock.upstreams().current().members()) {
            boolean ready = replica.standing() == Standing.READY;
            lines.add(String.format(
                    Locale.ROOT,
                    "%-10s %-10s %10d %10d %8d  %s",
                    replica.name(),
                    replica.draining() ? "DRAINING" : replica.standing(),
                    replica.inFlight(),
                    replica.count(Outcome.COMPLETED),
                    replica.count(Outcome.FAILED),
                    ready ? "" : replica.reason()));
        }
        lines.add("waiting for a replica: " + penstock.waiting());
        if (traffic != null) {
            lines.add("the demo's own clients: " + traffic.whole() + " answers whole, " + traffic.cut()
                    + " cut after they had begun, " + traffic.unanswered() + " without one");
        }
        for (String problem : penstock.configProblems()) {
            lines.add("NOT IN FORCE: " + problem);
        }
        synchronized (events) {
            events.forEach(event -> lines.add("  · " + event));
        }
        return lines;
    }
}
