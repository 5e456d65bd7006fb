package io.penstock.faults;

import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A process that a test has started, and that it alone ends. Its output goes to a file. */
final class ChildProcess implements AutoCloseable {

    private static final int PATIENCE_SECONDS = 20;
    /** Whoever was given a port may not have opened it yet. */
    private static final Set<Integer> GIVEN = ConcurrentHashMap.newKeySet();

    private final Process process;
    private final Path log;

    private ChildProcess(Process process, Path log) {
        this.process = process;
        this.log = log;
    }

    /** Starts a program in a folder of its own. */
    static ChildProcess start(Path folder, String name, List<String> command) throws IOException {
        Path log = folder.resolve(name + ".log");
        Process process = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        ChildProcess child = new ChildProcess(process, log);
        // A test JVM that is killed leaves nothing behind.
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
        return child;
    }

    /** Starts a command of Penstock, from what this build has compiled. */
    static ChildProcess penstock(Path folder, String name, String heap, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                heap,
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Djava.net.preferIPv4Stack=true",
                "-cp",
                classPath(),
                "io.penstock.Main"));
        command.addAll(List.of(arguments));
        return start(folder, name, command);
    }

    /** What runs in production: no test classes. */
    private static String classPath() {
        String all = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        return String.join(
                File.pathSeparator,
                Stream.of(all.split(File.pathSeparator, -1))
                        .filter(entry -> !entry.endsWith("test-classes"))
                        .map(entry -> Path.of(entry).toAbsolutePath().toString())
                        .toList());
    }

    /** A port that nobody has at this moment, and that nobody was given before. */
    static int freePort() throws IOException {
        while (true) {
            try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                if (GIVEN.add(socket.getLocalPort())) {
                    return socket.getLocalPort();
                }
            }
        }
    }

    /** Waits until its port takes connections. */
    void awaitPort(int port, int seconds) throws Exception {
        Deadline.of(seconds).until(() -> "port " + port + " opens; " + output(), () -> {
            if (!process.isAlive()) {
                throw new IllegalStateException("it ended: " + output());
            }
            try (Socket socket = new Socket()) {
                socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 500);
                return true;
            } catch (IOException refused) {
                return false;
            }
        });
    }

    /** What it has said so far. */
    String output() {
        try {
            return Files.readString(log);
        } catch (IOException e) {
            return String.valueOf(e);
        }
    }

    /** Sends a signal, such as STOP, CONT or TERM. */
    void signal(String name) throws Exception {
        Process kill = new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start();
        if (!kill.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS) || kill.exitValue() != 0) {
            throw new IllegalStateException("kill -" + name + " failed; alive: " + isAlive() + "; " + output());
        }
    }

    /** kill -9, and waits until it is gone. */
    void kill() {
        process.destroyForcibly();
        process.onExit().orTimeout(PATIENCE_SECONDS, TimeUnit.SECONDS).join();
    }

    boolean isAlive() {
        return process.isAlive();
    }

    @Override
    public void close() {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        kill();
    }
}
