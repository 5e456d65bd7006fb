package io.penstock;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.admin.LiveAdmin;
import io.penstock.upstream.EngineGauges;
import io.penstock.upstream.Lease;
import io.penstock.upstream.Outcome;
import io.penstock.upstream.Standing;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** The commands that talk to a running Penstock, against a real admin port. */
@Timeout(60)
class AdminCommandsTest {

    private record Run(int exitCode, String out, String err) {}

    private final StringWriter out = new StringWriter();
    private LiveAdmin admin;

    @BeforeEach
    void open() throws Exception {
        admin = new LiveAdmin();
        admin.replicas("vllm0", "vllm1");
    }

    @AfterEach
    void close() throws Exception {
        admin.close();
    }

    @Test
    void withAnAdminKeyChangesNeedItFromTheEnvironment() throws Exception {
        admin.adminKey = "0123456789abcdef";

        assertThat(new AdminClient(admin.address(), null).drain("vllm0").status())
                .isEqualTo(401);
        assertThat(new AdminClient(admin.address(), "").drain("vllm0").reason()).contains("PENSTOCK_ADMIN_KEY");
        assertThat(new AdminClient(admin.address(), null).upstreams().getJsonArray("upstreams"))
                .hasSize(2);
        assertThat(new AdminClient(admin.address(), " 0123456789abcdef\n")
                        .drain("vllm0")
                        .status())
                .isEqualTo(200);
        assertThat(admin.replica("vllm0").draining()).isTrue();
    }

    // ---- status ----------------------------------------------------------------------------------------------------

    @Test
    void statusIsATableAndExitZeroWhenAllIsWell() {
        lease("vllm0");
        lease("vllm0").end(Outcome.COMPLETED);
        lease("vllm1").end(Outcome.FAILED);

        Run run = status();

        assertThat(run.exitCode()).isZero();
        assertThat(run.out().lines())
                .containsExactly(
                        "NAME   STANDING  IN-FLIGHT  WEIGHT  MODELS  DONE  FAILED",
                        "vllm0  ready             1       1  qwen       1       0",
                        "vllm1  ready             0       1  qwen       0       1",
                        "waiting: 5 requests",
                        "conf/penstock.yaml: ok");
        assertThat(run.err()).isEmpty();
    }

    @Test
    void statusSaysWhyAReplicaIsOutAndExitsOne() {
        admin.upstreams.apply(List.of(
                LiveAdmin.upstream("vllm0", 16, Set.of(), List.of("127.0.0.1")),
                LiveAdmin.upstream("vllm1", 0, Set.of("a", "b", "c"), List.of("127.0.0.1")),
                LiveAdmin.upstream("vllm2", 0, Set.of(), List.of())));
        admin.replica("vllm0").drain(true);
        admin.replica("vllm1").judge(Standing.REFUSED, "connection refused\u001b[2J");

        Run run = status();

        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.out().lines())
                .containsExactly(
                        "NAME   STANDING  IN-FLIGHT  WEIGHT  MODELS  DONE  FAILED",
                        "vllm0  draining       0/16       1  ?          0       0",
                        "vllm1  refused           0       1  a +2       0       0",
                        "vllm2  starting          0       1  ?          0       0",
                        "vllm0: draining, 0 in flight (penstock undrain vllm0 brings it back)",
                        "vllm1: refused, connection refused [2J",
                        "vllm2: no address: http://127.0.0.1:8000 does not resolve",
                        "waiting: 5 requests",
                        "conf/penstock.yaml: ok");
    }

    @Test
    void statusShowsProblemsWarningsAndWhatWaitsForARestart() {
        admin.config = new JsonObject()
                .put("source", "conf/penstock.yaml")
                .put("problems", new JsonArray().add("probe.fall: want a whole number, got x"))
                .put("warnings", new JsonArray().add("vllm9 does not resolve"))
                .put("pendingRestart", new JsonArray().add("listen"));
        admin.lameDuck = true;

        Run run = status();

        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.out().lines())
                .contains(
                        "Penstock is going down: it takes no new connections",
                        "conf/penstock.yaml: has problems; the last good configuration stays",
                        "  problem: probe.fall: want a whole number, got x",
                        "  warning: vllm9 does not resolve",
                        "  pending restart: listen");
    }

    @Test
    void warningsAndPendingRestartsAloneAreNoFailure() {
        admin.config = new JsonObject().put("pendingRestart", new JsonArray().add("listen"));

        assertThat(status().exitCode()).isZero();
    }

    @Test
    void statusWithoutAnyReplicaIsNotWell() {
        admin.replicas();

        Run run = status();

        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.out()).startsWith("no replicas");
    }

    @Test
    void tableFitsEightyColumnsWhateverTheNames() {
        String longName = "a-replica-with-a-name-that-somebody-generated-10-0-0-17";
        admin.upstreams.apply(List.of(LiveAdmin.upstream(
                longName, 1000, Set.of("org/model-with-a-very-long-name-instruct"), List.of("::1"))));
        admin.replica(longName).judge(Standing.READY, "passes its probes");

        Run run = status();

        assertThat(run.out().lines()).allMatch(line -> line.length() <= 80);
        assertThat(run.out()).contains("a-replica-with-a-name-th", "…", "org/mod…", "0/1000");
    }

    @Test
    void statusAsJsonIsWhatTheAdminPortSaid() throws Exception {
        Run run = status("--json");

        assertThat(run.exitCode()).isZero();
        assertThat(new JsonObject(run.out())).isEqualTo(admin.get("/upstreams").json());

        admin.replica("vllm1").judge(Standing.FAILING, "status 503");
        assertThat(status("--json").exitCode()).isEqualTo(1);
    }

    @Test
    void statusShowsWhatEnginesSayOfThemselves() {
        admin.replica("vllm0")
                .engine()
                .learnGauges(new EngineGauges(
                        List.of(
                                new EngineGauges.Engine("0", 3, 1, 0.25, 0, 0, 0),
                                new EngineGauges.Engine("1", 4, Double.NaN, 0.98, 0, 0, 0)),
                        0,
                        0,
                        0,
                        0));

        assertThat(status().out().lines())
                .contains(
                        "ENGINE  RUNS  WAITS   KV  READS TOK/S  TOKEN GAP MS  INDEXED PIECES",
                        "vllm0      7      1  98%            ?             ?               ?")
                .noneMatch(line -> line.startsWith("vllm1  ?"));
    }

    @Test
    void drainAndUndrainAsJsonAreHowTheReplicaStandsAtTheEnd() {
        Run drained = run(new DrainCommand(System::nanoTime, () -> true), address(), "vllm0", "--wait", "--json");
        Run marked = run(drainCommand(), address(), "vllm0", "--json");
        Run back = run(new UndrainCommand(System::nanoTime), address(), "vllm0", "--json");

        assertThat(new JsonObject(drained.out()).getBoolean("draining")).isTrue();
        assertThat(new JsonObject(marked.out()).getInteger("inFlight")).isZero();
        assertThat(new JsonObject(back.out()).getBoolean("usable")).isTrue();
    }

    @Test
    void nobodyThereIsExitThreeWithWhatToTry() throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        for (Object command :
                List.of(new StatusCommand(() -> false), new UndrainCommand(System::nanoTime), drainCommand())) {
            List<String> name = command instanceof StatusCommand ? List.of() : List.of("vllm0");
            Run run = run(command, "127.0.0.1:" + port, name.toArray(String[]::new));
            assertThat(run.exitCode()).isEqualTo(3);
            assertThat(run.err()).contains("127.0.0.1:" + port, "--admin HOST:PORT");
        }
    }

    @Test
    void unknownHostIsExitThree() {
        Run run = run(new StatusCommand(() -> false), "no-such-host.invalid:8090");

        assertThat(run.exitCode()).isEqualTo(3);
        assertThat(run.err()).contains("no-such-host.invalid:8090");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
            })
    void someoneElseThereIsExitThree(String answer) throws Exception {
        try (ServerSocket other = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Thread server = new Thread(() -> answerOnce(other, answer));
            server.start();
            Run run = run(new StatusCommand(() -> false), "127.0.0.1:" + other.getLocalPort());
            server.join();

            assertThat(run.exitCode()).isEqualTo(3);
            assertThat(run.err()).contains("not as Penstock's admin port");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "127.0.0.1:0", "127.0.0.1:70000", "::1:8090", "http://x:80", ":80", "a b:1"})
    void malformedAdminAddressIsWrongUsage(String address) {
        Run run = run(new StatusCommand(() -> false), address);

        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.err()).contains("want HOST:PORT");
    }

    // ---- drain and undrain -----------------------------------------------------------------------------------------

    @Test
    void drainWithoutWaitReturnsAtOnce() {
        lease("vllm0");

        Run run = run(drainCommand(), address(), "vllm0");

        assertThat(run.exitCode()).isZero();
        assertThat(run.out()).isEqualToNormalizingNewlines("vllm0: draining, 1 in flight\n");
        assertThat(admin.replica("vllm0").draining()).isTrue();
    }

    @Test
    void drainOfNobodyNamesTheReplicasThereAre() {
        Run drain = run(drainCommand(), address(), "vllm 7/x");
        Run undrain = run(new UndrainCommand(System::nanoTime), address(), "vllm7");

        assertThat(drain.exitCode()).isEqualTo(1);
        assertThat(drain.err()).contains("vllm 7/x: no such replica; there are vllm0, vllm1");
        assertThat(undrain.exitCode()).isEqualTo(1);
        assertThat(undrain.err()).contains("vllm7: no such replica; there are vllm0, vllm1");
    }

    @Test
    void drainWaitEndsWhenTheLastRequestEnds() throws Exception {
        Lease running = lease("vllm0");
        Thread stream = new Thread(() -> {
            awaitText("vllm0: 1 in flight");
            running.end(Outcome.COMPLETED);
        });
        stream.start();

        Run run = run(new DrainCommand(System::nanoTime, () -> true), address(), "vllm0", "--wait");
        stream.join();

        assertThat(run.exitCode()).isZero();
        assertThat(run.out())
                .contains("\rvllm0: 1 in flight, 0 s")
                .endsWith("vllm0: drained, nothing runs there any more" + System.lineSeparator());
    }

    @Test
    void drainWaitOfAnIdleReplicaIsDoneAtOnceAndWritesNothingOverOffATerminal() {
        Run run = run(drainCommand(), address(), "vllm0", "--wait");

        assertThat(run.exitCode()).isZero();
        assertThat(run.out()).isEqualToNormalizingNewlines("vllm0: drained, nothing runs there any more\n");
    }

    @Test
    void drainWaitGivesUpAfterItsTimeAndLeavesTheReplicaDrained() {
        lease("vllm0");

        Run run = run(drainCommand(), address(), "vllm0", "--wait", "--timeout", "300ms");

        assertThat(run.exitCode()).isEqualTo(4);
        assertThat(run.err()).contains("vllm0: still 1 in flight; it stays drained");
        assertThat(admin.replica("vllm0").draining()).isTrue();
    }

    @Test
    void drainWaitNoticesThatSomeoneUndrained() throws Exception {
        lease("vllm0");
        Thread someone = new Thread(() -> {
            awaitText("vllm0: 1 in flight");
            admin.replica("vllm0").drain(false);
        });
        someone.start();

        Run run = run(new DrainCommand(System::nanoTime, () -> true), address(), "vllm0", "--wait");
        someone.join();

        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.err()).contains("someone else let it have work again");
    }

    @Test
    void drainWaitNoticesThatTheReplicaLeftTheConfiguration() throws Exception {
        lease("vllm0");
        Thread reload = new Thread(() -> {
            awaitText("vllm0: 1 in flight");
            admin.replicas("vllm1");
        });
        reload.start();

        Run run = run(new DrainCommand(System::nanoTime, () -> true), address(), "vllm0", "--wait");
        reload.join();

        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.err()).contains("no longer in the configuration");
    }

    @Test
    void undrainSaysWhetherTheReplicaTakesWork() {
        run(drainCommand(), address(), "vllm0");
        assertThat(run(new UndrainCommand(System::nanoTime), address(), "vllm0").out())
                .isEqualToNormalizingNewlines("vllm0: takes work again\n");

        admin.replica("vllm1").judge(Standing.REFUSED, "connection refused");
        Run run = run(new UndrainCommand(System::nanoTime), address(), "vllm1");
        assertThat(run.exitCode()).isZero();
        assertThat(run.out()).contains("takes work once it is ready (connection refused)");
    }

    @ParameterizedTest
    @ValueSource(strings = {"10", "ten", "10d", "-1s", ""})
    void malformedTimeIsWrongUsage(String time) {
        Run run = run(drainCommand(), address(), "vllm0", "--wait", "--timeout=" + time);

        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(admin.replica("vllm0").draining()).isFalse();
    }

    @Test
    void nameIsRequired() {
        assertThat(run(drainCommand(), address()).exitCode()).isEqualTo(2);
        assertThat(run(new UndrainCommand(System::nanoTime), address()).exitCode())
                .isEqualTo(2);
    }

    @Test
    void helpTellsTheExitCodes() {
        assertThat(run(new StatusCommand(() -> false), address(), "--help").out())
                .contains("Exit codes:", "127.0.0.1:8090", "3", "the admin port cannot be reached");
    }

    private Run status(String... arguments) {
        return run(new StatusCommand(() -> false), address(), arguments);
    }

    @Test
    void undrainWaitsForProbesThatBeganAfterIt() throws Exception {
        admin.replica("vllm0").drain(true);
        Thread probes = new Thread(() -> {
            try {
                // What it says of itself at first is from before the restart.
                Thread.sleep(300);
                admin.replica("vllm0").judge(Standing.REFUSED, "connection refused");
                Thread.sleep(300);
                admin.replica("vllm0").judge(Standing.READY, "passed its probe");
                admin.replica("vllm0").probePassed();
                admin.replica("vllm0").probePassed();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        probes.start();

        Run run = run(new UndrainCommand(System::nanoTime), address(), "vllm0", "--wait");

        probes.join();
        assertThat(run.exitCode()).isZero();
        assertThat(run.out()).contains("vllm0: waiting (connection refused)\n").endsWith("vllm0: takes work again\n");
    }

    @Test
    void undrainThatWaitsInVainExitsFour() {
        admin.replica("vllm0").judge(Standing.REFUSED, "connection refused");

        Run run = run(new UndrainCommand(System::nanoTime), address(), "vllm0", "--wait", "--timeout", "300ms");

        assertThat(run.exitCode()).isEqualTo(4);
        assertThat(run.err()).contains("vllm0: not ready in time (connection refused)");
    }

    private static DrainCommand drainCommand() {
        return new DrainCommand(System::nanoTime, () -> false);
    }

    private Run run(Object command, String adminAddress, String... arguments) {
        out.getBuffer().setLength(0);
        StringWriter err = new StringWriter();
        CommandLine line =
                new CommandLine(command).setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));
        String[] all = new String[arguments.length + 2];
        System.arraycopy(arguments, 0, all, 0, arguments.length);
        all[arguments.length] = "--admin";
        all[arguments.length + 1] = adminAddress;
        int exitCode = line.execute(all);
        return new Run(exitCode, out.toString(), err.toString());
    }

    private String address() {
        return admin.address().toString();
    }

    private Lease lease(String name) {
        return Objects.requireNonNull(admin.replica(name).lease(0, () -> {}));
    }

    private void awaitText(String text) {
        long deadline = System.nanoTime() + 20_000_000_000L;
        while (!out.toString().contains(text) && System.nanoTime() < deadline) {
            Thread.onSpinWait();
        }
    }

    private static void answerOnce(ServerSocket server, String answer) {
        try (Socket client = server.accept()) {
            int read = client.getInputStream().read(new byte[4096]);
            assertThat(read).isPositive();
            client.getOutputStream().write(answer.getBytes(StandardCharsets.US_ASCII));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
