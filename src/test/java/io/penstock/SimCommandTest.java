package io.penstock;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.sim.EngineProfile;
import io.penstock.sim.Fault;
import java.io.BufferedReader;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Iterator;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class SimCommandTest {

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @Test
    void runsReplicasUntilItIsInterrupted() throws Exception {
        CompletableFuture<Integer> exit = new CompletableFuture<>();
        Thread runner = new Thread(() -> exit.complete(
                run("--port", "0", "--replicas", "2", "--model", "m", "--fault", "status:429", "--step", "1")));
        runner.start();
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (!out.toString().contains("control")) {
            assertThat(System.nanoTime()).isLessThan(deadline);
            assertThat(exit).isNotDone();
            LockSupport.parkNanos(5_000_000);
        }

        Matcher first = Pattern.compile("(?m)^sim-0 (http://127.0.0.1:\\d+) m$").matcher(out.toString());
        assertThat(first.find()).isTrue();
        assertThat(out.toString()).containsPattern("(?m)^sim-1 http://127.0.0.1:\\d+ m$");
        assertThat(post(first.group(1) + "/v1/chat/completions").statusCode()).isEqualTo(429);

        runner.interrupt();
        assertThat(exit.get(20, TimeUnit.SECONDS)).isZero();
    }

    @Test
    void processLetsItsStreamFinishWhenItIsTerminated() throws Exception {
        Process process = new ProcessBuilder(
                        ProcessHandle.current().info().command().orElse("java"),
                        "-cp",
                        System.getProperty("java.class.path"),
                        "io.penstock.Main",
                        "sim",
                        "--port=0",
                        "--control=0",
                        "--step=20",
                        "--shutdown-timeout=120")
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        try (BufferedReader lines = process.inputReader()) {
            String url = lines.readLine().split(" ", 3)[1];
            HttpResponse<Stream<String>> stream = HttpClient.newHttpClient()
                    .send(
                            chat(url + "/v1/chat/completions", "{\"messages\":[],\"stream\":true,\"max_tokens\":50}"),
                            HttpResponse.BodyHandlers.ofLines());
            Iterator<String> events = stream.body().iterator();
            assertThat(events.next()).startsWith("data: ");

            process.destroy();

            assertThat((Iterable<String>) () -> events).contains("data: [DONE]");
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    void saysSoWhenAPortIsTaken() throws Exception {
        try (java.net.ServerSocket taken = new java.net.ServerSocket(0, 1, java.net.InetAddress.getLoopbackAddress())) {
            assertThat(run("--port", String.valueOf(taken.getLocalPort()), "--control", "0"))
                    .isOne();
        }
        assertThat(err.toString()).startsWith("penstock sim: ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"--fault=nope", "--replicas=0", "--port=70000", "--step=-1", "--shutdown-timeout=-1"})
    void refusesNonsense(String argument) {
        assertThat(run(argument)).isEqualTo(2);
        assertThat(err.toString()).isNotBlank();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--profile=abacus           | no profile abacus; there are 8b-h100",
                "--profile=8b-h100 --step=5 | --step is a fixed pace, and --profile 8b-h100 has its own",
                "--profile=8b-h100 --first-token=5 | --first-token is a fixed pace",
                "--profile=8b-h100 --speed=0 | speed: want more than 0",
                "--speed=2                  | --speed says how much faster than a --profile",
            })
    void refusesProfilesThatContradict(String arguments, String reason) {
        assertThat(run(arguments.split(" "))).isEqualTo(2);
        assertThat(err.toString()).contains(reason);
    }

    @Test
    void explainsItself() {
        assertThat(run("--help")).isZero();
        assertThat(out.toString())
                .contains("--first-token")
                .contains(EngineProfile.names())
                .contains("--control")
                .contains("Default: 8001")
                .contains(Fault.menu().split(", ", -1));
    }

    private int run(String... arguments) {
        return new CommandLine(new SimCommand(System::nanoTime, System::currentTimeMillis))
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute(arguments);
    }

    private static HttpResponse<String> post(String url) throws Exception {
        return HttpClient.newHttpClient().send(chat(url, "{\"messages\":[]}"), HttpResponse.BodyHandlers.ofString());
    }

    private static HttpRequest chat(String url, String body) {
        return HttpRequest.newBuilder(URI.create(url))
                .header("content-type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
    }
}
