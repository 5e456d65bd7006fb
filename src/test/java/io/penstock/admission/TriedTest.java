package io.penstock.admission;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.upstream.Fleet;
import io.penstock.upstream.UpstreamState;
import org.junit.jupiter.api.Test;

class TriedTest {

    private final UpstreamState a = Fleet.ready("a");
    private final UpstreamState b = Fleet.ready("b");

    @Test
    void nobodyTriedRulesNobodyOut() {
        assertThat(Tried.NOBODY.allows(a)).isTrue();
    }

    @Test
    void whoFailedItDoesNotGetItAgain() {
        Tried tried = Tried.NOBODY.untilProbed(a);

        assertThat(tried.allows(a)).isFalse();
        assertThat(tried.allows(b)).isTrue();
        assertThat(tried.untilProbed(b).allows(a)).isFalse();
        assertThat(tried.untilProbed(b).allows(b)).isFalse();
    }

    @Test
    void addingOneLeavesTheOthersViewAlone() {
        Tried first = Tried.NOBODY.untilProbed(a);
        first.untilProbed(b);

        assertThat(first.allows(b)).isTrue();
        assertThat(Tried.NOBODY.allows(a)).isTrue();
    }

    @Test
    void aPassedProbeMakesItANewTry() {
        a.probePassed();
        Tried tried = Tried.NOBODY.untilProbed(a).untilProbed(b);

        a.probePassed();

        assertThat(tried.allows(a)).isTrue();
        assertThat(tried.allows(b)).isFalse();
    }

    @Test
    void theLatestFailureCounts() {
        Tried once = Tried.NOBODY.untilProbed(a);
        a.probePassed();
        Tried twice = once.untilProbed(a);

        assertThat(once.allows(a)).isTrue();
        assertThat(twice.allows(a)).isFalse();
    }

    @Test
    void whoIsLeavingGetsItAgainOnlyAsAnotherProcess() {
        Tried tried = Tried.NOBODY.untilRestart(a);
        a.probePassed();

        assertThat(tried.allows(a)).isFalse();
        assertThat(tried.allows(b)).isTrue();
        a.restarted();
        assertThat(tried.allows(a)).isTrue();
    }

    @Test
    void whoAnsweredWithAnErrorNeverGetsItAgain() {
        Tried tried = Tried.NOBODY.forGood(a);
        a.probePassed();
        a.restarted();

        assertThat(tried.allows(a)).isFalse();
        assertThat(tried.allows(b)).isTrue();
    }
}
