package io.penstock.health;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.config.PenstockConfig;
import io.penstock.config.PenstockConfig.Progress;
import io.penstock.config.Replica;
import io.penstock.upstream.EngineGauges;
import io.penstock.upstream.Lease;
import io.penstock.upstream.Outcome;
import io.penstock.upstream.Standing;
import io.penstock.upstream.UpstreamState;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Metrics and one-token requests over real sockets. */
class EngineWatchTest extends ProbeStage {

    private static final Progress SHORT = new Progress(Duration.ofMillis(500), Duration.ofMillis(500));
    private static final String NOT_FOUND = ScriptedReplica.answer("404 Not Found", "{\"detail\":\"Not Found\"}");
    private static final String ONE_TOKEN = ScriptedReplica.answer("200 OK", "{\"choices\":[]}");

    @Test
    void metricsAreReadWhileThereIsWorkAndNotOtherwise() throws Exception {
        ScriptedReplica server = server();
        server.metrics = metrics(1, 5, 100);
        start(SHORT, server);
        UpstreamState a = state("a");
        awaitProbes(server, 20);
        assertThat(server.count("/metrics")).isZero();

        Lease lease = lease(a);
        eventually(() -> server.count("/metrics") >= 3);
        EngineGauges gauges = Objects.requireNonNull(a.engine().gauges());
        assertThat(gauges.engines().get(0).running()).isEqualTo(5);
        lease.end(Outcome.COMPLETED);
    }

    @Test
    void theKeyOfTheReplicaIsSentAlong() throws Exception {
        ScriptedReplica server = server();
        server.metrics = metrics(1, 5, 100);
        Replica keyed = new Replica("a", plain("a", server.port()).endpoint(), false, false, 1, 0, Set.of(), "sk-1");
        deploy(config(QUICK, SHORT, keyed), PACE);
        eventually(() -> state("a").usable());
        server.headers.clear();
        server.health = ScriptedReplica.Manner.MUTE;
        lease(state("a"));
        eventually(() -> server.count("/metrics") >= 1);
        assertThat(server.headers).contains("authorization: Bearer sk-1");
    }

    @Test
    void aFrozenEngineIsSuspectedThenStalledAndBackOnceItMadeAToken() throws Exception {
        ScriptedReplica server = server();
        server.metrics = metrics(1, 5, 100);
        start(SHORT, server, spareServer());
        lease(state("a"));
        lease(state("a"));

        eventually(() -> state("a").standing() == Standing.SUSPECT);
        assertThat(state("a").lastResort()).isTrue();
        eventually(() -> state("a").standing() == Standing.STALLED);
        assertThat(state("a").reason()).matches("no token for \\d+ s with 2 in flight, metrics frozen");
        assertThat(log.lines)
                .anyMatch(line -> line.matches(
                        "WARN replica a: READY → SUSPECT \\(no token for \\d s with 2 in flight, metrics frozen\\)"))
                .anyMatch(line -> line.startsWith("WARN replica a: SUSPECT → STALLED (no token for "));
        eventually(() -> flips().containsAll(List.of("READY>SUSPECT", "SUSPECT>STALLED")));

        // However healthy it says it is.
        awaitProbes(server, 30);
        assertThat(state("a").standing()).isEqualTo(Standing.STALLED);

        server.completions = ONE_TOKEN;
        // The request that is under way is not answered any more by this server; a new one is.
        eventually(() -> state("a").standing() == Standing.READY);
        assertThat(server.bodies).contains("{\"model\":\"demo\",\"prompt\":\"1\",\"max_tokens\":1}");
        assertThat(log.lines).anyMatch(line -> line.startsWith("INFO replica a: STALLED → READY (makes tokens again"));
        eventually(() -> flips().contains("STALLED>READY"));
    }

    @Test
    void aReplicaThatIsSilentForAReasonOfItsOwnShowsThatItIsWell() throws Exception {
        ScriptedReplica server = server();
        server.metrics = metrics(1, 0, 100);
        server.completions = ONE_TOKEN;
        start(SHORT, server, spareServer());
        lease(state("a"));
        eventually(() -> server.count("/v1/completions") >= 4);
        assertThat(flips()).doesNotContain("READY>SUSPECT");
    }

    @Test
    void theLastReplicaIsSuspectedAtMost() throws Exception {
        ScriptedReplica server = server();
        server.metrics = metrics(1, 5, 100);
        start(SHORT, server);
        lease(state("a"));
        eventually(() -> state("a").standing() == Standing.SUSPECT);
        long before = server.count("/metrics");
        eventually(() -> server.count("/metrics") >= before + 12);
        assertThat(state("a").standing()).isEqualTo(Standing.SUSPECT);
    }

    @Test
    void theLastReplicaOfAModelIsSuspectedAtMost() throws Exception {
        ScriptedReplica server = server();
        server.metrics = metrics(1, 5, 100);
        ScriptedReplica other = spareServer();
        other.models = ScriptedReplica.modelsAnswer("another");
        start(SHORT, server, other);
        lease(state("a"));
        eventually(() -> state("a").standing() == Standing.SUSPECT);
        long before = server.count("/metrics");
        eventually(() -> server.count("/metrics") >= before + 12);
        assertThat(state("a").standing()).isEqualTo(Standing.SUSPECT);
    }

    @Test
    void aReplicaThatMakesEmbeddingsIsAskedForOne() throws Exception {
        ScriptedReplica server = server();
        server.metrics = metrics(1, 5, 100);
        server.completions = NOT_FOUND;
        start(SHORT, server, spareServer());
        lease(state("a"));
        eventually(() -> state("a").standing() == Standing.STALLED);
        assertThat(state("a").standing()).isEqualTo(Standing.STALLED);
        // Metrics that move are no work, and an answer with status 404 is none.
        server.metrics = metrics(1, 6, 100);
        eventually(() -> server.count("/v1/embeddings") >= 1);
        assertThat(state("a").standing()).isEqualTo(Standing.STALLED);

        server.close();
        server.embeddings = ScriptedReplica.answer("200 OK", "{\"data\":[]}");
        server.reopen();
        eventually(() -> state("a").standing() == Standing.READY);
    }

    @Test
    void countersThatRiseBringItBack() throws Exception {
        ScriptedReplica server = server();
        server.metrics = metrics(1, 5, 100);
        start(SHORT, server, spareServer());
        lease(state("a"));
        eventually(() -> state("a").standing() == Standing.STALLED);
        server.metrics = metrics(1, 5, 101);
        eventually(() -> state("a").standing() == Standing.READY);
    }

    @Test
    void anotherProcessIsSeenByItsStartTime() throws Exception {
        ScriptedReplica server = server();
        server.metrics = metrics(1, 5, 100);
        start(SHORT, server, spareServer());
        lease(state("a"));
        eventually(() -> state("a").standing() == Standing.STALLED);
        server.metrics = metrics(2, 0, 0);
        eventually(() -> state("a").standing() == Standing.READY);
        assertThat(state("a").epoch()).isEqualTo(1);
        assertThat(log.lines).contains("INFO replica a: another process runs there");
    }

    @Test
    void metricsThatCannotBeReadAreNoError() throws Exception {
        ScriptedReplica server = server();
        start(SHORT, server, spareServer());
        lease(state("a")).output(System.nanoTime());
        @Nullable
        String[] unreadable = {
            null,
            NOT_FOUND,
            ScriptedReplica.answer("200 OK", "<html>"),
            "HTTP/1.1 200 OK\r\ncontent-length: 99999\r\n\r\nvllm:num_requests_running 1\n",
            ScriptedReplica.answer("200 OK", "vllm:num_requests_running 1\n".repeat(40_000)),
            "SSH-2.0\r\n\r\n"
        };
        for (@Nullable String answer : unreadable) {
            server.metrics = answer;
            long before = server.count("/metrics");
            eventually(() -> server.count("/metrics") >= before + (answer == null ? 1 : 2));
        }
        assertThat(state("a").engine().gauges()).isNull();
        assertThat(log.lines).noneMatch(line -> line.startsWith("ERROR"));
        assertThat(state("a").standing()).isIn(Standing.READY, Standing.SUSPECT);
    }

    @Test
    void zeroReadsNothing() throws Exception {
        ScriptedReplica server = server();
        server.metrics = metrics(1, 5, 100);
        start(new Progress(Duration.ZERO, Duration.ZERO), server);
        lease(state("a"));
        awaitProbes(server, 60);
        assertThat(server.count("/metrics")).isZero();
        assertThat(state("a").standing()).isEqualTo(Standing.READY);
    }

    @Test
    void aClosedPortIsHarderEvidenceThanSilenceAndANewProcessBeginsAnew() throws Exception {
        ScriptedReplica server = server();
        server.metrics = metrics(1, 5, 100);
        start(SHORT, server, spareServer());
        Lease lease = lease(state("a"));
        eventually(() -> state("a").standing() == Standing.STALLED);
        server.close();
        eventually(() -> state("a").standing() == Standing.REFUSED);
        lease.end(Outcome.FAILED);
        server.reopen();
        eventually(() -> state("a").standing() == Standing.READY);
        assertThat(state("a").epoch()).isEqualTo(1);
    }

    private void start(Progress progress, ScriptedReplica... members) throws Exception {
        Replica[] replicas = new Replica[members.length];
        for (int i = 0; i < members.length; i++) {
            replicas[i] = plain(i == 0 ? "a" : "b", members[i].port());
        }
        PenstockConfig config = config(QUICK, progress, replicas);
        deploy(config, PACE);
        eventually(() -> live.current().members().stream().allMatch(UpstreamState::usable));
    }

    private ScriptedReplica spareServer() throws Exception {
        return server();
    }

    private static void awaitProbes(ScriptedReplica server, int more) throws InterruptedException {
        long before = server.count("/health");
        eventually(() -> server.count("/health") >= before + more);
    }

    private static Lease lease(UpstreamState state) {
        return Objects.requireNonNull(state.lease(System.nanoTime(), 100, () -> {}, /* panic= */ false));
    }

    private static String metrics(int started, int running, int generated) {
        return ScriptedReplica.answer(
                "200 OK",
                "process_start_time_seconds " + started + ".5\n"
                        + "vllm:num_requests_running{engine=\"0\",model_name=\"demo\"} " + running + ".0\n"
                        + "vllm:generation_tokens_total{engine=\"0\",model_name=\"demo\"} " + generated + ".0\n"
                        + "vllm:request_success_total{engine=\"0\",model_name=\"demo\"} 3.0\n");
    }
}
