package io.penstock.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class BacklogTest {

    private static final long SECOND = 1_000_000_000;
    private static final double UNKNOWN = 5;

    private long now = 5 * SECOND;
    private final Backlog backlog = new Backlog(() -> now);

    @Test
    void nothingIsKnownOfARoomInWhichNobodyHasWaited() {
        pass(100);

        assertThat(backlog.waitSeconds(UNKNOWN)).isEqualTo(UNKNOWN);
        assertThat(backlog.count()).isZero();
    }

    @Test
    void aSteadyDrainTellsHowLongThoseWhoWaitTake() {
        join(50);
        drain(60, 4, 4); // Four come and four go each second.

        assertThat(backlog.count()).isEqualTo(50);
        assertThat(backlog.waitSeconds(UNKNOWN)).isCloseTo(51 / 4.0, within(0.5));
    }

    @Test
    void whatHappensNowCountsMost() {
        join(10);
        drain(120, 1, 1);
        drain(60, 8, 8);

        assertThat(backlog.waitSeconds(UNKNOWN)).isBetween(11 / 8.0, 11 / 6.0);
    }

    @Test
    void timeInWhichNobodyWaitsSaysNothing() {
        join(20);
        drain(10, 0, 2);
        assertThat(backlog.count()).isZero();
        pass(3_600);
        join(20);

        assertThat(backlog.waitSeconds(UNKNOWN)).isCloseTo(21 / 2.0, within(0.5));
    }

    @Test
    void aStalledDrainTakesAtLeastAsLongAgain() {
        join(10);
        drain(60, 10, 10);
        assertThat(backlog.waitSeconds(UNKNOWN)).isLessThan(2);

        pass(20);
        assertThat(backlog.waitSeconds(UNKNOWN)).isCloseTo(20, within(0.1));
        pass(300);
        assertThat(backlog.waitSeconds(UNKNOWN)).isGreaterThan(300);
    }

    @Test
    void aRoomThatHasServedNobodyYetTakesAsLongAgain() {
        join(3);
        pass(2);
        assertThat(backlog.waitSeconds(UNKNOWN)).isEqualTo(UNKNOWN);

        pass(30);
        assertThat(backlog.waitSeconds(UNKNOWN)).isEqualTo(32);
    }

    @Test
    void aStallEndsWithTheLastWhoWaits() {
        join(1);
        pass(40);
        backlog.left();
        assertThat(backlog.count()).isZero();
        assertThat(backlog.waitSeconds(UNKNOWN)).isEqualTo(UNKNOWN);

        join(1);
        assertThat(backlog.waitSeconds(UNKNOWN)).isEqualTo(UNKNOWN);
    }

    @Test
    void oneTurnInTheFirstInstantIsNoRateYet() {
        join(10);
        backlog.served(1);

        assertThat(backlog.waitSeconds(UNKNOWN)).isCloseTo(10, within(0.1));
    }

    private void join(int number) {
        for (int i = 0; i < number; i++) {
            backlog.joined();
        }
    }

    /** Each second so many come and so many get their turn. */
    private void drain(int seconds, int coming, int going) {
        for (int i = 0; i < seconds; i++) {
            pass(1);
            join(coming);
            backlog.served(going);
        }
    }

    private void pass(int seconds) {
        now += seconds * SECOND;
    }
}
