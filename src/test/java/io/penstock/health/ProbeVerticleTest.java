package io.penstock.health;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.config.PenstockConfig;
import io.penstock.health.ScriptedReplica.Manner;
import io.penstock.upstream.Standing;
import io.penstock.upstream.UpstreamState;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** How a replica is judged. */
class ProbeVerticleTest extends ProbeStage {

    @Test
    void theFirstPassBringsAReplicaIn() throws Exception {
        ScriptedReplica server = server();

        deploy(config(QUICK, plain("vllm0", server.port())), PACE);
        UpstreamState vllm0 = state("vllm0");

        eventually(vllm0::usable);
        assertThat(vllm0.epoch()).isZero();
        assertThat(vllm0.passedProbes()).isPositive();
        eventually(() -> changes.size() == 1);
        assertThat(changes)
                .containsExactly(new ReplicaChange(vllm0, Standing.STARTING, Standing.READY, "passed its probe", true));
        assertThat(log.lines)
                .contains("INFO replica vllm0 joined (127.0.0.1:" + server.port() + ")")
                .anySatisfy(line ->
                        assertThat(line).matches("INFO replica vllm0: STARTING → READY \\(after \\d+\\.\\d s\\)"));
        assertThat(sets).hasSize(1);
    }

    @Test
    void aLoadingReplicaIsStartingUntilItsPortOpens() throws Exception {
        ScriptedReplica server = server();
        server.close();

        deploy(config(QUICK, plain("vllm0", server.port())), PACE);
        UpstreamState vllm0 = state("vllm0");

        eventually(() -> vllm0.reason().equals("connection refused: still loading?"));
        assertThat(vllm0.standing()).isEqualTo(Standing.STARTING);
        server.reopen();
        eventually(vllm0::usable);
        assertThat(vllm0.epoch()).as("it was never ready before").isZero();
        eventually(() -> !changes.isEmpty());
        assertThat(flips()).containsExactly("STARTING>READY");
    }

    @Test
    void aRestartTakesItOutAtOnceAndBeginsANewEpoch() throws Exception {
        ScriptedReplica server = server();
        deploy(config(QUICK, plain("vllm0", server.port())), PACE);
        UpstreamState vllm0 = state("vllm0");
        eventually(vllm0::usable);

        server.close();
        eventually(() -> vllm0.standing() == Standing.REFUSED);
        server.reopen();
        eventually(vllm0::usable);

        assertThat(vllm0.epoch()).isEqualTo(1);
        eventually(() -> changes.size() == 3);
        assertThat(flips()).containsExactly("STARTING>READY", "READY>REFUSED", "REFUSED>READY");
        assertThat(log.lines.stream().filter(line -> line.contains("READY → REFUSED (connection re")))
                .hasSize(1);
    }

    @Test
    void badAnswersTakeItOutAfterThreeAndTwoPassesBringItBack() throws Exception {
        ScriptedReplica server = server();
        deploy(config(QUICK, plain("vllm0", server.port())), PACE);
        UpstreamState vllm0 = state("vllm0");
        eventually(vllm0::usable);

        server.requests.clear();
        server.health = Manner.UNAVAILABLE;
        eventually(() -> vllm0.standing() == Standing.FAILING);
        assertThat(server.requests).hasSizeGreaterThanOrEqualTo(3);
        assertThat(vllm0.reason()).isEqualTo("GET /health answered 503");
        server.requests.clear();
        server.health = Manner.FINE;
        eventually(vllm0::usable);

        assertThat(server.count("/health")).isGreaterThanOrEqualTo(2);
        assertThat(vllm0.epoch()).as("the process is the same").isZero();
        eventually(() -> changes.size() == 3);
        assertThat(flips()).containsExactly("STARTING>READY", "READY>FAILING", "FAILING>READY");
    }

    @Test
    void aResetOnAcceptIsARefusal() throws Exception {
        ScriptedReplica server = server();
        deploy(config(QUICK, plain("vllm0", server.port())), PACE);
        UpstreamState vllm0 = state("vllm0");
        eventually(vllm0::usable);

        server.health = Manner.RESET;

        eventually(() -> vllm0.standing() == Standing.REFUSED);
        assertThat(vllm0.reason()).startsWith("connection ");
    }

    @Test
    void aMuteReplicaFails() throws Exception {
        ScriptedReplica server = server();
        deploy(config(withTimeout(Duration.ofMillis(60)), plain("vllm0", server.port())), PACE);
        UpstreamState vllm0 = state("vllm0");
        eventually(vllm0::usable);

        server.health = Manner.MUTE;

        eventually(() -> vllm0.standing() == Standing.FAILING);
        assertThat(vllm0.reason()).isEqualTo("GET /health had no answer within 60 ms");
    }

    @Test
    void aMuteReplicaThatMakesTokensIsAliveUntilTheyStop() throws Exception {
        ScriptedReplica server = server();
        deploy(config(withTimeout(Duration.ofMillis(60)), plain("vllm0", server.port())), PACE);
        UpstreamState vllm0 = state("vllm0");
        eventually(vllm0::usable);
        long tokens = vertx.setPeriodic(5, id -> vllm0.progressed(System.nanoTime()));
        server.requests.clear();

        server.health = Manner.MUTE;
        eventually(() -> server.count("/health") >= 8);

        assertThat(vllm0.standing()).isEqualTo(Standing.READY);
        vertx.cancelTimer(tokens);
        eventually(() -> vllm0.standing() == Standing.FAILING);
    }

    @Test
    void aDoubtIsLookedIntoAtOnceAndReportedThoughNothingChanged() throws Exception {
        ScriptedReplica server = server();
        deploy(config(SLOW, plain("vllm0", server.port())), STILL);
        UpstreamState vllm0 = state("vllm0");
        eventually(() -> changes.size() == 1);

        ProbeVerticle.DOUBTS.publish(vertx.eventBus(), new Doubt(vllm0, "connection reset"));

        eventually(() -> changes.size() == 2);
        assertThat(changes.get(1))
                .isEqualTo(new ReplicaChange(vllm0, Standing.READY, Standing.READY, "passed its probe", true));
        assertThat(server.count("/health")).isEqualTo(2);
    }

    @Test
    void aRefusalByTheRequestPathIsPublishedThenProbed() throws Exception {
        ScriptedReplica server = server();
        deploy(config(SLOW, plain("vllm0", server.port())), STILL);
        UpstreamState vllm0 = state("vllm0");
        eventually(() -> changes.size() == 1);

        server.close();
        assertThat(vllm0.refuse("connection refused")).isTrue();
        ProbeVerticle.DOUBTS.publish(vertx.eventBus(), new Doubt(vllm0, "connection refused"));

        eventually(() -> changes.size() == 3);
        assertThat(changes.subList(1, 3))
                .containsExactly(
                        new ReplicaChange(vllm0, Standing.READY, Standing.REFUSED, "connection refused", false),
                        new ReplicaChange(vllm0, Standing.REFUSED, Standing.REFUSED, "connection refused", true));
        assertThat(log.lines).containsOnlyOnce("INFO replica vllm0: READY → REFUSED (connection refused)");
    }

    @Test
    void aRefusalNobodyReportedIsNoticedByTheNextProbe() throws Exception {
        ScriptedReplica server = server();
        deploy(config(QUICK, plain("vllm0", server.port())), PACE);
        UpstreamState vllm0 = state("vllm0");
        eventually(vllm0::usable);

        vllm0.refuse("connection refused");

        eventually(() -> changes.size() == 3);
        assertThat(flips()).containsExactly("STARTING>READY", "READY>REFUSED", "REFUSED>READY");
        assertThat(changes).extracting(ReplicaChange::probed).containsExactly(true, false, true);
        assertThat(vllm0.usable()).isTrue();
        assertThat(vllm0.epoch()).isEqualTo(1);
    }

    @Test
    void aPassThatWasAskedForBeforeARefusalSaysNothing() throws Exception {
        ScriptedReplica server = server();
        deploy(config(QUICK, plain("vllm0", server.port())), PACE);
        UpstreamState vllm0 = state("vllm0");
        eventually(vllm0::usable);
        server.health = Manner.HELD;
        eventually(() -> server.concurrent.get() == 1);

        server.health = Manner.UNAVAILABLE;
        vllm0.refuse("connection refused");
        server.letGo();

        eventually(() -> vllm0.standing() == Standing.FAILING);
        eventually(() -> changes.size() >= 4);
        assertThat(flips())
                .startsWith("STARTING>READY", "READY>REFUSED", "REFUSED>REFUSED")
                .doesNotContain("REFUSED>READY");
    }

    @Test
    void probesOfAReplicaNeverOverlapHoweverManyDoubts() throws Exception {
        ScriptedReplica server = server();
        deploy(config(withTimeout(Duration.ofMillis(50)), plain("vllm0", server.port())), PACE);
        UpstreamState vllm0 = state("vllm0");
        eventually(vllm0::usable);
        server.health = Manner.MUTE;

        server.requests.clear();
        for (int i = 0; i < 200; i++) {
            ProbeVerticle.DOUBTS.publish(vertx.eventBus(), new Doubt(vllm0, "timed out"));
        }
        eventually(() -> vllm0.standing() == Standing.FAILING);

        assertThat(server.mostConcurrent).hasValue(1);
        assertThat(server.count("/health")).isLessThan(10);
    }

    @Test
    void withTheTimesOfProductionARestartedReplicaIsBackWithinThreeSeconds() throws Exception {
        ScriptedReplica server = server();
        Random seed7 = new Random(7);
        PenstockConfig config = config(PenstockConfig.Probe.DEFAULT, plain("vllm0", server.port()));
        await(vertx.deployVerticle(
                new ProbeVerticle(config, CONFIGS, live, resolver, System::nanoTime, seed7::nextDouble)));
        UpstreamState vllm0 = state("vllm0");
        eventually(vllm0::usable);

        server.close();
        // Within the gap after the first probe, so it has to wait a moment.
        ProbeVerticle.DOUBTS.publish(vertx.eventBus(), new Doubt(vllm0, "connection reset"));
        eventually(() -> vllm0.standing() == Standing.REFUSED);
        server.reopen();
        long reopened = System.nanoTime();
        eventually(vllm0::usable);

        assertThat(Duration.ofNanos(System.nanoTime() - reopened)).isLessThan(Duration.ofSeconds(3));
    }
}
