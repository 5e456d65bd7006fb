package io.penstock.selection;

import static org.assertj.core.api.Assertions.assertThat;

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
        assertThat(Candidates.among(set, null, any -> true)).containsExactly(llama, qwen, unknown);
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

        assertThat(Candidates.among(set, null, any -> true)).containsExactly(llama);
    }

    @Test
    void aSuspectedOneIsACandidateOnlyWhereNobodyElseIs() {
        qwen.engine().suspect(new Suspicion(Standing.SUSPECT, "no token"));
        assertThat(among("both")).containsExactly(llama);

        assertThat(Candidates.among(set, "both", each -> each != llama)).containsExactly(qwen);
        assertThat(among("qwen")).containsExactly(qwen);

        qwen.engine().suspect(new Suspicion(Standing.STALLED, "no token"));
        assertThat(among("qwen")).isEmpty();
    }

    @Test
    void theRequestMayRuleSomeOut() {
        assertThat(Candidates.among(set, "both", each -> each != llama)).containsExactly(qwen);
        assertThat(Candidates.among(set, "llama", each -> each != llama)).isEmpty();
    }

    @Test
    void anEmptySetHasNoCandidates() {
        assertThat(Candidates.among(new UpstreamSet(List.of()), "llama", any -> true))
                .isEmpty();
    }

    private List<UpstreamState> among(String model) {
        return Candidates.among(set, model, any -> true);
    }
}
