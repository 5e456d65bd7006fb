package io.penstock.health;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.config.Endpoint;
import io.penstock.config.PenstockConfig;
import io.penstock.config.Replica;
import io.penstock.upstream.Standing;
import io.penstock.upstream.UpstreamState;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

/** How the models of a replica are learned. */
class ReplicaModelsTest extends ProbeStage {

    @Test
    void modelsAreReadBeforeItIsReady() throws Exception {
        ScriptedReplica server = server();
        server.models = null;
        Pace patient = new Pace(NEVER, Duration.ofMillis(300), NEVER, Duration.ZERO, Duration.ofMillis(400), NEVER);

        deploy(config(SLOW, plain("vllm0", server.port())), patient);
        UpstreamState vllm0 = state("vllm0");
        eventually(() -> server.count("/v1/models") == 1);
        assertThat(vllm0.standing()).isEqualTo(Standing.STARTING);

        eventually(vllm0::usable);
        assertThat(vllm0.knownModels()).as("mute, so unknown").isNull();
    }

    @Test
    void modelsAreKnownWhenItIsReady() throws Exception {
        ScriptedReplica server = server();
        List<Boolean> served = new CopyOnWriteArrayList<>();
        ProbeVerticle.CHANGES.subscribe(
                vertx.eventBus(), change -> served.add(change.upstream().serves("demo")));

        deploy(config(SLOW, plain("vllm0", server.port())), STILL);

        eventually(() -> !served.isEmpty());
        assertThat(served).containsExactly(true);
        assertThat(server.requests).containsExactly("/health", "/v1/models");
    }

    @Test
    void modelsAreReadAgainAndMuteIsNotUnreadable() throws Exception {
        ScriptedReplica server = server();
        PenstockConfig.Probe often =
                new PenstockConfig.Probe(Duration.ofMillis(20), Duration.ofSeconds(5), 3, 2, Duration.ofMillis(40));
        Pace shortModels = new Pace(
                PACE.resolveEvery(),
                PACE.resolveBound(),
                PACE.eagerInterval(),
                Duration.ZERO,
                Duration.ofMillis(60),
                PACE.beat());
        deploy(config(often, plain("vllm0", server.port())), shortModels);
        UpstreamState vllm0 = state("vllm0");
        eventually(() -> Set.of("demo").equals(vllm0.knownModels()));

        server.models = ScriptedReplica.modelsAnswer("demo", "lora");
        eventually(() -> Boolean.TRUE.equals(vllm0.serves("lora")));

        server.models = null;
        server.requests.clear();
        eventually(() -> server.count("/v1/models") >= 3);
        assertThat(vllm0.serves("lora")).as("a busy replica keeps its models").isTrue();

        server.models = ScriptedReplica.answer("401 Unauthorized", "{\"error\":\"Unauthorized\"}");
        eventually(() -> vllm0.knownModels() == null);
        assertThat(vllm0.standing()).isEqualTo(Standing.READY);
    }

    @Test
    void configuredModelsAreNotAskedFor() throws Exception {
        ScriptedReplica server = server();
        Replica fixed = new Replica(
                "vllm0", new Endpoint("127.0.0.1", server.port()), false, false, 1, 0, Set.of("mine"), null);

        deploy(config(QUICK, fixed), PACE);
        eventually(() -> server.count("/health") >= 4);

        assertThat(server.count("/v1/models")).isZero();
        assertThat(state("vllm0").serves("mine")).isTrue();
    }

    @Test
    void unreadableModelsAmongKnownOnesAreWarnedOfOnce() throws Exception {
        ScriptedReplica known = server();
        ScriptedReplica guarded = server();
        guarded.models = ScriptedReplica.answer("401 Unauthorized", "{\"error\":\"Unauthorized\"}");
        PenstockConfig.Probe often =
                new PenstockConfig.Probe(Duration.ofMillis(20), Duration.ofSeconds(5), 3, 2, Duration.ofMillis(20));

        deploy(config(often, plain("vllm0", known.port()), plain("vllm1", guarded.port())), PACE);
        eventually(() -> guarded.count("/v1/models") >= 4 && known.count("/v1/models") >= 4);

        assertThat(log.lines.stream().filter(line -> line.startsWith("WARN the models of [vllm1] are unknown")))
                .hasSize(1);
    }
}
