package io.penstock.faults;

import java.nio.file.Path;
import java.util.List;

/** A running balancer of any kind. */
class Balancer implements AutoCloseable {

    private static final int START_SECONDS = 60;

    private final Contender kind;
    private final ChildProcess process;
    private final int port;

    Balancer(Contender kind, ChildProcess process, int port) {
        this.kind = kind;
        this.process = process;
        this.port = port;
    }

    /** Starts a program and waits until it takes connections and answers. */
    static Balancer start(Contender kind, Path folder, int port, List<String> command) throws Exception {
        ChildProcess process = ChildProcess.start(folder, kind.label(), command);
        process.awaitPort(port, START_SECONDS);
        Balancer started = new Balancer(kind, process, port);
        Deadline.of(START_SECONDS)
                .until(
                        () -> kind.label() + " serves; " + process.output(),
                        () -> SimProcess.get("http://127.0.0.1:" + port + "/v1/models")
                                .contains("demo"));
        return started;
    }

    Contender kind() {
        return kind;
    }

    ChildProcess process() {
        return process;
    }

    int port() {
        return port;
    }

    @Override
    public void close() {
        process.close();
    }
}
