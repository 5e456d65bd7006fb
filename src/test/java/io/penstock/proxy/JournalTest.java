package io.penstock.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.config.PenstockConfig.Policy;
import io.penstock.proxy.Decision.Cause;
import io.penstock.selection.RequestTraits;
import io.penstock.upstream.Choice;
import io.penstock.upstream.Choice.Reason;
import io.penstock.upstream.Fleet;
import io.penstock.upstream.Lease;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class JournalTest {

    private final Receipts receipts = new Receipts(8, () -> 0);
    private RequestTraits traits = RequestTraits.NONE;
    private final List<Move> moves = new ArrayList<>();
    private final Journal journal =
            new Journal(receipts, 1_000, "id", "/r", () -> Policy.ROUND_ROBIN, () -> traits, moves::add);

    @Test
    void theFirstDecisionAndTheLatestAreKeptAndTheRestIsCounted() {
        for (int i = 0; i < 9; i++) {
            journal.chose(lease("r" + i), i == 0 ? null : failed(FailureKind.CONNECT_REFUSED), /* hedged= */ false);
        }
        journal.write(List.of(), 0, -1, null);

        Receipt receipt = receipts.newest(1).get(0);
        assertThat(receipt.decisions()).extracting(Decision::replica).containsExactly("r0", "r6", "r7", "r8");
        assertThat(receipt.moreDecisions()).isEqualTo(5);
        assertThat(receipt.policy()).isEqualTo(Policy.ROUND_ROBIN);
    }

    @Test
    void theCauseIsReadFromWhatCameBefore() {
        journal.chose(lease("a"), null, /* hedged= */ false);
        journal.chose(lease("b"), failed(FailureKind.UPSTREAM_BUSY), /* hedged= */ false);
        journal.chose(lease("c"), failed(FailureKind.CONNECT_REFUSED), /* hedged= */ false);
        journal.chose(lease("d"), null, /* hedged= */ true);

        assertThat(journal.decisions())
                .extracting(Decision::cause)
                .containsExactly(Cause.ARRIVAL, Cause.RETRY, Cause.FAILOVER, Cause.HEDGE);
        assertThat(journal.decisions().get(1).why()).isEqualTo("retry, its turn");
    }

    @Test
    void everyReplicaButTheFirstIsAMoveThatIsToldAtOnce() {
        journal.chose(lease("a"), null, /* hedged= */ false);
        assertThat(moves).isEmpty();
        journal.chose(lease("b"), failed(FailureKind.CONNECT_REFUSED), /* hedged= */ false);
        journal.chose(lease("c"), null, /* hedged= */ true);

        assertThat(moves)
                .containsExactly(
                        new Move("id", Cause.FAILOVER, "x", "b", FailureKind.CONNECT_REFUSED),
                        new Move("id", Cause.HEDGE, "b", "c", null));
    }

    @Test
    void theTruthBelongsToWhoeverAnswered() {
        traits = new RequestTraits("m", true, 9);
        journal.chose(lease("a"), null, /* hedged= */ false);
        journal.chose(lease("b"), null, /* hedged= */ true);
        journal.firstOutput(400);
        assertThat(journal.decisions())
                .allSatisfy(each -> assertThat(each.firstOutputNanos()).isEqualTo(-1));

        journal.answers("b");
        journal.firstOutput(400);

        // Chosen 200 after the arrival, predicted to take 50.
        assertThat(journal.decisions()).extracting(Decision::firstOutputNanos).containsExactly(-1L, 200L);
        assertThat(journal.decisions()).extracting(Decision::lateNanos).containsExactly(0L, 150L);
    }

    @Test
    void anAnswerThatIsNoStreamSaysNothingOfItsFirstToken() {
        journal.chose(lease("a"), null, /* hedged= */ false);
        journal.answers("a");
        journal.firstOutput(400);

        assertThat(journal.decisions().get(0).isJudged()).isFalse();
    }

    @Test
    void onlyTheLatestAttemptsAndTheBeginningOfALongNameAreKept() {
        List<AttemptReport> attempts = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            attempts.add(new AttemptReport("r" + i, FailureKind.CONNECT_REFUSED, -1, -1, i));
        }
        traits = new RequestTraits("m".repeat(5_000), true, 9);
        journal.write(attempts, 0, -1, null);

        Receipt receipt = receipts.newest(1).get(0);
        assertThat(receipt.attempts()).hasSize(8);
        assertThat(receipt.attempts().get(7).replica()).isEqualTo("r19");
        assertThat(receipt.model()).hasSize(257);
    }

    private static AttemptReport failed(FailureKind kind) {
        return new AttemptReport("x", kind, -1, -1, 1);
    }

    private static Lease lease(String replica) {
        Lease lease = Fleet.lease(Fleet.ready(replica));
        lease.because(new Choice(Reason.IN_TURN, List.of(), 0, 1_200, -1, 0, 50));
        return lease;
    }
}
