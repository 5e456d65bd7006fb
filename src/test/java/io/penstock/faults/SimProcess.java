package io.penstock.faults;

import io.vertx.core.json.JsonObject;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** One simulated replica as a process of its own, always on the same port. */
final class SimProcess implements AutoCloseable {

    private static final int START_SECONDS = 30;
    private static final Pattern TOKENS = Pattern.compile("(?m)^vllm:generation_tokens_total\\{[^}]*} (\\S+)$");
    private static final Duration ANSWER = Duration.ofSeconds(5);
    private static final HttpClient HTTP =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    /**
     * What a replica says about itself.
     *
     * @param arrived generation requests that came
     * @param running those that are not over
     * @param over those that ended, in whatever way
     */
    record Books(long arrived, long running, long over) {}

    private final Path folder;
    private final String name;
    private final int firstTokenMillis;
    private final int stepMillis;
    private final List<String> more;
    private final int port = ChildProcess.freePort();
    private ChildProcess process;

    SimProcess(Path folder, String name, int firstTokenMillis, int stepMillis, String... more) throws Exception {
        this.folder = folder;
        this.name = name;
        this.firstTokenMillis = firstTokenMillis;
        this.stepMillis = stepMillis;
        this.more = List.of(more);
        this.process = launch();
    }

    private ChildProcess launch() throws Exception {
        List<String> arguments = new ArrayList<>(List.of("sim", "--control", "0"));
        arguments.addAll(List.of("--port", Integer.toString(port)));
        arguments.addAll(List.of("--first-token", Integer.toString(firstTokenMillis)));
        arguments.addAll(List.of("--step", Integer.toString(stepMillis)));
        arguments.addAll(more);
        return ChildProcess.penstock(folder, name, "-Xmx192m", arguments.toArray(String[]::new));
    }

    /** Waits until it takes requests. */
    SimProcess ready() throws Exception {
        process.awaitPort(port, START_SECONDS);
        return this;
    }

    int port() {
        return port;
    }

    ChildProcess process() {
        return process;
    }

    /** Starts it again after its end. */
    void restart() throws Exception {
        process = launch();
        ready();
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** Its own count of what it has to do. */
    Books books() throws Exception {
        JsonObject state = new JsonObject(get("http://127.0.0.1:" + port + "/sim/state"));
        long arrived = 0;
        for (Api api : Api.values()) {
            arrived += state.getJsonObject("requests").getLong(api.path, 0L);
        }
        return new Books(
                arrived,
                state.getLong("inFlight"),
                state.getLong("finished") + state.getLong("aborted") + state.getLong("cut"));
    }

    /** Tokens that it has written since its start. */
    long tokens() throws Exception {
        Matcher count = TOKENS.matcher(get("http://127.0.0.1:" + port + "/metrics"));
        return count.find() ? (long) Double.parseDouble(count.group(1)) : 0;
    }

    /** The body of an answer. */
    static String get(String uri) throws Exception {
        HttpRequest request =
                HttpRequest.newBuilder(URI.create(uri)).timeout(ANSWER).build();
        return HTTP.send(request, HttpResponse.BodyHandlers.ofString()).body();
    }

    @Override
    public void close() {
        process.close();
    }
}
