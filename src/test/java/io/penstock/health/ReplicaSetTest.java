package io.penstock.health;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.config.PenstockConfig;
import io.penstock.health.ScriptedReplica.Manner;
import io.penstock.upstream.Discovery;
import io.penstock.upstream.Standing;
import io.penstock.upstream.UpstreamState;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

/** Which replicas there are, as configuration and names change. */
class ReplicaSetTest extends ProbeStage {

    @Test
    void aRemovedReplicaIsNoLongerProbedAndOneThatStaysKeepsItsState() throws Exception {
        ScriptedReplica stays = server();
        ScriptedReplica leaves = server();
        deploy(config(QUICK, plain("vllm0", stays.port()), plain("vllm1", leaves.port())), PACE);
        UpstreamState vllm0 = state("vllm0");
        UpstreamState vllm1 = state("vllm1");
        eventually(() -> vllm0.usable() && vllm1.usable());

        CONFIGS.publish(vertx.eventBus(), config(QUICK, plain("vllm0", stays.port())));
        eventually(vllm1::removed);
        eventually(() -> leaves.concurrent.get() == 0);
        stays.requests.clear();
        leaves.requests.clear();
        eventually(() -> stays.count("/health") >= 5);

        assertThat(leaves.requests).isEmpty();
        assertThat(live.current().members()).containsExactly(vllm0);
        assertThat(log.lines).contains("INFO replica vllm1 left (0 requests still running)");

        CONFIGS.publish(vertx.eventBus(), config(QUICK, plain("vllm0", stays.port()), plain("vllm1", leaves.port())));
        eventually(vllm1::usable);
        assertThat(live.current().members()).containsExactly(vllm0, vllm1);
        eventually(() -> sets.size() == 3);
    }

    @Test
    void newProbeSettingsApplyToTheNextProbe() throws Exception {
        ScriptedReplica server = server();
        deploy(config(SLOW, plain("vllm0", server.port())), STILL);
        UpstreamState vllm0 = state("vllm0");
        eventually(vllm0::usable);

        server.health = Manner.UNAVAILABLE;
        PenstockConfig.Probe strict =
                new PenstockConfig.Probe(Duration.ofMillis(20), Duration.ofSeconds(5), 1, 1, NEVER);
        CONFIGS.publish(vertx.eventBus(), config(strict, plain("vllm0", server.port())));
        eventually(() -> vllm0.standing() == Standing.FAILING);
        server.health = Manner.FINE;

        eventually(vllm0::usable);
        assertThat(state("vllm0")).isSameAs(vllm0);
    }

    @Test
    void aNameThatStartsToResolveJoins() throws Exception {
        ScriptedReplica server = server();

        deploy(config(QUICK, named("vllm0", "vllm0.test", server.port()), every("pool.test", server.port())), PACE);
        assertThat(live.current().members()).hasSize(1);
        UpstreamState vllm0 = state("vllm0");
        assertThat(vllm0.reason()).isEqualTo("its name does not resolve");
        assertThat(vllm0.usable()).isFalse();
        names.put("vllm0.test", List.of("127.0.0.1"));
        eventually(vllm0::usable);
        names.put("pool.test", List.of("127.0.0.2", "127.0.0.3"));

        eventually(() -> live.current().members().size() == 3);
        assertThat(live.current().members())
                .extracting(UpstreamState::name)
                .containsExactly("vllm0", "pool.test-1", "pool.test-2");
        assertThat(log.lines)
                .contains(
                        "INFO replica vllm0 joined (vllm0.test does not resolve yet)",
                        "INFO replica vllm0 found (127.0.0.1:" + server.port() + ")",
                        "INFO replica pool.test-1 joined (127.0.0.2:" + server.port() + ")");
    }

    @Test
    void anAddressThatVanishedFromAnAnswerLeavesAndAFailedAnswerChangesNothing() throws Exception {
        ScriptedReplica server = server();
        names.put("pool.test", List.of("127.0.0.1", "127.0.0.2"));
        deploy(config(QUICK, every("pool.test", server.port())), PACE);
        UpstreamState first = state("pool.test-1");
        eventually(first::usable);

        names.remove("pool.test");
        eventually(() -> log.lines.stream().anyMatch(line -> line.contains("pool.test does not resolve")));
        assertThat(live.current().members()).hasSize(2);
        names.put("pool.test", List.of("127.0.0.1"));

        eventually(() -> live.current().members().equals(List.of(first)));
        assertThat(first.usable()).isTrue();
    }

    @Test
    void aReplicaThatMovedIsAskedAgainBeforeItGetsWork() throws Exception {
        ScriptedReplica old = server();
        ScriptedReplica next = new ScriptedReplica("127.0.0.2", old.port());
        servers.add(next);
        names.put("vllm0.test", List.of("127.0.0.1"));
        deploy(config(QUICK, named("vllm0", "vllm0.test", old.port())), PACE);
        UpstreamState vllm0 = state("vllm0");
        eventually(vllm0::usable);
        assertThat(next.requests).isEmpty();

        names.put("vllm0.test", List.of("127.0.0.2"));
        eventually(() -> next.count("/health") >= 2 && vllm0.usable());

        assertThat(vllm0.epoch()).as("another process").isEqualTo(1);
        eventually(() -> changes.size() == 3);
        assertThat(flips()).containsExactly("STARTING>READY", "READY>STARTING", "STARTING>READY");
        assertThat(log.lines)
                .contains("INFO replica vllm0 moved (127.0.0.1:" + old.port() + " → 127.0.0.2:" + old.port() + ")");
    }

    @Test
    void theAddressThatAnswersBecomesTheFirst() throws Exception {
        ScriptedReplica server = server();
        names.put("vllm0.test", List.of("127.0.0.9", "127.0.0.1"));

        deploy(config(QUICK, named("vllm0", "vllm0.test", server.port())), PACE);
        UpstreamState vllm0 = state("vllm0");
        eventually(vllm0::usable);

        assertThat(vllm0.identity().addresses()).containsExactly("127.0.0.1", "127.0.0.9");
        eventually(() -> server.count("/health") >= 4);
        assertThat(vllm0.epoch()).isZero();
        assertThat(log.lines).contains("INFO replica vllm0 is reached at 127.0.0.1 instead of 127.0.0.9");
    }

    @Test
    void aNameServiceThatHangsHoldsUpNobodyButItsOwnNames() throws Exception {
        ScriptedReplica server = server();
        CountDownLatch hanging = new CountDownLatch(1);
        Discovery.Resolver plain = resolver;
        resolver = host -> {
            if (host.equals("hung.test")) {
                try {
                    hanging.await();
                } catch (InterruptedException undeployed) {
                    throw new UnknownHostException("interrupted");
                }
            }
            return plain.addresses(host);
        };
        names.put("vllm0.test", List.of("127.0.0.1"));
        names.put("hung.test", List.of("127.0.0.2"));

        deploy(
                config(QUICK, named("vllm0", "vllm0.test", server.port()), named("vllm1", "hung.test", server.port())),
                PACE);
        eventually(state("vllm0")::usable);
        assertThat(log.lines)
                .contains("WARN name hung.test does not resolve: no answer within 300 ms; nothing is routed there"
                        + " until it does");
        names.put("vllm0.test", List.of("127.0.0.3"));
        eventually(() -> state("vllm0").identity().addresses().contains("127.0.0.3"));
        hanging.countDown();

        eventually(() -> state("vllm1").identity().addresses().contains("127.0.0.2"));
    }

    @Test
    void showsThatItTurns() throws Exception {
        ProbeVerticle verticle = deploy(config(QUICK), PACE);

        eventually(() -> verticle.silentFor().compareTo(Duration.ofMillis(15)) < 0);
        await(vertx.undeploy(vertx.deploymentIDs().iterator().next()));
        eventually(() -> verticle.silentFor().compareTo(Duration.ofMillis(200)) > 0);
    }
}
