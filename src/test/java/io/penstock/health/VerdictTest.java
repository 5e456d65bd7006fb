package io.penstock.health;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.upstream.Standing;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VerdictTest {

    /**
     * Events as + (passed), x (refused), - (failed), m (moved), and the standing after each as S (starting), U (ready),
     * R (refused), F (failing); U! is ready with a new epoch. Fall 3, rise 2.
     */
    @ParameterizedTest
    @CsvSource({
        // The first pass is enough, whatever came before it.
        "+++, U U U",
        "xx+, S S U",
        "-----+, S S S S S U",
        "x---x+, S S S S S U",
        // A closed port takes it out at once, and one pass brings another process back.
        "+x+, U R U!",
        "+xx+x+, U R R U! R U!",
        // Three failures in a row take it out, two passes in a row bring it back, and it is the same process.
        "+--+--+, U U U U U U U",
        "+---, U U U F",
        "+---++, U U U F F U",
        "+---+-++, U U U F F F F U",
        "+---+-+-, U U U F F F F F",
        // A closed port is stronger evidence than silence.
        "+---x+, U U U F R U!",
        "+--x--+, U U U R R R U!",
        // Silence behind a port that was closed needs two passes, and the process is another all the same.
        "+x---++, U R R R F F U!",
        "+x---x+, U R R R F R U!",
        // Refusals between failures do not add up with them.
        "+--x+--+, U U U R U! U U U",
        // The epoch begins once.
        "+x++---++, U R U! U U U F F U",
        // Elsewhere is another process.
        "+m+, U S U!",
        "m+, S U",
        "+xm+, U R S U!",
        "+---m+, U U U F S U!",
        "+m---+, U S S S S U!",
        // One that says it is leaving passes its probes until its port closes, and then another process comes up.
        "+l+++x+, U L L L L R U!",
        // Its engine is dead: it fails its probes, closes its port, comes back.
        "+l+---x+, U L L L L F R U!",
        "+l---++, U L L L F F U",
        // A word of a replica that is out anyway changes nothing.
        "+xl+, U R R U!",
    })
    void movesAsTheTableSays(String events, String standings) {
        var verdict = new Verdict(3, 2, false);

        assertThat(replay(verdict, events)).isEqualTo(standings);
    }

    @ParameterizedTest
    @CsvSource({"1, 1, +-+, U F U", "1, 3, +-+++, U F F F U", "2, 1, +--+, U U F U"})
    void thresholdsCount(int fall, int rise, String events, String standings) {
        assertThat(replay(new Verdict(fall, rise, false), events)).isEqualTo(standings);
    }

    @ParameterizedTest
    @CsvSource({"x+, S U!", "+, U", "-+, S U"})
    void aReplicaThatWasReadyUnderAnEarlierVerdictIsRestartedIfItsPortWasClosed(String events, String standings) {
        assertThat(replay(new Verdict(3, 2, true), events)).isEqualTo(standings);
    }

    @Test
    void aReplicaThatDidNotMeanToLeaveIsBackAfterManyPasses() {
        var verdict = new Verdict(3, 2, false);

        assertThat(replay(verdict, "+l" + "+".repeat(59))).endsWith(" L");
        assertThat(replay(verdict, "+")).isEqualTo("U");
    }

    @Test
    void newThresholdsHoldFromTheNextEventOn() {
        var verdict = new Verdict(3, 2, false);
        replay(verdict, "+--");

        verdict.thresholds(3, 1);

        assertThat(replay(verdict, "-+")).isEqualTo("F U");
    }

    @Test
    void aFlipSaysWhatChangedAndWhy() {
        var verdict = new Verdict(3, 2, false);
        verdict.passed();

        assertThat(verdict.refused("connection refused"))
                .isEqualTo(new Verdict.Flip(Standing.READY, Standing.REFUSED, "connection refused", false));
        assertThat(verdict.refused("connection reset")).isNull();
        assertThat(verdict.reason()).isEqualTo("connection reset");
        assertThat(verdict.passed())
                .isEqualTo(new Verdict.Flip(Standing.REFUSED, Standing.READY, "passed its probe", true));
    }

    @Test
    void aRefusalAtStartReadsAsLoading() {
        var verdict = new Verdict(3, 2, false);

        verdict.refused("connection refused");

        assertThat(verdict.reason()).isEqualTo("connection refused: still loading?");
    }

    @Test
    void aSingleFailureOfAReadyReplicaDoesNotTouchItsReason() {
        var verdict = new Verdict(3, 2, false);
        verdict.passed();

        verdict.failed("503");

        assertThat(verdict.reason()).isEqualTo("passed its probe");
    }

    private static String replay(Verdict verdict, String events) {
        var seen = new StringBuilder();
        for (int i = 0; i < events.length(); i++) {
            char event = events.charAt(i);
            boolean raises = verdict.nextPassRaises();
            Verdict.Flip flip = switch (event) {
                case '+' -> verdict.passed();
                case 'x' -> verdict.refused("connection refused");
                case '-' -> verdict.failed("no answer");
                case 'm' -> verdict.reset("moved");
                case 'l' -> verdict.leaves("cannot schedule new futures");
                default -> throw new IllegalArgumentException(events);
            };
            if (event == '+') {
                assertThat(raises).isEqualTo(flip != null);
            }
            seen.append(
                    switch (verdict.standing()) {
                        case STARTING -> " S";
                        case READY -> " U";
                        case REFUSED -> " R";
                        case FAILING -> " F";
                        case LEAVING -> " L";
                        case EJECTED, SUSPECT, STALLED -> throw new AssertionError("not the probes' business");
                    });
            if (flip != null) {
                assertThat(flip.to()).isEqualTo(verdict.standing()).isNotEqualTo(flip.from());
                seen.append(flip.restarted() ? "!" : "");
            }
        }
        return seen.substring(1);
    }
}
