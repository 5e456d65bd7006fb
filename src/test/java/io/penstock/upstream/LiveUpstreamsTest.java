package io.penstock.upstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class LiveUpstreamsTest {

    private static final long MINUTE = Duration.ofSeconds(60).toNanos();

    private final AtomicLong clock = new AtomicLong(-5_000);
    private final LiveUpstreams live = new LiveUpstreams(clock::get);

    @Test
    void itStartsEmpty() {
        assertThat(live.current().members()).isEmpty();
        assertThat(live.current().anyAccepting()).isFalse();
        assertThat(live.current().find("a")).isNull();
    }

    @Test
    void membersThatStayAreTheSameObjectsInTheNewOrder() {
        UpstreamSet before = apply("a", "b", "c");
        UpstreamState a = before.members().get(0);
        UpstreamState c = before.members().get(2);
        a.judge(Standing.READY, "ready");
        a.drain(true);
        Lease running = Fleet.lease(a);

        UpstreamSet after = apply("c", "d", "a");

        assertThat(after.members()).hasSize(3);
        assertThat(after.members().get(0)).isSameAs(c);
        assertThat(after.members().get(2)).isSameAs(a);
        assertThat(a.draining()).isTrue();
        assertThat(a.standing()).isEqualTo(Standing.READY);
        assertThat(a.inFlight()).isEqualTo(1);
        running.end(Outcome.COMPLETED);
        assertThat(a.count(Outcome.COMPLETED)).isEqualTo(1);
        assertThat(live.current()).isSameAs(after);
    }

    @Test
    void aReplicaThatStaysGetsItsNewSettings() {
        UpstreamState a = apply("a").members().get(0);

        live.apply(List.of(Fleet.upstream("a", 7, 3)));

        assertThat(a.identity().replica().weight()).isEqualTo(7);
        assertThat(a.identity().replica().maxInFlight()).isEqualTo(3);
    }

    @Test
    void aReplicaThatGoesFinishesWhatItHasAndGetsNothingNew() {
        UpstreamState a = apply("a", "b").members().get(0);
        a.judge(Standing.READY, "ready");
        Lease running = Fleet.lease(a);

        UpstreamSet after = apply("b");

        assertThat(after.find("a")).isNull();
        assertThat(a.removed()).isTrue();
        assertThat(a.usable()).isFalse();
        running.end(Outcome.COMPLETED);
        assertThat(a.inFlight()).isZero();
    }

    @Test
    void aReplicaThatComesBackWithinAMinuteContinuesButIsAskedFirst() {
        UpstreamState a = apply("a", "b").members().get(0);
        a.judge(Standing.READY, "ready");
        a.drain(true);
        Fleet.lease(a).end(Outcome.FAILED);
        apply("b");
        clock.addAndGet(MINUTE);

        UpstreamState back = apply("b", "a").members().get(1);

        assertThat(back).isSameAs(a);
        assertThat(back.removed()).isFalse();
        assertThat(back.standing()).isEqualTo(Standing.STARTING);
        assertThat(back.draining()).isTrue();
        assertThat(back.count(Outcome.FAILED)).isEqualTo(1);
    }

    @Test
    void afterAMinuteItIsForgotten() {
        UpstreamState a = apply("a", "b").members().get(0);
        apply("b");
        clock.addAndGet(MINUTE + 1);

        assertThat(apply("b", "a").members().get(1)).isNotSameAs(a);
    }

    @Test
    void aReplicaWithWorkStillRunningIsNeverForgotten() {
        UpstreamState a = apply("a", "b").members().get(0);
        Lease running = Fleet.lease(a);
        apply("b");
        clock.addAndGet(10 * MINUTE);
        apply("b");

        assertThat(apply("b", "a").members().get(1)).isSameAs(a);
        running.end(Outcome.COMPLETED);
        assertThat(a.inFlight()).isZero();
    }

    @Test
    void theMinuteBeginsAnewEachTimeItGoes() {
        UpstreamState a = apply("a", "b").members().get(0);
        for (int i = 0; i < 3; i++) {
            apply("b");
            clock.addAndGet(MINUTE - 1);
            assertThat(apply("a", "b").members().get(0)).isSameAs(a);
            clock.addAndGet(MINUTE);
        }
    }

    @Test
    void aSetIsFoundByNameOrIdAndCannotBeChanged() {
        Upstream shown =
                new Upstream("10.0.0.1:8000", "vllm-1", Fleet.upstream("vllm").replica(), List.of("10.0.0.1"));
        UpstreamSet set = live.apply(List.of(Fleet.upstream("other"), shown));

        assertThat(set.find("vllm-1")).isSameAs(set.members().get(1));
        assertThat(set.find("10.0.0.1:8000")).isSameAs(set.members().get(1));
        assertThat(set.find("other")).isSameAs(set.members().get(0));
        assertThat(set.find("vllm")).isNull();
        assertThatThrownBy(() -> set.members().remove(0)).isInstanceOf(UnsupportedOperationException.class);
    }

    @Test
    void anyUsableNeedsOne() {
        UpstreamSet set = apply("a", "b");
        assertThat(set.anyAccepting()).isFalse();

        set.members().get(1).judge(Standing.READY, "ready");
        assertThat(set.anyAccepting()).isTrue();
    }

    private UpstreamSet apply(String... names) {
        return live.apply(List.of(names).stream().map(Fleet::upstream).toList());
    }

    @Test
    void tenSecondsWithoutASignOfLifeAreBlindness() {
        clock.addAndGet(Duration.ofSeconds(10).toNanos());
        assertThat(live.blind()).isFalse();
        clock.incrementAndGet();
        assertThat(live.blind()).isTrue();

        live.turned();
        assertThat(live.blind()).isFalse();
    }
}
