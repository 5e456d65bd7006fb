package io.penstock;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.admin.LiveAdmin;
import io.penstock.config.PenstockConfig.Policy;
import io.penstock.proxy.AttemptReport;
import io.penstock.proxy.Decision;
import io.penstock.proxy.Decision.Cause;
import io.penstock.proxy.ExchangeReport.Result;
import io.penstock.proxy.FailureKind;
import io.penstock.proxy.Receipt;
import io.penstock.selection.LearnedSpeed;
import io.penstock.upstream.Choice;
import io.penstock.upstream.Choice.Option;
import io.penstock.upstream.Choice.Reason;
import io.penstock.upstream.Choice.Terms;
import io.vertx.core.json.JsonObject;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import picocli.CommandLine;

/** {@code penstock explain} and what it reads, against a real admin port. */
@Timeout(60)
@SuppressWarnings("NullAway.Init") // Opened before each test.
class ExplainCommandTest {

    private static final long MS = 1_000_000;

    private record Run(int exitCode, String out, String err) {}

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
    void aPredictionIsShownWithItsTermsAndItsTruth() {
        put(predicted("req-1", "vllm0", "vllm1"));

        Run run = explain("req-1");

        assertThat(run.err()).isEmpty();
        assertThat(run.exitCode()).isZero();
        assertThat(run.out().lines())
                .containsExactly(
                        "request  req-1, 2.0 s ago",
                        "route    /v1/chat/completions, streamed",
                        "model    qwen",
                        "prompt   about 1280 tokens, 20 pieces, caller 0123456789abcdef",
                        "result   completed, status 200",
                        "times    waited 12 ms, first output after 235 ms, over after 1500 ms",
                        "policy   predicted_delay",
                        "1. vllm1: least predicted delay",
                        "   chosen 3.0 ms after the arrival, 12 ms in a lane",
                        "   first output predicted after 190 ms, came after 232 ms (42 ms late)",
                        "   REPLICA  HELD  SEEN  TOREAD  QUEUE  READ  STEP  SILENT  ANSWER  OTHERS  COST",
                        "   vllm0       5     0    1280     60   160    15       0      90     3.5   328",
                        " * vllm1       3    12     512    110    64    15       0      90       0   279",
                        "   far        40     -       -      -     -     -       -       -       -  full",
                        "   and 7 more",
                        "attempt at vllm1: ok, over after 1490 ms");
    }

    @Test
    void aFailoverShowsBothDecisionsAndBothAttempts() {
        put(failedOver());

        Run run = explain("req-2");

        assertThat(run.exitCode()).isZero();
        assertThat(run.out().lines())
                .contains(
                        "prompt   not read, caller unknown",
                        "times    waited 0 ms, first output after (not yet), over after (not yet)",
                        "result   not over yet",
                        "1. vllm0: least in flight",
                        "   REPLICA  HELD",
                        " * vllm0       0",
                        "   vllm1       1",
                        "(2 more decisions)",
                        "4. vllm1: failover, only one usable",
                        "attempt at vllm0: upstream_unreachable, over after 0.4 ms")
                .doesNotContain("model    ?");
    }

    @Test
    void whoWaitsForAReplicaIsToldSo() {
        put(receipt("req-3", List.of(), List.of(), null));

        assertThat(explain("req-3").out()).endsWith("no replica was chosen yet: it waits\n");
    }

    @Test
    void ofRequestsWithOneIdTheNewestIsShown() {
        put(predicted("twice", "vllm0", "vllm1"));
        put(receipt("twice", List.of(), List.of(), null));

        Run run = explain("twice");

        assertThat(run.out()).contains("the newest of 2 requests with this id").contains("it waits");
    }

    @Test
    void replicasThatAreNamedByTheirAddressAreToldApart() {
        put(predicted("req-6", "192.168.1.10:8000", "192.168.1.10:8001"));

        assertThat(explain("req-6").out()).contains("   192.168.1.10:8000 ", " * 192.168.1.10:8001 ");
    }

    @Test
    void noLineIsLongerThanEightyColumnsWhateverTheNames() {
        String longName = "a-replica-with-a-name-that-somebody-generated-10-0-0-17-and-more-of-it";
        put(predicted("req-4", longName + "0", longName + "1"));

        Run run = explain("req-4");

        assertThat(run.out().lines().filter(line -> line.startsWith("   ")))
                .isNotEmpty()
                .allSatisfy(line -> assertThat(line.length()).isLessThanOrEqualTo(80));
        // What tells them apart is left.
        assertThat(run.out()).contains("of-it0 ", "of-it1 ");
    }

    @Test
    void whatACallerSaysDoesNotMoveTheCursor() {
        put(new Receipt(
                "req-5",
                0,
                "/r",
                "m\u001b[2J",
                false,
                "",
                0,
                0,
                Policy.ROUND_ROBIN,
                List.of(),
                0,
                List.of(),
                0,
                -1,
                -1,
                null,
                0));

        assertThat(explain("req-5").out()).doesNotContain("\u001b").contains("model    m [2J", "caller unknown");
    }

    @Test
    void jsonIsTheWholeAnswer() {
        put(predicted("req-1", "vllm0", "vllm1"));

        Run run = explain("req-1", "--json");

        JsonObject json = new JsonObject(run.out());
        assertThat(run.exitCode()).isZero();
        assertThat(json.getString("policy")).isEqualTo("predicted_delay");
        JsonObject decision = json.getJsonArray("decisions").getJsonObject(0);
        assertThat(decision.getString("rule")).isEqualTo("least_predicted_delay");
        assertThat(decision.getDouble("lateMillis")).isEqualTo(42.0);
        assertThat(decision.getJsonArray("candidates").getJsonObject(1).getBoolean("chosen"))
                .isTrue();
    }

    @Test
    void anIdThatIsNotThereExitsOneWithWordsThatHelp() {
        Run run = explain("no/such id?");

        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.out()).isEmpty();
        assertThat(run.err()).startsWith("no/such id?: no receipt with this id").contains("X-Request-Id", "4096");
    }

    @Test
    void aPortThatNobodyListensAtExitsThreeAndTwoIdsExitTwo() throws Exception {
        int closed;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            closed = socket.getLocalPort();
        }
        assertThat(run(new ExplainCommand(), "x", "--admin", "127.0.0.1:" + closed)
                        .exitCode())
                .isEqualTo(3);
        assertThat(run(new ExplainCommand(), "x", "y").exitCode()).isEqualTo(2);
    }

    @Test
    void theAdminPortListsTheLatestAndFindsOne() throws Exception {
        put(predicted("req-1", "vllm0", "vllm1"));
        put(failedOver());
        put(receipt("req-3", List.of(), List.of(), null));

        JsonObject list = admin.get("/explain").json();
        assertThat(list.getJsonArray("receipts"))
                .extracting(each -> ((JsonObject) each).getString("requestId"))
                .containsExactly("req-3", "req-2", "req-1");
        JsonObject second = list.getJsonArray("receipts").getJsonObject(1);
        assertThat(second.getString("replica")).isEqualTo("vllm1");
        assertThat(second.getString("why")).isEqualTo("failover, only one usable");
        assertThat(second.getString("result")).isNull();
        assertThat(list.getJsonArray("receipts").getJsonObject(2).getString("result"))
                .isEqualTo("completed");
        assertThat(admin.get("/explain/req-1").status()).isEqualTo(200);
        assertThat(admin.get("/explain/nobody").status()).isEqualTo(404);
        assertThat(admin.post("/explain/req-1").status()).isEqualTo(405);
    }

    @Test
    void withoutAnIdTheLatestAreListed() {
        assertThat(explain().out()).contains("no inference request was seen yet");
        put(predicted("req-1", "vllm0", "vllm1"));
        put(failedOver());

        Run run = explain();

        assertThat(run.exitCode()).isZero();
        assertThat(run.out().lines())
                .containsExactly(
                        "REQUEST    AGE  REPLICA     RESULT  FIRST OUTPUT",
                        "req-2    2.0 s    vllm1   not over             -",
                        "req-1    2.0 s    vllm1  completed        235 ms");
        assertThat(new JsonObject(explain("--json").out()).getJsonArray("receipts"))
                .hasSize(2);
    }

    @Test
    void statusShowsWhatWasLearned() throws Exception {
        admin.learned = Map.of(
                "vllm0",
                new LearnedSpeed(15_432.1, 0.0123, 900, 7_200),
                "vllm1",
                new LearnedSpeed(0, 0, 0, 7_200).withLane(3));

        Run run = run(new StatusCommand(() -> false), "--admin", admin.address().toString());

        assertThat(run.out().lines())
                .contains(
                        "ENGINE  RUNS  WAITS  KV  READS TOK/S  TOKEN GAP MS  INDEXED PIECES",
                        "vllm0      ?      ?   ?        15432          12.3        900/7200",
                        "vllm1      ?      ?   ?            ?             ?          0/7200");
        JsonObject first =
                admin.get("/upstreams").json().getJsonArray("upstreams").getJsonObject(0);
        assertThat(first.getJsonObject("learned").getDouble("tokenGapMillis")).isEqualTo(12.3);
        assertThat(first.getJsonObject("learned").getInteger("inLane")).isZero();
        assertThat(admin.get("/upstreams")
                        .json()
                        .getJsonArray("upstreams")
                        .getJsonObject(1)
                        .getJsonObject("learned")
                        .getInteger("inLane"))
                .isEqualTo(3);
    }

    private void put(Receipt receipt) {
        admin.receipts.write(admin.receipts.place(), receipt);
    }

    private static Receipt predicted(String id, String some, String chosen) {
        Choice choice = new Choice(
                Reason.LEAST_PREDICTED_DELAY,
                List.of(
                        new Option(some, 5, new Terms(0, 1280, 60, 160, 15, 0, 90, 3.5, 328.4)),
                        new Option(chosen, 3, new Terms(12, 512, 110, 64, 15, 0, 90, 0, 279)),
                        new Option("far", 40, null)),
                7,
                58_003 * MS,
                12 * MS,
                1280,
                190 * MS);
        Decision decision = new Decision(Cause.ARRIVAL, chosen, choice, 3 * MS, 232 * MS);
        AttemptReport attempt = new AttemptReport(chosen, null, MS, 20 * MS, 1490 * MS);
        return receipt(id, List.of(decision), List.of(attempt), Result.COMPLETED);
    }

    private static Receipt failedOver() {
        Choice first = new Choice(
                Reason.LEAST_IN_FLIGHT,
                List.of(new Option("vllm0", 0, null), new Option("vllm1", 1, null)),
                0,
                0,
                -1,
                0,
                -1);
        Choice second = new Choice(Reason.ONLY_ONE_USABLE, List.of(new Option("vllm1", 1, null)), 0, 0, -1, 0, -1);
        return new Receipt(
                "req-2",
                58_000 * MS,
                "/v1/chat/completions",
                null,
                true,
                "",
                0,
                0,
                Policy.LEAST_IN_FLIGHT,
                List.of(
                        new Decision(Cause.ARRIVAL, "vllm0", first, 0, -1),
                        new Decision(Cause.FAILOVER, "vllm1", second, MS, -1)),
                2,
                List.of(new AttemptReport("vllm0", FailureKind.CONNECT_REFUSED, -1, -1, 400_000)),
                0,
                -1,
                -1,
                null,
                0);
    }

    private static Receipt receipt(
            String id, List<Decision> decisions, List<AttemptReport> attempts, @Nullable Result result) {
        boolean over = result != null;
        return new Receipt(
                id,
                58_000 * MS,
                "/v1/chat/completions",
                "qwen",
                true,
                "0123456789abcdef",
                1280,
                20,
                Policy.PREDICTED_DELAY,
                decisions,
                0,
                attempts,
                12 * MS,
                over ? 235 * MS : -1,
                over ? 1500 * MS : -1,
                result,
                over ? 200 : 0);
    }

    private Run explain(String... arguments) {
        String[] all = Arrays.copyOf(arguments, arguments.length + 2);
        all[arguments.length] = "--admin";
        all[arguments.length + 1] = admin.address().toString();
        return run(new ExplainCommand(), all);
    }

    private static Run run(Object command, String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int exitCode = new CommandLine(command)
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(arguments);
        return new Run(exitCode, out.toString(), err.toString());
    }
}
