package io.penstock.selection;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.upstream.Ejection;
import io.penstock.upstream.EngineActivity.Suspicion;
import io.penstock.upstream.Fleet;
import io.penstock.upstream.Standing;
import io.penstock.upstream.UpstreamSet;
import io.penstock.upstream.UpstreamState;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class CandidatesTest {

    private final UpstreamState llama = Fleet.ready("llama", 1, 0, "llama", "both");
    private final UpstreamState qwen = Fleet.ready("qwen", 1, 0, "qwen", "both");
    private final UpstreamState unknown = Fleet.ready("unknown");
    private final UpstreamSet set = Fleet.set(llama, qwen, unknown);

    @Test
    void aKnownListBeatsAnUnknownOne() {
        assertThat(among("llama")).containsExactly(llama);
        assertThat(among("both")).containsExactly(llama, qwen);
    }

    @Test
    void aReplicasOwnListCountsAsMuchAsTheConfigured() {
        unknown.learnModels(Set.of("llama"));

        assertThat(among("llama")).containsExactly(llama, unknown);
    }

    @Test
    void whereNoListHasTheModelEveryoneMayGetIt() {
        assertThat(among("gpt-5")).containsExactly(llama, qwen, unknown);
    }

    @Test
    void aRequestWithoutAModelMayGoAnywhere() {
        assertThat(Candidates.among(set, null, any -> true).members()).containsExactly(llama, qwen, unknown);
    }

    @Test
    void whereThoseThatServeItAreDownNobodyElseGetsIt() {
        llama.judge(Standing.REFUSED, "down");
        assertThat(among("llama")).isEmpty();

        llama.judge(Standing.READY, "ready");
        llama.drain(true);
        assertThat(among("llama")).isEmpty();
        assertThat(among("both")).containsExactly(qwen);
    }

    @Test
    void whoCannotTakeWorkIsNoCandidate() {
        qwen.judge(Standing.FAILING, "down");
        unknown.drain(true);

        assertThat(Candidates.among(set, null, any -> true).members()).containsExactly(llama);
    }

    @Test
    void aSuspectedOneIsACandidateOnlyWhereNobodyElseIs() {
        qwen.engine().suspect(new Suspicion(Standing.SUSPECT, "no token"));
        assertThat(among("both")).containsExactly(llama);

        assertThat(Candidates.among(set, "both", each -> each != llama).members())
                .containsExactly(qwen);
        assertThat(among("qwen")).containsExactly(qwen);

        qwen.engine().suspect(new Suspicion(Standing.STALLED, "no token"));
        assertThat(among("qwen")).isEmpty();
    }

    @Test
    void theRequestMayRuleSomeOut() {
        assertThat(Candidates.among(set, "both", each -> each != llama).members())
                .containsExactly(qwen);
        assertThat(Candidates.among(set, "llama", each -> each != llama).members())
                .isEmpty();
    }

    @Test
    void anEmptySetHasNoCandidates() {
        assertThat(Candidates.among(new UpstreamSet(List.of()), "llama", any -> true)
                        .members())
                .isEmpty();
    }

    @Test
    void anEjectedOneIsNoCandidateAndAfterItsTimeOnTrial() {
        Ejection out = new Ejection(Ejection.Cause.SHARE, "why");
        llama.conduct().eject(out);
        Candidates resting = Candidates.among(set, "both", any -> true);
        assertThat(resting).isEqualTo(new Candidates(List.of(qwen), null, false));

        out.open();
        assertThat(Candidates.among(set, "both", any -> true)).isEqualTo(new Candidates(List.of(qwen), llama, false));
        assertThat(Candidates.among(set, "both", each -> each != llama).onTrial())
                .isNull();
        assertThat(Candidates.among(set, "qwen", any -> true).onTrial()).isNull();
    }

    @Test
    void whereAllThatServeItAreEjectedItIsAPanic() {
        llama.conduct().eject(new Ejection(Ejection.Cause.SHARE, "why"));

        assertThat(Candidates.among(set, "llama", any -> true)).isEqualTo(new Candidates(List.of(llama), null, true));
        assertThat(Candidates.among(set, "llama", each -> each != llama).isEmpty())
                .isTrue();
        assertThat(set.inPanic()).isFalse();

        qwen.conduct().eject(new Ejection(Ejection.Cause.SHARE, "why"));
        unknown.judge(Standing.REFUSED, "down");
        assertThat(Candidates.among(set, null, any -> true).members()).containsExactly(llama, qwen);
        assertThat(set.inPanic()).isTrue();
        llama.judge(Standing.REFUSED, "down");
        qwen.drain(true);
        assertThat(set.inPanic()).as("nobody accepts").isFalse();
    }

    @Test
    void whereTheUsableOneHasFailedTheRequestItIsNoPanic() {
        llama.conduct().eject(new Ejection(Ejection.Cause.SHARE, "why"));

        assertThat(Candidates.among(set, "both", each -> each != qwen))
                .isEqualTo(new Candidates(List.of(), null, false));
    }

    @Test
    void aSuspectedOneGoesBeforeAnEjectedOneAndIsNoPanic() {
        llama.conduct().eject(new Ejection(Ejection.Cause.SHARE, "why"));
        qwen.engine().suspect(new Suspicion(Standing.SUSPECT, "no token"));
        unknown.judge(Standing.REFUSED, "down");

        assertThat(Candidates.among(set, "both", any -> true)).isEqualTo(new Candidates(List.of(qwen), null, false));
        assertThat(Candidates.among(set, "both", each -> each != qwen))
                .isEqualTo(new Candidates(List.of(), null, false));
        assertThat(set.inPanic()).isFalse();
        assertThat(set.anyAccepting()).isTrue();

        qwen.engine().suspect(new Suspicion(Standing.STALLED, "no token"));
        assertThat(Candidates.among(set, "both", any -> true)).isEqualTo(new Candidates(List.of(llama), null, true));
        assertThat(set.inPanic()).isTrue();
    }

    @Test
    void anEjectedOneThatIsSilentIsNotPutOnTrial() {
        Ejection out = new Ejection(Ejection.Cause.SHARE, "why");
        llama.conduct().eject(out);
        out.open();
        llama.engine().suspect(new Suspicion(Standing.SUSPECT, "no token"));
        assertThat(Candidates.among(set, "both", any -> true)).isEqualTo(new Candidates(List.of(qwen), null, false));
        assertThat(among("llama")).as("in a panic").containsExactly(llama);

        llama.engine().suspect(new Suspicion(Standing.STALLED, "no token"));
        assertThat(Candidates.among(set, "both", any -> true)).isEqualTo(new Candidates(List.of(qwen), null, false));
        assertThat(among("llama")).as("not even in a panic").isEmpty();

        llama.engine().suspect(null);
        assertThat(Candidates.among(set, "both", any -> true).onTrial()).isSameAs(llama);
    }

    @Test
    void whileNobodyWatchesEveryoneIsACandidateButForRefusedConnections() {
        llama.judge(Standing.REFUSED, "refused a connection");
        qwen.judge(Standing.FAILING, "its probes failed");
        unknown.conduct().eject(new Ejection(Ejection.Cause.SHARE, "why"));

        assertThat(Candidates.blindly(set, null, any -> true))
                .isEqualTo(new Candidates(List.of(qwen, unknown), null, true));
        assertThat(Candidates.blindly(set, "both", any -> true).members()).containsExactly(qwen);
        assertThat(Candidates.blindly(set, null, each -> each != qwen).members())
                .containsExactly(unknown);
        qwen.drain(true);
        assertThat(Candidates.blindly(set, "both", any -> true).isEmpty()).isTrue();
    }

    @Test
    void busyOnesAreSetAsideInOrder() {
        qwen.conduct().busy().begin(0, 0.5);
        Candidates candidates = Candidates.among(set, "both", any -> true);

        assertThat(candidates.setBusyAside(0)).containsExactly(qwen);
        assertThat(candidates.members()).containsExactly(llama);

        llama.conduct().busy().begin(0, 0.5);
        assertThat(Candidates.among(set, "both", any -> true).setBusyAside(0)).containsExactly(llama, qwen);
        assertThat(Candidates.among(set, "both", any -> true).setBusyAside(1_000_000_000))
                .isEmpty();
    }

    private List<UpstreamState> among(String model) {
        return Candidates.among(set, model, any -> true).members();
    }
}
