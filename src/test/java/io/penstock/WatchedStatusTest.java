package io.penstock;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.admin.LiveAdmin;
import io.penstock.proxy.front.Eventually;
import io.penstock.upstream.Standing;
import io.vertx.core.json.JsonObject;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import picocli.CommandLine;

/** {@code penstock status --watch}, against a real admin port. */
@Timeout(60)
@SuppressWarnings("NullAway.Init") // Opened before each test.
class WatchedStatusTest {

    private static final String UP = "\033[1A\033[2K";

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private LiveAdmin admin;
    private Thread watching = new Thread();

    @BeforeEach
    void open() throws Exception {
        admin = new LiveAdmin();
        admin.replicas("vllm0", "vllm1");
    }

    @AfterEach
    void close() throws Exception {
        watching.interrupt();
        watching.join();
        admin.close();
    }

    @Test
    void aTerminalIsWrittenOverAndTellsWhatChanged() {
        watch(true);
        await("conf/penstock.yaml: ok");

        admin.replica("vllm1").judge(Standing.SUSPECT, "no progress for 10 s");
        await("· vllm1: ready → suspect (no progress for 10 s)");

        // The four lines of before give way to the new ones.
        assertThat(out.toString()).contains(UP.repeat(5) + "NAME   STANDING");
        admin.replica("vllm1").judge(Standing.READY, "made a token");
        await("· vllm1: suspect → ready\n");
    }

    @Test
    void offATerminalOnlyChangesArePrinted() {
        watch(false);
        await("conf/penstock.yaml: ok");
        admin.replica("vllm0").drain(true);
        await("· vllm0: ready → draining");
        admin.replicas("vllm1");
        await("· vllm0: gone from the configuration");

        assertThat(out.toString()).doesNotContain("\033");
        assertThat(out.toString().split("NAME   STANDING", -1)).hasSizeBetween(4, 5);
    }

    @Test
    void aRestartOfPenstockIsWaitedFor() throws Exception {
        watch(false);
        await("conf/penstock.yaml: ok");

        admin.close();
        await("· Penstock does not answer");
        assertThat(out.toString()).contains("cannot reach Penstock's admin port");

        int port = admin.address().port();
        admin = new LiveAdmin(port);
        admin.replicas("vllm0");
        await("· Penstock answers again");
    }

    @Test
    void asJsonItIsOneLineEachTime() {
        watch(true, "--json");
        await("}\n{");

        assertThat(new JsonObject(out.toString().lines().findFirst().orElseThrow()).getJsonArray("upstreams"))
                .hasSize(2);
    }

    @Test
    void onlyTheNewestChangesAreKept() {
        StatusWatch watch = new StatusWatch();
        List<String> lines = List.of();
        for (int i = 0; i < 12; i++) {
            lines = watch.lines(status(i % 2 == 0 ? "ready" : "failing", "probe " + i));
        }

        assertThat(lines.stream().filter(line -> line.startsWith("  · "))).hasSize(8);
        assertThat(lines.get(lines.size() - 1)).isEqualTo("  · vllm0: ready → failing (probe 11)");
    }

    private static JsonObject status(String standing, String reason) {
        return new JsonObject(String.format(
                Locale.ROOT,
                "{\"upstreams\":[{\"name\":\"vllm0\",\"standing\":\"%s\",\"reason\":\"%s\",\"usable\":%s}]}",
                standing,
                reason,
                standing.equals("ready")));
    }

    private void watch(boolean terminal, String... more) {
        CommandLine line = new CommandLine(new StatusCommand(() -> terminal))
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true));
        String[] arguments = new String[more.length + 3];
        System.arraycopy(more, 0, arguments, 0, more.length);
        arguments[more.length] = "--watch=20ms";
        arguments[more.length + 1] = "--admin";
        arguments[more.length + 2] = admin.address().toString();
        watching = new Thread(() -> line.execute(arguments));
        watching.start();
    }

    private void await(String text) {
        Eventually.that(() -> text + "\nin\n" + out + err, () -> out.toString().contains(text));
    }
}
