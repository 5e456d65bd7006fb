package io.penstock.admin;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.proxy.ExchangeReport.Result;
import io.penstock.proxy.FailureKind;
import io.penstock.proxy.Receipts;
import io.penstock.selection.LearnedSpeed;
import io.penstock.upstream.Ejection;
import io.penstock.upstream.EngineActivity.Suspicion;
import io.penstock.upstream.LiveUpstreams;
import io.penstock.upstream.Standing;
import io.penstock.upstream.Upstream;
import io.penstock.upstream.UpstreamState;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HeadlineTest {

    private final LiveUpstreams upstreams = new LiveUpstreams(() -> 0);
    private JsonObject config = new JsonObject();
    private long waiting;
    private boolean lameDuck;
    private List<String> loopProblems = List.of();
    private Map<String, LearnedSpeed> learned = Map.of();
    private long now;
    private final TrafficRecorder traffic = new TrafficRecorder(() -> now);

    @ParameterizedTest
    @CsvSource({"1, The one replica takes work.", "2, Both replicas take work.", "9, All 9 replicas take work."})
    void allIsWell(int count, String text) {
        replicas(count);

        assertThat(headline().getString("level")).isEqualTo("good");
        assertThat(headline().getString("text")).isEqualTo(text);
        assertThat(headline().getString("impact")).isEmpty();
        assertThat(headline().getJsonArray("more")).isEmpty();
    }

    @Test
    void noReplicasIsNoFault() {
        assertThat(headline().getString("level")).isEqualTo("empty");
        assertThat(headline().getString("text")).isEqualTo("There are no replicas.");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        STARTING | info | vllm1 is not ready yet.
        REFUSED  | warn | vllm1 refuses connections: it is loading, or it is gone.
        LEAVING  | warn | vllm1 can take no more work: it has to be started again.
        FAILING  | warn | vllm1 fails its probes.
        """)
    void whatAProbeFoundIsSaidWithItsReason(Standing standing, String level, String text) {
        replicas(3);
        replica("vllm1").judge(standing, "for a reason");

        JsonObject headline = headline();

        assertThat(headline.getString("level")).isEqualTo(level);
        assertThat(headline.getString("text")).isEqualTo(text);
        assertThat(headline.getString("why")).isEqualTo("for a reason");
        assertThat(headline.getString("replica")).isEqualTo("vllm1");
        assertThat(headline.getString("impact")).isEqualTo("2 of 3 take work");
    }

    @ParameterizedTest
    @CsvSource({
        "SUSPECT, 'vllm0 makes no tokens though /health says 200; what waits there is asked elsewhere, too.'",
        "STALLED, vllm0 makes no tokens though /health says 200; its requests are asked elsewhere."
    })
    void anEngineThatMakesNoTokensIsSaidToDespiteItsHealth(Standing standing, String text) {
        replicas(2);
        replica("vllm0").engine().suspect(new Suspicion(standing, "nothing moved for 12 s"));

        assertThat(headline().getString("text")).isEqualTo(text);
        assertThat(headline().getString("why")).isEqualTo("nothing moved for 12 s");
        assertThat(headline().getString("impact")).isEqualTo("1 of 2 takes work");
    }

    @Test
    void aDrainIsWantedSoItIsNoWarning() {
        replicas(2);
        replica("vllm0").drain(true);

        assertThat(headline().getString("level")).isEqualTo("info");
        assertThat(headline().getString("text")).contains("vllm0 is drained");
    }

    @Test
    void aNameThatDoesNotResolveIsNamed() {
        upstreams.apply(List.of(LiveAdmin.upstream("vllm0", 0, Set.of(), List.of())));

        assertThat(texts()).contains("vllm0 cannot be found.");
    }

    @Test
    void whatClientsFeelComesBeforeWhatTheyDoNot() {
        replicas(2);
        replica("vllm0").judge(Standing.REFUSED, "connection refused");
        replica("vllm1").drain(true);
        config = new JsonObject()
                .put(
                        "problems",
                        new JsonArray().add("probe.fall: want a number").add("b"));
        waiting = 3;

        assertThat(texts())
                .containsExactly(
                        "No replica can take work.",
                        "The configuration file has 2 problems; the last good one stays in force.",
                        "vllm0 refuses connections: it is loading, or it is gone.",
                        "vllm1 is drained: it finishes what it has and gets no new work.");
        assertThat(headline().getString("level")).isEqualTo("bad");
        assertThat(headline().getString("why")).isEqualTo("requests wait until one can");
    }

    @Test
    void aPanicIsSaid() {
        replicas(1);
        replica("vllm0").conduct().eject(new Ejection(Ejection.Cause.CONSECUTIVE, "5 faults in a row"));

        assertThat(texts())
                .containsExactly(
                        "No replica is well, so those that failed requests get the work.",
                        "vllm0 passes its probes and fails requests, so it rests.");
    }

    @Test
    void theRestIsSaid() {
        replicas(2);
        loopProblems = List.of("the probes have been silent for 12 s");
        lameDuck = true;
        waiting = 1;
        config = new JsonObject()
                .put("problems", new JsonArray().add("listen: no"))
                .put("pendingRestart", new JsonArray().add("listen a -> b"));

        assertThat(texts())
                .containsExactly(
                        "Penstock is unwell.",
                        "Penstock is going down.",
                        "The configuration file has a problem; the last good one stays in force.",
                        "Requests wait for a replica.",
                        "An edit waits for a restart of Penstock.");
    }

    @Test
    void ofManyMattersTheFirstAreSaidAndTheRestIsCounted() {
        replicas(20);
        upstreams.current().members().forEach(member -> member.judge(Standing.REFUSED, "connection refused"));

        assertThat(headline().getJsonArray("more")).hasSize(8);
        assertThat(headline().getInteger("others")).isEqualTo(12);
    }

    @Test
    void thatClientsAreTurnedAwayIsSaidForAWhile() {
        replicas(2);
        waiting = 4;
        assertThat(texts()).containsExactly("Requests wait for a replica.");

        traffic.exchangeEnded(TrafficRecorderTest.report(Result.REFUSED, 429, FailureKind.WAITING_ROOM_FULL));
        now += 1_000_000_000L;
        assertThat(headline().getString("level")).isEqualTo("bad");
        assertThat(texts()).containsExactly("More requests come than the replicas can take.");

        now += 10_000_000_000L;
        assertThat(texts()).containsExactly("Requests wait for a replica.");
    }

    @Test
    void oneThatIsFarSlowerThanItsPeersIsSaidWithTheFigures() {
        replicas(3);
        learned = Map.of("vllm0", gap(0.02), "vllm1", gap(0.4), "vllm2", gap(0.021));

        assertThat(headline().getString("level")).isEqualTo("warn");
        assertThat(headline().getString("text")).isEqualTo("vllm1 is far slower than the others.");
        assertThat(headline().getString("why")).isEqualTo("a token takes 400 ms there and 21 ms elsewhere");
        assertThat(headline().getJsonArray("more")).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"0.02, 0.07", "0.002, 0.04", "0, 0.4"})
    void slowIsFourfoldAndFeltAndComparedWithSomebody(double others, double here) {
        replicas(3);
        learned = Map.of("vllm0", gap(others), "vllm1", gap(here), "vllm2", gap(others));

        assertThat(headline().getString("level")).isEqualTo("good");
    }

    @Test
    void withoutPredictionsTheFirstTokensTell() {
        replicas(2);
        first("vllm0", 100);
        first("vllm1", 2_300);

        assertThat(headline().getString("text")).isEqualTo("vllm1 is far slower than the others.");
        assertThat(headline().getString("why")).isEqualTo("the first token takes 2.3 s there and 100 ms elsewhere");
    }

    @Test
    void oneLongPromptMakesNobodySlow() {
        replicas(2);
        first("vllm0", 100);
        traffic.firstOutput("vllm1", 2_300_000_000L, 2_300_000_000L);

        assertThat(headline().getString("level")).isEqualTo("good");
    }

    @Test
    void aLargeModelIsNotComparedWithASmallOne() {
        upstreams
                .apply(List.of(
                        LiveAdmin.upstream("large", 0, Set.of("70b"), List.of("127.0.0.1")),
                        LiveAdmin.upstream("small", 0, Set.of("8b"), List.of("127.0.0.1")),
                        LiveAdmin.upstream("small2", 0, Set.of("8b"), List.of("127.0.0.1"))))
                .members()
                .forEach(member -> member.judge(Standing.READY, "passes its probes"));
        learned = Map.of("large", gap(0.06), "small", gap(0.012), "small2", gap(0.012));
        assertThat(headline().getString("level")).isEqualTo("good");

        learned = Map.of("large", gap(0.06), "small", gap(0.012), "small2", gap(0.06));
        assertThat(headline().getString("text")).isEqualTo("small2 is far slower than the others.");
    }

    private void first(String replica, long millis) {
        for (int i = 0; i < 3; i++) {
            traffic.firstOutput(replica, millis * 1_000_000, millis * 1_000_000);
        }
    }

    private static LearnedSpeed gap(double seconds) {
        return new LearnedSpeed(1000, seconds, 0, 0);
    }

    private void replicas(int count) {
        List<Upstream> identities = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            identities.add(LiveAdmin.upstream("vllm" + i, 0, Set.of(), List.of("127.0.0.1")));
        }
        upstreams.apply(identities).members().forEach(member -> member.judge(Standing.READY, "passes its probes"));
    }

    private UpstreamState replica(String name) {
        return Objects.requireNonNull(upstreams.current().find(name));
    }

    private List<String> texts() {
        List<String> texts = new ArrayList<>(List.of(headline().getString("text")));
        headline().getJsonArray("more").forEach(matter -> texts.add(((JsonObject) matter).getString("text")));
        return texts;
    }

    private JsonObject headline() {
        RunningInstance instance = new RunningInstance(
                "1",
                upstreams,
                () -> true,
                () -> config,
                () -> waiting,
                () -> lameDuck,
                () -> loopProblems,
                () -> {},
                () -> learned,
                new Receipts(1, () -> 0),
                traffic,
                () -> 8000,
                () -> null,
                () -> 0,
                () -> "");
        return new Headline(instance, new Chronicle(() -> 0, traffic)).now(new Laggards(instance));
    }
}
