package io.penstock.bench;

import io.penstock.config.Endpoint;
import io.penstock.config.PenstockConfig.Policy;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/** Penstock as a process of its own, as its competitors are. */
final class OwnProxy implements AutoCloseable {

    private static final int PATIENCE_SECONDS = 10;

    private final Process process;
    private final Contender contender;

    private OwnProxy(Process process, Contender contender) {
        this.process = process;
        this.contender = contender;
    }

    /**
     * Starts one from the class path of this process.
     *
     * @param folder for its configuration and its log
     * @param policy how it selects
     * @param replicas where they listen
     */
    static OwnProxy start(Path folder, Policy policy, List<Endpoint> replicas) throws IOException {
        String name = policy.name().toLowerCase(Locale.ROOT);
        int port = freePort();
        int admin = freePort();
        StringBuilder file = new StringBuilder("listen: 127.0.0.1:" + port + "\nadmin: 127.0.0.1:" + admin)
                .append("\nselection: " + name + "\nlog: {access: false}\ndrain: {lameDuck: 0s}\nupstreams:\n");
        replicas.forEach(each -> file.append("  - http://" + each + "\n"));
        Path config = Files.writeString(folder.resolve(name + ".yaml"), file);
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        "io.penstock.Main",
                        "serve",
                        "--config",
                        config.toString())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve(name + ".log").toFile())
                .start();
        // A bench that is killed leaves nothing behind.
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroy, "bench-end"));
        return new OwnProxy(process, new Contender("penstock " + name, "127.0.0.1", port, admin));
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    Contender contender() {
        return contender;
    }

    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
