package io.penstock.health;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.config.PenstockConfig;
import io.penstock.upstream.Ejection;
import io.penstock.upstream.Fleet;
import io.penstock.upstream.Outcome;
import io.penstock.upstream.Standing;
import io.penstock.upstream.UpstreamState;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the probe verticle does about requests that fail, and what it says. */
class ConductWatchTest extends ProbeStage {

    private static final PenstockConfig.Ejection QUICKLY =
            new PenstockConfig.Ejection(5, Duration.ofSeconds(30), 50, 20, Duration.ofMillis(100), NEVER);
    private static final PenstockConfig.Ejection FOR_LONG =
            new PenstockConfig.Ejection(5, Duration.ofSeconds(30), 50, 20, NEVER, NEVER);
    private static final PenstockConfig.Ejection OFF =
            new PenstockConfig.Ejection(0, Duration.ofSeconds(30), 0, 20, NEVER, NEVER);

    @SuppressWarnings("NullAway.Init") // Opened before each test.
    private ScriptedReplica one;

    @SuppressWarnings("NullAway.Init") // Opened before each test.
    private ScriptedReplica two;

    @BeforeEach
    void open() throws Exception {
        one = server();
        two = server();
    }

    private PenstockConfig with(PenstockConfig.Ejection ejection) {
        return config(QUICK, ejection, plain("vllm0", one.port()), plain("vllm1", two.port()));
    }

    private UpstreamState start(PenstockConfig.Ejection ejection) throws Exception {
        deploy(with(ejection), PACE);
        eventually(() -> state("vllm0").usable() && state("vllm1").usable());
        return state("vllm0");
    }

    private void fail(UpstreamState state, int requests) {
        for (int i = 0; i < requests; i++) {
            Fleet.lease(state).end(Outcome.FAILED);
            if (state.conduct().tell()) {
                ProbeVerticle.INCIDENTS.publish(vertx.eventBus(), new Incident(state));
            }
        }
    }

    private void trial(UpstreamState state, Outcome outcome) {
        Objects.requireNonNull(state.lease(0, () -> {}), "no trial").end(outcome);
        ProbeVerticle.INCIDENTS.publish(vertx.eventBus(), new Incident(state));
    }

    @Test
    void theLogSaysWhyForHowLongAndWhatCameOfIt() throws Exception {
        UpstreamState vllm0 = start(QUICKLY);
        assertThat(vllm0.conduct().ramp().active()).as("at the start").isFalse();
        fail(vllm0, 5);
        eventually(() -> said("INFO replica vllm0: READY → EJECTED (5 faults in a row; out for 0.1 s)"));
        eventually(() -> said("INFO replica vllm0 gets one request on trial"));

        trial(vllm0, Outcome.FAILED);
        eventually(() -> said("INFO replica vllm0 stays EJECTED (its trial failed; out for 0.2 s)"));
        eventually(() -> phase(vllm0) == Ejection.Phase.OPEN);
        trial(vllm0, Outcome.COMPLETED);

        eventually(() -> said("INFO replica vllm0: EJECTED → READY (completed a request on trial)"));
        assertThat(vllm0.conduct().ramp().active())
                .as("back while another works")
                .isTrue();
        eventually(() -> flips().contains("READY>EJECTED") && flips().contains("EJECTED>READY"));
    }

    private static Ejection.@Nullable Phase phase(UpstreamState state) {
        Ejection out = state.conduct().ejection();
        return out == null ? null : out.phase();
    }

    private boolean said(String line) {
        return log.lines.contains(line);
    }

    @Test
    void passedProbesDoNotEndAnEjectionAndARestartDoes() throws Exception {
        UpstreamState vllm0 = start(FOR_LONG);
        fail(vllm0, 5);
        eventually(() -> vllm0.standing() == Standing.EJECTED);
        long passed = vllm0.passedProbes();
        eventually(() -> vllm0.passedProbes() > passed + 3);
        assertThat(vllm0.standing()).isEqualTo(Standing.EJECTED);

        one.health = ScriptedReplica.Manner.RESET;
        eventually(() -> vllm0.standing() == Standing.REFUSED);
        one.health = ScriptedReplica.Manner.FINE;
        eventually(vllm0::usable);
        assertThat(vllm0.conduct().ramp().active()).isTrue();
    }

    @Test
    void switchingItOffBringsEveryoneBack() throws Exception {
        UpstreamState vllm0 = start(FOR_LONG);
        fail(vllm0, 5);
        eventually(() -> vllm0.standing() == Standing.EJECTED);

        CONFIGS.publish(vertx.eventBus(), with(OFF));
        eventually(vllm0::usable);
        fail(vllm0, 30);
        assertThat(vllm0.standing()).isEqualTo(Standing.READY);
    }

    @Test
    void aPanicIsWarnedOfOnce() throws Exception {
        UpstreamState vllm0 = start(FOR_LONG);
        fail(vllm0, 5);
        eventually(() -> vllm0.standing() == Standing.EJECTED);
        two.health = ScriptedReplica.Manner.RESET;
        eventually(() -> log.lines.stream().anyMatch(line -> line.startsWith("WARN panic: ")));
        long probes = one.count("/health");
        eventually(() -> one.count("/health") > probes + 5);
        two.health = ScriptedReplica.Manner.FINE;
        eventually(() -> said("INFO the panic is over"));

        assertThat(log.lines.stream().filter(line -> line.startsWith("WARN panic: ")))
                .hasSize(1);
    }

    @Test
    void aReplicaThatWasRemovedComesBackClean() throws Exception {
        UpstreamState vllm0 = start(FOR_LONG);
        fail(vllm0, 5);
        eventually(() -> vllm0.standing() == Standing.EJECTED);
        CONFIGS.publish(vertx.eventBus(), config(QUICK, FOR_LONG, plain("vllm1", two.port())));
        eventually(vllm0::removed);
        // A notice that was under way does no harm.
        ProbeVerticle.INCIDENTS.publish(vertx.eventBus(), new Incident(vllm0));

        CONFIGS.publish(vertx.eventBus(), with(FOR_LONG));
        eventually(vllm0::usable);
        assertThat(vllm0.conduct().ejection()).isNull();
    }
}
