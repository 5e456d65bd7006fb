package io.penstock.faults;

import io.vertx.core.Vertx;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Some simulated replicas, each a process of its own behind a wire of its own. */
final class Replicas implements AutoCloseable {

    private static final int LEAK_MILLIS = 2_000;

    private final Vertx vertx = Vertx.vertx();
    private final Mischief mischief = new Mischief();
    private final List<SimProcess> sims = new ArrayList<>();
    private final List<Wire> wires = new ArrayList<>();

    private Replicas() {}

    /** Starts so many, all with the same pace. */
    static Replicas start(Path folder, int count, int firstTokenMillis, int stepMillis, String... more)
            throws Exception {
        Replicas started = new Replicas();
        try {
            for (int i = 0; i < count; i++) {
                started.sims.add(new SimProcess(folder, "sim-" + i, firstTokenMillis, stepMillis, more));
            }
            for (SimProcess sim : started.sims) {
                started.wires.add(
                        new Wire(started.vertx, started.mischief, sim.ready().port()));
            }
            return started;
        } catch (Exception e) {
            started.close();
            throw e;
        }
    }

    Mischief mischief() {
        return mischief;
    }

    SimProcess sim(int index) {
        return sims.get(index);
    }

    Wire wire(int index) {
        return wires.get(index);
    }

    int size() {
        return sims.size();
    }

    /** Where a balancer connects if it shall feel the wires. */
    List<Integer> wirePorts() {
        return wires.stream().map(Wire::port).toList();
    }

    /** Where a balancer connects if it shall feel the processes themselves. */
    List<Integer> simPorts() {
        return sims.stream().map(SimProcess::port).toList();
    }

    /** Requests that came to the replicas that are alive, by their own count. */
    long arrived() throws Exception {
        long arrived = 0;
        for (SimProcess sim : sims) {
            arrived += sim.isAlive() ? sim.books().arrived() : 0;
        }
        return arrived;
    }

    /** Requests that run, by the count of the replicas that are alive and of the wires. */
    int running() throws Exception {
        long running = wires.stream().mapToInt(Wire::open).sum();
        for (SimProcess sim : sims) {
            running += sim.isAlive() ? sim.books().running() : 0;
        }
        return (int) running;
    }

    /** Requests that still run some time after everybody has gone. */
    int leaked() throws Exception {
        return leaked(0);
    }

    /** The same, beyond those that ran on before. */
    int leaked(int before) throws Exception {
        return Deadline.ofMillis(LEAK_MILLIS).met(() -> running() <= before) ? 0 : running() - before;
    }

    /** What does not add up in the replicas' own books. */
    List<String> wrongBooks() throws Exception {
        List<String> wrong = new ArrayList<>();
        for (int i = 0; i < sims.size(); i++) {
            if (sims.get(i).isAlive()) {
                SimProcess.Books books = sims.get(i).books();
                if (books.arrived() != books.over() + books.running()) {
                    wrong.add("replica " + i + " has lost count: " + books);
                }
            }
        }
        return wrong;
    }

    /** Kills one as {@code kill -9} does, and lets its wire show it. */
    void kill(int index) throws Exception {
        sims.get(index).process().kill();
        wires.get(index).down();
    }

    /** Starts one again. */
    void restart(int index) throws Exception {
        sims.get(index).restart();
        wires.get(index).up();
    }

    @Override
    public void close() {
        for (SimProcess sim : sims) {
            sim.close();
        }
        vertx.close()
                .toCompletionStage()
                .toCompletableFuture()
                .orTimeout(10, TimeUnit.SECONDS)
                .join();
    }
}
