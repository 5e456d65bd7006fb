package io.penstock.proxy.front;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.proxy.ExchangeReport.Result;
import io.penstock.proxy.FailureKind;
import io.penstock.upstream.Ejection;
import io.penstock.upstream.EngineActivity.Suspicion;
import io.penstock.upstream.Outcome;
import io.penstock.upstream.Standing;
import io.penstock.upstream.UpstreamState;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A replica that is out of rotation may finish what it has begun, but not for ever in silence. vLLM that is told to stop
 * closes its port and may leave its streams open without a word for as long as their clients wait.
 */
@SuppressWarnings("NullAway.Init") // Opened before each test.
class StallTest {

    private static final String EVENT = "data: {\"n\":1}\n\n";

    private ScriptedReplica replica;
    private Stage stage;

    @BeforeEach
    void open() throws Exception {
        replica = ScriptedReplica.start();
        stage = Setting.with(replica).stall(Duration.ofMillis(700)).open();
    }

    @AfterEach
    void close() throws Exception {
        stage.close();
        Eventually.that("no replica is busy any more", () -> replica.busy() == 0);
        replica.close();
    }

    @Test
    void silentStreamOfAReplicaThatClosedItsPortIsCut() throws Exception {
        replica.always(Script.begun(EVENT).then(Script.SILENCE));
        try (Client client = Client.to(stage)) {
            client.send(Client.chat()).head();
            replica.refuse();
            String rest = client.rest();
            assertThat(rest).contains(EVENT, "upstream_stalled").doesNotContain("[DONE]", "\r\n0\r\n");
        }
        assertThat(stage.report(0).result()).isEqualTo(Result.BROKEN);
        assertThat(stage.report(0).failure()).isEqualTo(FailureKind.STALLED_MID_STREAM);
        assertThat(stage.replica("a").count(Outcome.FAILED)).isEqualTo(1);
    }

    @Test
    void streamThatFlowsOnIsLeftAlone() throws Exception {
        CountDownLatch end = new CountDownLatch(1);
        replica.always(call -> {
            call.send(Script.STREAM_HEAD);
            while (end.getCount() > 0) {
                call.chunk(EVENT);
                Thread.sleep(20);
            }
            Script.END.play(call);
        });
        try (Client client = Client.to(stage)) {
            client.send(Client.chat()).head();
            replica.refuse();
            Eventually.that("the replica is out", () -> stage.ready() == 0);
            for (int chunks = 0; chunks < 150; chunks++) {
                assertThat(client.chunk()).isEqualTo(EVENT);
            }
            end.countDown();
            assertThat(client.until("\r\n0\r\n\r\n")).contains("[DONE]");
        }
        assertThat(stage.report(0).result()).isEqualTo(Result.COMPLETED);
    }

    @Test
    void silentStreamOfAReplicaInRotationIsLeftAlone() throws Exception {
        CountDownLatch end = new CountDownLatch(1);
        replica.always(Script.begun(EVENT).then(Script.until(end)).then(Script.END));
        try (Client client = Client.to(stage)) {
            client.send(Client.chat()).head();
            client.chunk();
            assertThat(client.isSilentFor(2500)).isTrue();
            end.countDown();
            assertThat(client.until("\r\n0\r\n\r\n")).contains("[DONE]");
        }
    }

    @Test
    void silentStreamOfAStalledEngineIsCut() throws Exception {
        replica.always(Script.begun(EVENT).then(Script.SILENCE));
        try (Client client = Client.to(stage)) {
            client.send(Client.chat()).head();
            stage.replica("a").engine().suspect(new Suspicion(Standing.STALLED, "no token"));
            assertThat(client.rest()).contains(EVENT, "upstream_stalled").doesNotContain("[DONE]");
        }
        assertThat(stage.report(0).failure()).isEqualTo(FailureKind.STALLED_MID_STREAM);
    }

    @Test
    void silenceBeforeTheVerdictCountsWhenAnEngineStandsStill() throws Exception {
        stage.close();
        stage = Setting.with(replica).stall(Duration.ofSeconds(6)).open();
        replica.always(Script.begun(EVENT).then(Script.SILENCE));
        try (Client client = Client.to(stage)) {
            client.send(Client.chat()).head();
            client.chunk();
            assertThat(client.isSilentFor(5000)).isTrue();
            stage.replica("a").engine().suspect(new Suspicion(Standing.STALLED, "no token"));
            long verdict = System.nanoTime();
            assertThat(client.rest()).contains("upstream_stalled");
            assertThat(Duration.ofNanos(System.nanoTime() - verdict)).isLessThan(Duration.ofSeconds(4));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void silentStreamOfASuspectedOrEjectedReplicaIsLeftAlone(boolean ejected) throws Exception {
        CountDownLatch end = new CountDownLatch(1);
        replica.always(Script.begun(EVENT).then(Script.until(end)).then(Script.END));
        try (Client client = Client.to(stage)) {
            client.send(Client.chat()).head();
            client.chunk();
            UpstreamState state = stage.replica("a");
            state.engine().suspect(new Suspicion(Standing.SUSPECT, "no token"));
            state.conduct().eject(ejected ? new Ejection(Ejection.Cause.CONSECUTIVE, "5 faults") : null);
            assertThat(state.usable()).isFalse();
            assertThat(client.isSilentFor(2500)).isTrue();
            end.countDown();
            assertThat(client.until("\r\n0\r\n\r\n")).contains("[DONE]");
        }
    }

    @Test
    void requestWithoutOutputGoesBackToTheQueue() throws Exception {
        replica.always(Script.begun().then(Script.SILENCE));
        try (Client client = Client.to(stage)) {
            client.send(Client.chat());
            replica.call(0);
            replica.refuse();
            Eventually.that("it waits", () -> stage.waiting() == 1);
            replica.always(Script.stream(EVENT, Script.DONE)).listen();
            assertThat(client.reply().body()).isEqualTo(EVENT + Script.DONE);
        }
    }
}
