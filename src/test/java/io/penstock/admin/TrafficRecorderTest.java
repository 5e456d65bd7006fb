package io.penstock.admin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.penstock.admin.TrafficRecorder.TimedMove;
import io.penstock.admin.TrafficSecond.Kind;
import io.penstock.proxy.Decision.Cause;
import io.penstock.proxy.ExchangeReport;
import io.penstock.proxy.ExchangeReport.Result;
import io.penstock.proxy.FailureKind;
import io.penstock.proxy.Move;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TrafficRecorderTest {

    private static final long SECOND = 1_000_000_000L;
    private static final long MILLI = 1_000_000L;

    // Before zero, as a clock of this kind may well stand.
    private final AtomicLong now = new AtomicLong(-500 * SECOND);
    private final TrafficRecorder traffic = new TrafficRecorder(now::get);

    @Test
    void theLastMinuteIsKnownBySecondsAndThePresentOneIsLeftOut() {
        traffic.exchangeStarted();
        traffic.exchangeStarted();
        now.addAndGet(SECOND);
        traffic.exchangeStarted();

        List<@Nullable TrafficSecond> minute = traffic.minute();

        assertThat(minute).hasSize(TrafficRecorder.SECONDS);
        assertThat(counted(minute, 59, Kind.ARRIVED)).isEqualTo(2);
        assertThat(minute.subList(0, 59)).containsOnlyNulls();

        now.addAndGet(SECOND);
        assertThat(counted(traffic.minute(), 58, Kind.ARRIVED)).isEqualTo(2);
        assertThat(counted(traffic.minute(), 59, Kind.ARRIVED)).isEqualTo(1);
    }

    @Test
    void whatIsOlderThanAMinuteIsForgotten() {
        traffic.exchangeStarted();
        now.addAndGet(61 * SECOND);
        assertThat(traffic.minute()).containsOnlyNulls();

        now.addAndGet(3 * SECOND);
        traffic.exchangeStarted();
        now.addAndGet(SECOND);
        assertThat(counted(traffic.minute(), 59, Kind.ARRIVED)).isEqualTo(1);
    }

    @ParameterizedTest
    @CsvSource({
        "COMPLETED, 200, 1, 0",
        "CLIENT_LEFT, 499, 0, 0",
        "BROKEN, 200, 0, 1",
        "REFUSED, 503, 0, 1",
        "REFUSED, 429, 0, 1",
        "REFUSED, 400, 0, 0",
        "UPSTREAM_ERROR, 500, 0, 1",
        "UPSTREAM_ERROR, 404, 0, 0",
    })
    void whoIsToBlameForAnErrorDecidesWhetherItIsALoss(Result result, int status, long whole, long lost) {
        traffic.exchangeEnded(report(result, status));

        assertThat(List.of(traffic.whole(), traffic.lost())).containsExactly(whole, lost);
    }

    /** The deadline may come after a heartbeat has promised a stream: then it is a stream that broke. */
    @ParameterizedTest
    @CsvSource({
        "REFUSED, WAITING_ROOM_FULL, 1",
        "REFUSED, ABOVE_TARGET, 1",
        "BROKEN, QUEUE_DEADLINE, 1",
        "REFUSED, CALLER_OVER_LIMIT, 0",
        "UPSTREAM_ERROR, , 0",
    })
    void whoeverFindsNoRoomIsTurnedAway(Result result, @Nullable FailureKind failure, long count) {
        traffic.exchangeEnded(report(result, 429, failure));
        now.addAndGet(SECOND);
        assertThat(traffic.turnedAway(10)).isEqualTo(count);

        now.addAndGet(10 * SECOND);
        assertThat(traffic.turnedAway(10)).isZero();
    }

    @Test
    void aFirstOutputCountsWhenItComesHoweverLongTheAnswer() {
        // Clients feel how long they waited; it says nothing of the replica.
        traffic.firstOutput("vllm0", 300 * MILLI, 40 * MILLI);
        now.addAndGet(SECOND);

        long[] then = new long[TrafficSecond.BUCKETS];
        Objects.requireNonNull(traffic.minute().get(59)).addTo(then);

        assertThat(TrafficSecond.percentileMillis(then, 0.5)).isCloseTo(300, within(40.0));
        assertThat(traffic.firstOutputMillis("vllm0", 1)).isEqualTo(40);
        assertThat(traffic.firstOutputMillis("vllm0", 2)).isNaN();
    }

    @Test
    void aReplicasFirstOutputIsTheMedianOfItsLastOnesOfTheLastMinute() {
        assertThat(traffic.firstOutputMillis("vllm0", 1)).isNaN();
        for (int millis = 1; millis <= 100; millis++) {
            traffic.firstOutput("vllm0", millis * MILLI, millis * MILLI);
        }
        // Those from 69 to 100 are kept.
        assertThat(traffic.firstOutputMillis("vllm0", 1)).isEqualTo(85);

        now.addAndGet(61 * SECOND);
        assertThat(traffic.firstOutputMillis("vllm0", 1)).isNaN();
    }

    @Test
    void replicasThatAreGoneAreForgotten() {
        traffic.firstOutput("gone", 5 * MILLI, 5 * MILLI);
        traffic.firstOutput("here", 5 * MILLI, 5 * MILLI);

        traffic.keepOnly(Set.of("here"));

        assertThat(traffic.firstOutputMillis("gone", 1)).isNaN();
        assertThat(traffic.firstOutputMillis("here", 1)).isEqualTo(5);
    }

    @Test
    void theLastMovesAreKeptNewestFirstAndAllAreCounted() {
        int many = TrafficRecorder.MOVES + 10;
        for (int i = 0; i < many; i++) {
            traffic.moved(new Move("r" + i, Cause.FAILOVER, "a", "b", FailureKind.CONNECT_REFUSED));
        }
        traffic.moved(new Move("last", Cause.HEDGE, "a", "b", null));

        List<TimedMove> moves = traffic.lastMoves();

        assertThat(moves).hasSize(TrafficRecorder.MOVES);
        assertThat(moves.get(0).move().requestId()).isEqualTo("last");
        assertThat(moves.get(1).move().requestId()).isEqualTo("r" + (many - 1));
        assertThat(traffic.moves(Cause.FAILOVER)).isEqualTo(many);
        assertThat(traffic.moves(Cause.HEDGE)).isEqualTo(1);
        assertThat(traffic.moves(Cause.RETRY)).isZero();
        now.addAndGet(SECOND);
        assertThat(counted(traffic.minute(), 59, Kind.MOVED)).isEqualTo(many + 1L);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 3_999, 4_000, 1_000_000, 17_123_456, 999_999_999, 61_000_000_000L, 800_000_000_000L})
    void aPercentileIsWrongByAnEighthAtMost(long nanos) {
        TrafficSecond second = new TrafficSecond(0);
        second.firstOutput(nanos);
        long[] histogram = new long[TrafficSecond.BUCKETS];
        second.addTo(histogram);

        double millis = TrafficSecond.percentileMillis(histogram, 0.99);

        // Below four microseconds all is one.
        double truth = Math.max(nanos, 4_000) / 1e6;
        assertThat(millis).isCloseTo(truth, within(truth / 8 + 1e-9));
    }

    @Test
    void percentilesCountFromBelow() {
        long[] histogram = new long[TrafficSecond.BUCKETS];
        histogram[TrafficSecond.bucket(10 * MILLI)] = 99;
        histogram[TrafficSecond.bucket(1000 * MILLI)] = 1;

        assertThat(TrafficSecond.percentileMillis(histogram, 0.5)).isCloseTo(10, within(1.3));
        assertThat(TrafficSecond.percentileMillis(histogram, 0.99)).isCloseTo(10, within(1.3));
        assertThat(TrafficSecond.percentileMillis(histogram, 1.0)).isCloseTo(1000, within(125.0));
        assertThat(TrafficSecond.percentileMillis(new long[TrafficSecond.BUCKETS], 0.5))
                .isNaN();
    }

    private static long counted(List<@Nullable TrafficSecond> minute, int at, Kind kind) {
        return Objects.requireNonNull(minute.get(at)).counted(kind);
    }

    private static ExchangeReport report(Result result, int status) {
        return report(result, status, null);
    }

    static ExchangeReport report(Result result, int status, @Nullable FailureKind failure) {
        return new ExchangeReport(
                "id",
                "127.0.0.1",
                "POST",
                "/v1/chat/completions",
                "m",
                true,
                result,
                failure,
                null,
                status,
                "vllm0",
                List.of(),
                0,
                0,
                0,
                100 * MILLI,
                200 * MILLI,
                1,
                1,
                1,
                List.of());
    }
}
