package io.penstock.compose;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A compose project of its own, with the profile {@code sim}: its own name, ports and configuration directory, so that
 * it meets no other. Whatever it started is gone after {@link #close}, and if the JVM is ended before.
 */
final class Stack implements AutoCloseable {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final AtomicInteger NUMBER = new AtomicInteger();

    private final String name = "penstock-test-" + ProcessHandle.current().pid() + "-" + NUMBER.incrementAndGet();
    private final Path configuration;
    private final Path log;
    private final int port;
    private final int adminPort;
    private final Commands commands;
    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final Thread onExit = new Thread(this::removeQuietly, name);

    /** Prepares it and starts nothing. Skips the test where there is no engine. */
    Stack() throws IOException, InterruptedException {
        String image = DockerEngine.image();
        configuration =
                Files.createDirectories(Path.of("target", "compose", name).toAbsolutePath());
        log = configuration.resolveSibling(name + ".log");
        try (ServerSocket front = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                ServerSocket admin = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = front.getLocalPort();
            adminPort = admin.getLocalPort();
        }
        commands = new Commands(Map.of(
                "COMPOSE_PROJECT_NAME",
                name,
                "PENSTOCK_IMAGE",
                image,
                "PENSTOCK_PORT",
                "127.0.0.1:" + port,
                "PENSTOCK_ADMIN_PORT",
                String.valueOf(adminPort),
                "SIM_CONF",
                configuration.toString()));
        Runtime.getRuntime().addShutdownHook(onExit);
    }

    /** The name of a replica's container, which is its host name, too. */
    String replica(int number) {
        return name + "-sim-" + number;
    }

    String name() {
        return name;
    }

    String network() {
        return name + "_default";
    }

    /** Writes the list of replicas as an editor does: a new file, renamed over the old one. */
    void configure(String... upstreams) throws IOException {
        Path fresh = configuration.resolve("penstock.yaml.new");
        Files.writeString(fresh, "upstreams: [" + String.join(", ", upstreams) + "]\n");
        Files.move(fresh, configuration.resolve("penstock.yaml"), StandardCopyOption.ATOMIC_MOVE);
    }

    /** Starts so many replicas and, if it is not there, Penstock; waits until all are healthy. */
    void scale(int replicas) throws IOException, InterruptedException {
        compose("up", "-d", "--no-build", "--no-recreate", "--wait", "--scale", "sim=" + replicas)
                .text();
    }

    /** Runs docker compose for this project. */
    Commands.Result compose(String... arguments) throws IOException, InterruptedException {
        return run(List.of("docker", "compose", "--profile", "sim"), arguments);
    }

    /** Runs docker; this must succeed. */
    String docker(String... arguments) throws IOException, InterruptedException {
        return run(List.of("docker"), arguments).text();
    }

    /** A replica's address in the project's network. */
    String address(int number) throws IOException, InterruptedException {
        String path = "{{(index .NetworkSettings.Networks \"" + network() + "\").IPAddress}}";
        return docker("inspect", "-f", path, replica(number));
    }

    /** What {@code penstock status} in Penstock's container says. */
    Commands.Result status() throws IOException, InterruptedException {
        return compose("exec", "-T", "penstock-sim", "/app/docker-entrypoint", "status");
    }

    /** One short question. */
    HttpResponse<String> ask() throws IOException, InterruptedException {
        return http.send(chat("{\"messages\":[],\"max_tokens\":1}"), HttpResponse.BodyHandlers.ofString());
    }

    /** The same, without waiting for its answer. */
    CompletableFuture<HttpResponse<String>> askLater() {
        return http.sendAsync(chat("{\"messages\":[],\"max_tokens\":1}"), HttpResponse.BodyHandlers.ofString());
    }

    /** A stream of so many tokens, each 20 ms after the one before. Fails if it is cut. */
    CompletableFuture<String> stream(int tokens) {
        return http.sendAsync(
                        chat("{\"messages\":[],\"stream\":true,\"max_tokens\":" + tokens + "}"),
                        HttpResponse.BodyHandlers.ofString())
                .thenApply(HttpResponse::body);
    }

    /** The status code of a path on the operator's port. */
    int operatorSays(String path) throws IOException, InterruptedException {
        return http.send(get(path), HttpResponse.BodyHandlers.discarding()).statusCode();
    }

    /** What Penstock knows about a replica, by the host in its URL; empty if it is not in the list. */
    JsonObject upstream(String host) throws IOException, InterruptedException {
        return upstreams().stream()
                .filter(each -> each.getString("url").equals("http://" + host + ":8000"))
                .findFirst()
                .orElseGet(JsonObject::new);
    }

    /** Everything in Penstock's list. */
    List<JsonObject> upstreams() throws IOException, InterruptedException {
        HttpResponse<String> response = http.send(get("/upstreams"), HttpResponse.BodyHandlers.ofString());
        JsonArray all = new JsonObject(response.body()).getJsonArray("upstreams");
        return IntStream.range(0, all.size()).mapToObj(all::getJsonObject).toList();
    }

    boolean isUsable(String host) throws IOException, InterruptedException {
        return upstream(host).getBoolean("usable", false);
    }

    /** Waits until something holds, and says how long that took. */
    Duration until(String what, Condition condition) throws IOException, InterruptedException {
        return until(what, PATIENCE, condition);
    }

    /** Waits until something holds, and fails after a time. */
    Duration until(String what, Duration limit, Condition condition) throws IOException, InterruptedException {
        long start = System.nanoTime();
        while (!condition.holds()) {
            assertThat(Duration.ofNanos(System.nanoTime() - start)).as(what).isLessThan(limit);
            LockSupport.parkNanos(50_000_000);
        }
        return Duration.ofNanos(System.nanoTime() - start);
    }

    /** Something that may be so now. */
    interface Condition {
        boolean holds() throws IOException, InterruptedException;
    }

    @Override
    public void close() throws IOException {
        try {
            remove();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException(name + " may be left");
        } finally {
            Runtime.getRuntime().removeShutdownHook(onExit);
        }
    }

    private void remove() throws IOException, InterruptedException {
        // For whoever wants to know why a test failed.
        Files.writeString(log, compose("logs", "--no-color", "--timestamps").output());
        // Containers that were run by hand first: down fails while they use the network.
        String others = docker("ps", "-aq", "--filter", "label=com.docker.compose.project=" + name);
        if (!others.isEmpty()) {
            docker(Stream.concat(Stream.of("rm", "-f"), others.lines()).toArray(String[]::new));
        }
        compose("down", "--volumes", "--remove-orphans").text();
        Files.deleteIfExists(configuration.resolve("penstock.yaml"));
        Files.delete(configuration);
    }

    private void removeQuietly() {
        try {
            remove();
        } catch (IOException | IllegalStateException e) {
            System.err.println(name + " may be left: " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private Commands.Result run(List<String> program, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(program);
        command.addAll(List.of(arguments));
        return commands.run(Duration.ofMinutes(2), command);
    }

    private HttpRequest chat(String body) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/v1/chat/completions"))
                .header("content-type", "application/json")
                .timeout(PATIENCE)
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
    }

    private HttpRequest get(String path) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + adminPort + path))
                .timeout(PATIENCE)
                .build();
    }
}
