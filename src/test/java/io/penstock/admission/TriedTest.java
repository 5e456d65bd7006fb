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
        Tried tried = Tried.NOBODY.with(a);

        assertThat(tried.allows(a)).isFalse();
        assertThat(tried.allows(b)).isTrue();
        assertThat(tried.with(b).allows(a)).isFalse();
        assertThat(tried.with(b).allows(b)).isFalse();
    }

    @Test
    void addingOneLeavesTheOthersViewAlone() {
        Tried first = Tried.NOBODY.with(a);
        first.with(b);

        assertThat(first.allows(b)).isTrue();
        assertThat(Tried.NOBODY.allows(a)).isTrue();
    }

    @Test
    void aPassedProbeMakesItANewTry() {
        a.probePassed();
        Tried tried = Tried.NOBODY.with(a).with(b);

        a.probePassed();

        assertThat(tried.allows(a)).isTrue();
        assertThat(tried.allows(b)).isFalse();
    }

    @Test
    void theLatestFailureCounts() {
        Tried once = Tried.NOBODY.with(a);
        a.probePassed();
        Tried twice = once.with(a);

        assertThat(once.allows(a)).isTrue();
        assertThat(twice.allows(a)).isFalse();
    }
}
