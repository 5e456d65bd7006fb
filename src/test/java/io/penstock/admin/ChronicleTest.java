package io.penstock.admin;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.health.ReplicaChange;
import io.penstock.proxy.Decision.Cause;
import io.penstock.proxy.FailureKind;
import io.penstock.proxy.Move;
import io.penstock.upstream.EngineGauges;
import io.penstock.upstream.Lease;
import io.penstock.upstream.Outcome;
import io.penstock.upstream.Standing;
import io.penstock.upstream.UpstreamState;
import io.vertx.core.json.JsonObject;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ChronicleTest {

    private static final long SECOND = 1_000_000_000L;

    private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - SECOND);
    private final TrafficRecorder traffic = new TrafficRecorder(now::get);
    private final Chronicle chronicle = new Chronicle(now::get, traffic);
    private final UpstreamState vllm0 =
            new UpstreamState(LiveAdmin.upstream("vllm0", 0, Set.of(), List.of("127.0.0.1")));

    @Test
    void theNewestStandsFirstAlsoWhenTheClockWrapsRound() {
        chronicle.changed(new ReplicaChange(vllm0, Standing.READY, Standing.REFUSED, "connection refused", true));
        now.addAndGet(2 * SECOND);
        traffic.moved(new Move("abc", Cause.FAILOVER, "vllm0", "vllm1", FailureKind.DIED_BEFORE_OUTPUT));
        now.addAndGet(2 * SECOND);
        chronicle.reconfigured();

        assertThat(texts())
                .containsExactly(
                        "an edit of the configuration came into force",
                        "request abc moved: vllm0 → vllm1 (died before output)",
                        "vllm0: READY → REFUSED (connection refused)");
        assertThat(chronicle.latest().getJsonObject(2).getLong("agoMillis")).isEqualTo(4000);
    }

    @Test
    void aHundredMovesOfOneKindAreOneLine() {
        for (int i = 0; i < 100; i++) {
            String to = i % 2 == 0 ? "vllm2" : "vllm1";
            traffic.moved(new Move("r" + i, Cause.FAILOVER, "vllm0", to, FailureKind.CONNECT_REFUSED));
        }
        traffic.moved(new Move("h", Cause.HEDGE, "vllm1", "vllm2", null));
        traffic.moved(new Move("an-id-that-is-long", Cause.RETRY, "vllm1", "vllm2", FailureKind.UPSTREAM_ERROR));

        assertThat(texts())
                .containsExactly(
                        "request an-id-that… tried again: vllm1 → vllm2 (upstream error)",
                        "request h asked of vllm2, too: vllm1 shows nothing",
                        "100 requests moved: vllm0 → vllm1, vllm2 (connect refused)");
        assertThat(chronicle.latest().getJsonObject(2).getJsonArray("targets")).containsExactly("vllm1", "vllm2");
    }

    @Test
    void movesOfAnotherTimeAreAnotherLine() {
        for (int seconds : new int[] {0, 6, 6, 3600, 4}) {
            now.addAndGet(seconds * SECOND);
            traffic.moved(new Move("r", Cause.FAILOVER, "vllm0", "vllm1", FailureKind.CONNECT_REFUSED));
        }

        assertThat(texts())
                .containsExactly(
                        "2 requests moved: vllm0 → vllm1 (connect refused)",
                        "3 requests moved: vllm0 → vllm1 (connect refused)");
    }

    @Test
    void aProbeThatChangedNothingIsNoNews() {
        chronicle.changed(new ReplicaChange(vllm0, Standing.READY, Standing.READY, "passes its probes", true));

        assertThat(texts()).isEmpty();
        assertThat(chronicle.sinceMillis(vllm0)).isNull();
    }

    @Test
    void itKnowsSinceWhenAReplicaStandsSo() {
        chronicle.changed(new ReplicaChange(vllm0, Standing.READY, Standing.REFUSED, "connection refused", true));
        now.addAndGet(3 * SECOND);
        assertThat(chronicle.sinceMillis(vllm0)).isEqualTo(3000);

        // A drain has a time of its own: it goes on through a restart, and what went on before it goes on after it.
        vllm0.drain(true);
        chronicle.drained(vllm0, true);
        assertThat(chronicle.sinceMillis(vllm0)).isZero();
        now.addAndGet(5 * SECOND);
        chronicle.changed(new ReplicaChange(vllm0, Standing.REFUSED, Standing.READY, "passes its probes", true));
        assertThat(chronicle.sinceMillis(vllm0)).isEqualTo(5000);
        now.addAndGet(SECOND);
        vllm0.drain(false);
        chronicle.drained(vllm0, false);
        assertThat(chronicle.sinceMillis(vllm0)).isEqualTo(1000);

        chronicle.keepOnly(Set.of());
        assertThat(chronicle.sinceMillis(vllm0)).isNull();
    }

    @Test
    void itRemembersSoManyAndNoMore() {
        for (int i = 0; i < 1000; i++) {
            chronicle.drained(vllm0, i % 2 == 0);
        }
        assertThat(texts()).hasSize(24).startsWith("vllm0: undrained by the operator, may take work again");
    }

    @Test
    void tokensASecondComeFromTwoReadingsAndAreZeroWhenThereIsNothingToDo() {
        EngineRates rates = new EngineRates();
        assertThat(rates.perSecond(vllm0, 0)).isNull();

        vllm0.engine().learnGauges(gauges(1000, 0));
        assertThat(rates.perSecond(vllm0, 0)).isNull();
        vllm0.engine().learnGauges(gauges(1500, 2 * SECOND));
        assertThat(rates.perSecond(vllm0, 2 * SECOND)).isEqualTo(250);
        assertThat(rates.perSecond(vllm0, 3 * SECOND)).isEqualTo(250);
        assertThat(rates.perSecond(vllm0, 60 * SECOND)).isEqualTo(0);

        // It has work and does not say: nobody knows. And what it made since before a pause says nothing of the
        // present.
        Lease lease = Objects.requireNonNull(vllm0.lease(60 * SECOND, 10, () -> {}, false));
        assertThat(rates.perSecond(vllm0, 60 * SECOND)).isNull();
        vllm0.engine().learnGauges(gauges(1600, 60 * SECOND));
        assertThat(rates.perSecond(vllm0, 60 * SECOND)).isNull();
        lease.end(Outcome.IGNORED);

        // Another process counts from zero.
        vllm0.engine().learnGauges(gauges(10, 62 * SECOND));
        assertThat(rates.perSecond(vllm0, 62 * SECOND)).isNull();
        vllm0.engine().learnGauges(gauges(Double.NaN, 64 * SECOND));
        assertThat(rates.perSecond(vllm0, 64 * SECOND)).isNull();
        rates.clear();
        vllm0.engine().learnGauges(gauges(20, 66 * SECOND));
        assertThat(rates.perSecond(vllm0, 66 * SECOND)).isNull();
    }

    @Test
    void readingsThatSoonMeanNothingStillMakeARate() {
        EngineRates rates = new EngineRates();
        vllm0.engine().learnGauges(gauges(1000, 0, SECOND / 3));
        assertThat(rates.perSecond(vllm0, 0)).isNull();
        vllm0.engine().learnGauges(gauges(1500, SECOND, SECOND / 3));
        assertThat(rates.perSecond(vllm0, SECOND)).isEqualTo(500);
    }

    private static EngineGauges gauges(double tokens, long takenNanos) {
        return gauges(tokens, takenNanos, 6 * SECOND);
    }

    private static EngineGauges gauges(double tokens, long takenNanos, long validNanos) {
        return new EngineGauges(
                List.of(new EngineGauges.Engine("0", 1, 0, 0.1, tokens, 0, 0)),
                Double.NaN,
                Double.NaN,
                takenNanos,
                validNanos);
    }

    private List<String> texts() {
        return chronicle.latest().stream()
                .map(entry -> Objects.requireNonNull(((JsonObject) entry).getString("text")))
                .toList();
    }
}
