package io.penstock.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.upstream.EngineActivity.Suspicion;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OpinionTest {

    private final UpstreamState state = Fleet.ready("a");

    /** What probes, progress and requests say, and what is shown, in which words, and what it is good for. */
    @ParameterizedTest
    @CsvSource({
        "READY,           , false, READY,   fine,      true,  true,  false",
        "READY,    SUSPECT, false, SUSPECT, no token,  false, true,  true",
        "READY,    STALLED, false, STALLED, no token,  false, false, false",
        "READY,           , true,  EJECTED, 5 faults,  false, true,  false",
        "READY,    SUSPECT, true,  EJECTED, 5 faults,  false, true,  false",
        "READY,    STALLED, true,  STALLED, no token,  false, false, false",
        "FAILING,         , false, FAILING, fine,      false, false, false",
        "REFUSED,  STALLED, true,  REFUSED, fine,      false, false, false",
    })
    void theWorstForNewWorkIsShown(
            Standing probed,
            @Nullable Standing progress,
            boolean ejected,
            Standing shown,
            String reason,
            boolean usable,
            boolean accepting,
            boolean lastResort) {
        state.judge(probed, "fine");
        state.engine().suspect(progress == null ? null : new Suspicion(progress, "no token"));
        state.conduct().eject(ejected ? new Ejection(Ejection.Cause.CONSECUTIVE, "5 faults") : null);

        assertThat(state.standing()).isEqualTo(shown);
        assertThat(state.reason()).isEqualTo(reason);
        assertThat(state.usable()).isEqualTo(usable);
        assertThat(state.accepting()).isEqualTo(accepting);
        assertThat(state.lastResort()).isEqualTo(lastResort);
    }

    @Test
    void anotherProcessIsNeitherSuspectedNorEjected() {
        state.engine().suspect(new Suspicion(Standing.STALLED, "no token"));
        state.conduct().eject(new Ejection(Ejection.Cause.CONSECUTIVE, "5 faults"));

        state.restarted();

        assertThat(state.standing()).isEqualTo(Standing.READY);
        assertThat(state.epoch()).isEqualTo(1);
    }

    @Test
    void aSuspectedOneThatRefusesIsTakenOutOnce() {
        state.engine().suspect(new Suspicion(Standing.SUSPECT, "no token"));

        assertThat(state.refuse("refused a connection")).isTrue();
        assertThat(state.refuse("again")).isFalse();
        assertThat(state.standing()).isEqualTo(Standing.REFUSED);
        assertThat(state.reason()).isEqualTo("refused a connection");
    }
}
