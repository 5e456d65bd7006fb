package io.penstock.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.upstream.Ejection.Cause;
import io.penstock.upstream.Ejection.Phase;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class EjectionTest {

    private final UpstreamState state = Fleet.ready("a");
    private final Ejection ejection = new Ejection(Cause.SHARE, "12 of 20 requests failed; out for 1.0 s");

    @Test
    void anEjectedReplicaGivesNoLeaseBeforeItsTimeIsUp() {
        state.conduct().eject(ejection);

        assertThat(state.standing()).isEqualTo(Standing.EJECTED);
        assertThat(state.reason()).isEqualTo("12 of 20 requests failed; out for 1.0 s");
        assertThat(state.usable()).isFalse();
        assertThat(state.accepting()).isTrue();
        assertThat(state.lease(0, () -> {})).isNull();
        assertThat(state).hasToString("a EJECTED");
        assertThat(ejection.cause().label()).isEqualTo("share");
    }

    @Test
    void oneRequestAtATimeIsOnTrial() {
        state.conduct().eject(ejection);
        ejection.open();

        Lease trial = Fleet.lease(state);
        assertThat(trial.onTrial()).isTrue();
        assertThat(state.lease(0, () -> {})).isNull();
        assertThat(state.reason()).endsWith("; on trial now");

        trial.end(Outcome.IGNORED);
        assertThat(Fleet.lease(state).onTrial()).isTrue();
        assertThat(state.usable()).as("in rotation").isFalse();
    }

    @RepeatedTest(20)
    void ofEightThreadsOneGetsTheTrial() throws Exception {
        state.conduct().eject(ejection);
        ejection.open();

        List<Boolean> got = Threads.race(8, i -> () -> state.lease(0, () -> {}) != null);

        assertThat(got).containsOnlyOnce(true);
        assertThat(state.inFlight()).isEqualTo(1);
    }

    @ParameterizedTest
    @CsvSource({
        "COMPLETED, false, PASSED",
        "COMPLETED, true, OPEN",
        "FAILED, false, FAILED",
        "FAILED, true, FAILED",
        "IGNORED, false, OPEN"
    })
    void theTrialIsDecidedByWhatSaysSomething(Outcome outcome, boolean provesNothing, Phase after) {
        state.conduct().eject(ejection);
        ejection.open();
        Lease trial = Fleet.lease(state);
        if (provesNothing) {
            trial.provesNothing();
        }

        trial.end(outcome);

        assertThat(ejection.phase()).isEqualTo(after);
        assertThat(state.count(outcome)).isEqualTo(1);
    }

    @Test
    void aTrialIsGivenBackWhenTheReplicaIsFull() {
        UpstreamState full = Fleet.ready("a", 1, 1);
        Lease old = Fleet.lease(full);
        full.conduct().eject(ejection);
        ejection.open();

        assertThat(full.lease(0, () -> {})).isNull();
        assertThat(ejection.phase()).isEqualTo(Phase.OPEN);

        old.end(Outcome.COMPLETED);
        assertThat(ejection.phase()).as("what ran before decides nothing").isEqualTo(Phase.OPEN);
        assertThat(Fleet.lease(full).onTrial()).isTrue();
    }

    @Test
    void aTrialOfTheProcessBeforeDecidesNothing() {
        state.conduct().eject(ejection);
        ejection.open();
        Lease trial = Fleet.lease(state);

        state.restarted();
        assertThat(state.standing()).isEqualTo(Standing.READY);
        trial.end(Outcome.FAILED);

        assertThat(state.count(Outcome.IGNORED)).isEqualTo(1);
        assertThat(state.conduct().faultsInRow()).isZero();
    }

    @Test
    void inAPanicAnyNumberOfRequestsGoToAnEjectedReplica() {
        state.conduct().eject(ejection);

        Lease first = Objects.requireNonNull(state.lease(0, 0, () -> {}, /* panic= */ true));
        Lease second = Objects.requireNonNull(state.lease(0, 0, () -> {}, /* panic= */ true));

        assertThat(first.onTrial() || second.onTrial()).isFalse();
        first.end(Outcome.COMPLETED);
        assertThat(state.standing()).isEqualTo(Standing.EJECTED);
    }

    @ParameterizedTest
    @EnumSource(names = "READY", mode = EnumSource.Mode.EXCLUDE)
    void whatProbesSayOfAnEjectedReplicaIsWhatPeopleSee(Standing probed) {
        state.conduct().eject(ejection);
        state.judge(probed, "as probes say");

        assertThat(state.standing()).isEqualTo(probed);
        assertThat(state.reason()).isEqualTo("as probes say");
        assertThat(state.accepting()).isFalse();
    }

    @Test
    void anEjectedReplicaIsStillTakenOutByARefusedConnection() {
        state.conduct().eject(ejection);

        assertThat(state.refuse("refused")).isTrue();
        assertThat(state.standing()).isEqualTo(Standing.REFUSED);
    }
}
