package io.penstock.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.penstock.proxy.ApiTable.Dialect;
import io.penstock.proxy.ApiTable.Kind;
import io.penstock.proxy.ExchangeReport.Result;
import io.penstock.upstream.Fleet;
import io.penstock.upstream.Lease;
import io.vertx.core.MultiMap;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TimelineTest {

    private static final Timeline.Facts FACTS = new Timeline.Facts(
            "id", "192.0.2.7", "POST", new ApiTable.Route("/r", Kind.INFERENCE, Dialect.OPENAI), "m", true, 321);
    private static final AttemptReport FAILED = new AttemptReport("a", FailureKind.CONNECT_REFUSED, -1, -1, 3);
    private static final AttemptReport GOOD = new AttemptReport("b", null, 1, 2, 9);

    @Test
    void whatNeverHappenedIsMinusOne() {
        ExchangeReport report = refused(new Timeline(1000), 1007);

        assertThat(report)
                .isEqualTo(new ExchangeReport(
                        "id",
                        "192.0.2.7",
                        "POST",
                        "/r",
                        "m",
                        true,
                        Result.REFUSED,
                        FailureKind.NO_REPLICA,
                        null,
                        503,
                        null,
                        List.of(),
                        0,
                        -1,
                        -1,
                        -1,
                        7,
                        0,
                        321,
                        55,
                        List.of()));
    }

    /** The clock's zero is anywhere, so its values may be negative. */
    @ParameterizedTest
    @ValueSource(longs = {0, 1_000_000, -1_000_000, -50, Long.MAX_VALUE - 20, Long.MIN_VALUE})
    void timesCountFromTheArrivalWhereverTheClockBegan(long start) {
        Timeline timeline = new Timeline(start);
        timeline.waits(start + 1);
        timeline.leased(start + 11);
        timeline.attempt(FAILED);
        timeline.waits(start + 20);
        timeline.leased(start + 25);
        timeline.leased(start + 29);
        timeline.connected(start + 30);
        timeline.head(start + 40);
        timeline.firstOutput(start + 50);
        timeline.firstOutput(start + 60);
        timeline.attempt(GOOD);
        assertThat(timeline.sinceArrival(start + 70)).isEqualTo(70);

        ExchangeReport report = timeline.report(FACTS, Result.COMPLETED, null, 200, "b", 12, 3456, start + 80);

        assertThat(report)
                .isEqualTo(new ExchangeReport(
                        "id",
                        "192.0.2.7",
                        "POST",
                        "/r",
                        "m",
                        true,
                        Result.COMPLETED,
                        null,
                        null,
                        200,
                        "b",
                        List.of(FAILED, GOOD),
                        15,
                        30,
                        40,
                        50,
                        80,
                        12,
                        321,
                        3456,
                        List.of()));
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 100, -100})
    void whoLeavesFromTheQueueHasWaitedToo(long start) {
        Timeline timeline = new Timeline(start);
        timeline.waits(start + 10);

        assertThat(refused(timeline, start + 40).queueNanos()).isEqualTo(30);
    }

    @Test
    void whereItWasWhenItsClientLeftIsTold() {
        Timeline timeline = new Timeline(0);
        timeline.stopped(Phase.PREFILL);

        assertThat(refused(timeline, 1).stopped()).isEqualTo(Phase.PREFILL);
    }

    @Test
    void aReportKeepsItsOwnListOfAttempts() {
        Timeline timeline = new Timeline(0);
        timeline.attempt(FAILED);
        ExchangeReport report = refused(timeline, 1);
        timeline.attempt(GOOD);

        assertThat(report.attempts()).containsExactly(FAILED);
    }

    @Test
    void anObserverOfManyTellsThemAllInOrder() {
        List<String> heard = new ArrayList<>();
        ExchangeObserver both = ExchangeObserver.all(List.of(new Scribe("1", heard), new Scribe("2", heard)));
        both.connectionOpened();
        both.exchangeStarted();
        both.exchangeEnded(refused(new Timeline(0), 1));
        both.connectionClosed();

        assertThat(heard)
                .containsExactly(
                        "1 opened", "2 opened", "1 started", "2 started", "1 id", "2 id", "1 closed", "2 closed");
    }

    @Test
    void anObserverMayCareForNothing() {
        ExchangeObserver deaf = new ExchangeObserver() {};
        deaf.connectionOpened();
        deaf.exchangeStarted();
        deaf.exchangeEnded(refused(new Timeline(0), 1));
        deaf.connectionClosed();

        assertThat(deaf).isNotNull();
    }

    @Test
    void whatNobodyFollowsAllocatesNothing() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        Lease lease = Fleet.lease(Fleet.ready("a"));
        MultiMap headers = MultiMap.caseInsensitiveMultiMap().add("traceparent", "x");
        ExchangeReport report = refused(new Timeline(0), 1);
        follow(ExchangeTracer.OFF, lease, headers, report);

        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < 10_000; i++) {
            follow(ExchangeTracer.OFF, lease, headers, report);
        }
        // The question itself may allocate, and whoever watches the tests; one small object each would be 160,000.
        assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(50_000);
        assertThat(headers.get("traceparent")).isEqualTo("x");
        ExchangeTracer.OFF.close();
    }

    private static void follow(ExchangeTracer tracer, Lease lease, MultiMap headers, ExchangeReport report) {
        ExchangeSpan span = tracer.begin("POST", headers);
        span.waits();
        span.leased();
        AttemptSpan attempt = span.attempt(lease, 1, /* hedge= */ false);
        attempt.passOn(headers);
        attempt.head(200);
        attempt.firstOutput();
        span.firstOutput();
        attempt.ended(null);
        span.ended(report);
    }

    @Test
    void aFailureCarriesItsWordsAndNoStackTrace() {
        ProxyFailure failure = new ProxyFailure(FailureKind.POISON, "replica a died");

        assertThat(failure.text()).isEqualTo("replica a died");
        assertThat(failure.kind()).isEqualTo(FailureKind.POISON);
        assertThat(failure.getStackTrace()).isEmpty();
    }

    private static ExchangeReport refused(Timeline timeline, long now) {
        return timeline.report(FACTS, Result.REFUSED, FailureKind.NO_REPLICA, 503, null, 0, 55, now);
    }

    private record Scribe(String name, List<String> heard) implements ExchangeObserver {

        @Override
        public void connectionOpened() {
            heard.add(name + " opened");
        }

        @Override
        public void connectionClosed() {
            heard.add(name + " closed");
        }

        @Override
        public void exchangeStarted() {
            heard.add(name + " started");
        }

        @Override
        public void exchangeEnded(ExchangeReport report) {
            heard.add(name + " " + report.requestId());
        }
    }
}
