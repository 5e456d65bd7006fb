package io.penstock.proxy.front;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.penstock.proxy.AttemptReport;
import io.penstock.proxy.ExchangeReport;
import io.penstock.proxy.ExchangeReport.Result;
import io.penstock.proxy.FailureKind;
import io.penstock.upstream.EngineActivity.Suspicion;
import io.penstock.upstream.Outcome;
import io.penstock.upstream.Standing;
import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * A request without output at a replica that is suspected to hang is asked of another one, too; whoever has output first
 * has it. Nothing of the loser reaches the client, nothing of it goes on, and nobody is charged.
 */
@SuppressWarnings("NullAway.Init") // Opened before each test.
class HedgeTest {

    private static final String FROM_A = "data: {\"from\":\"a\"}\n\n";
    private static final String FROM_B = "data: {\"from\":\"b\"}\n\n";

    private final CountDownLatch go = new CountDownLatch(1);
    private ScriptedReplica a;
    private ScriptedReplica b;
    private Stage stage;

    @BeforeEach
    void open() throws Exception {
        a = ScriptedReplica.start();
        b = ScriptedReplica.start();
        stage = Setting.with(a, b).open();
    }

    @AfterEach
    void close() throws Exception {
        stage.settle();
        for (String name : new String[] {"a", "b"}) {
            assertThat(stage.replica(name).inFlight()).isZero();
        }
        stage.close();
        Eventually.that("no replica is busy any more", () -> a.busy() + b.busy() == 0);
        a.close();
        b.close();
    }

    @Test
    void theOtherReplicaAnswersWhileTheSuspectedOneIsSilent() throws Exception {
        a.always(Script.begun().then(Script.SILENCE));
        b.always(Script.stream(FROM_B, Script.DONE));
        try (Client client = askA()) {
            suspect(Standing.SUSPECT);
            assertThat(client.reply().body()).isEqualTo(FROM_B + Script.DONE);
        }
        assertThat(b.call(0).text()).isEqualTo(a.call(0).text());
        ExchangeReport report = stage.report(0);
        assertThat(report.result()).isEqualTo(Result.COMPLETED);
        assertThat(report.attempts())
                .extracting(AttemptReport::replica, AttemptReport::failure)
                .containsExactly(tuple("a", FailureKind.HEDGE_LOST), tuple("b", null));
        assertThat(stage.replica("a").count(Outcome.FAILED)).isZero();
        Eventually.that("the loser's connection is closed", () -> a.busy() == 0);
    }

    @Test
    void theSuspectedReplicaWinsIfItComesFirst() throws Exception {
        a.always(Script.begun().then(Script.until(go)).then(Script.rest(FROM_A)));
        b.always(Script.begun().then(Script.SILENCE));
        try (Client client = askA()) {
            suspect(Standing.SUSPECT);
            b.call(0);
            go.countDown();
            assertThat(client.reply().body()).isEqualTo(FROM_A + Script.DONE);
        }
        assertThat(stage.report(0).attempts())
                .extracting(AttemptReport::replica)
                .containsExactly("b", "a");
        Eventually.that("the loser's connection is closed", () -> b.busy() == 0);
    }

    @Test
    void wholeAnswersAreHedgedToo() throws Exception {
        a.always(Script.SILENCE);
        b.always(Script.json("{\"from\":\"b\"}"));
        try (Client client = askA()) {
            suspect(Standing.SUSPECT);
            assertThat(client.reply().body()).isEqualTo("{\"from\":\"b\"}");
        }
    }

    @Test
    void hedgeThatFailsLeavesTheFirstAttemptAlone() throws Exception {
        a.always(Script.begun().then(Script.until(go)).then(Script.rest(FROM_A)));
        b.always(Script.answer(500, "application/json", "{\"error\":\"b\"}"));
        try (Client client = askA()) {
            suspect(Standing.SUSPECT);
            b.call(0);
            assertThat(client.isSilentFor(300)).isTrue();
            go.countDown();
            assertThat(client.reply().body()).isEqualTo(FROM_A + Script.DONE);
        }
        // What answered with an error is not asked again.
        assertThat(b.calls()).hasSize(1);
    }

    @Test
    void hedgeGoesOnWhenTheSuspectedReplicaDiesOrStalls() throws Exception {
        a.always(Script.begun().then(Script.SILENCE));
        b.always(Script.begun().then(Script.until(go)).then(Script.rest(FROM_B)));
        try (Client client = askA()) {
            suspect(Standing.SUSPECT);
            b.call(0);
            suspect(Standing.STALLED);
            Eventually.that("a is left", () -> stage.replica("a").inFlight() == 0);
            go.countDown();
            assertThat(client.reply().body()).isEqualTo(FROM_B + Script.DONE);
        }
        assertThat(b.calls()).hasSize(1);
        assertThat(stage.report(0).attempts().get(0).failure()).isEqualTo(FailureKind.STALLED_BEFORE_OUTPUT);
    }

    @Test
    void requestThatHasOutputIsNot() throws Exception {
        a.always(Script.begun(FROM_A).then(Script.until(go)).then(Script.END));
        try (Client client = askA()) {
            client.head();
            assertThat(client.chunk()).isEqualTo(FROM_A);
            suspect(Standing.SUSPECT);
            assertThat(client.isSilentFor(1500)).isTrue();
            go.countDown();
            client.until("[DONE]");
        }
        assertThat(b.calls()).isEmpty();
    }

    @Test
    void nobodyElseNoHedge() throws Exception {
        a.always(Script.begun().then(Script.until(go)).then(Script.rest(FROM_A)));
        try (Client client = askA()) {
            b.refuse();
            Eventually.that("b is out", () -> stage.ready() == 1);
            suspect(Standing.SUSPECT);
            assertThat(client.isSilentFor(1500)).isTrue();
            go.countDown();
            assertThat(client.reply().body()).isEqualTo(FROM_A + Script.DONE);
        }
        assertThat(b.calls()).isEmpty();
        b.listen();
    }

    @Test
    void placeThatBecomesFreeLaterIsTakenWithinSeconds() throws Exception {
        a.always(Script.begun().then(Script.SILENCE));
        b.always(Script.stream(FROM_B, Script.DONE));
        try (Client client = askA()) {
            b.refuse();
            Eventually.that("b is out", () -> stage.ready() == 1);
            suspect(Standing.SUSPECT);
            b.listen();
            assertThat(client.reply().body()).isEqualTo(FROM_B + Script.DONE);
        }
    }

    @Test
    void clientThatLeavesEndsBoth() throws Exception {
        a.always(Script.begun().then(Script.SILENCE));
        b.always(Script.begun().then(Script.SILENCE));
        try (Client client = askA()) {
            suspect(Standing.SUSPECT);
            b.call(0);
            assertThat(client.isSilentFor(50)).isTrue();
        }
        Eventually.that("both have stopped", () -> a.busy() + b.busy() == 0);
        assertThat(stage.report(0).failure()).isEqualTo(FailureKind.CLIENT_LEFT);
        assertThat(stage.report(0).attempts()).hasSize(2);
    }

    @Test
    void requestAtWhichTwoEnginesStoodStillIsRefused() throws Exception {
        a.always(Script.begun().then(Script.SILENCE));
        b.always(Script.begun().then(Script.SILENCE));
        try (ScriptedReplica c = ScriptedReplica.start();
                Stage three = Setting.with(a, b, c).open();
                Client client = Client.to(three)) {
            for (String name : new String[] {"b", "c"}) {
                three.replica(name).engine().suspect(new Suspicion(Standing.SUSPECT, "out of the way"));
            }
            client.send(Client.chat());
            a.call(0);
            three.replica("b").engine().suspect(null);
            three.suspect("a", Standing.STALLED);
            b.call(0);
            three.replica("c").engine().suspect(null);
            three.suspect("b", Standing.STALLED);
            Client.Reply reply = client.reply();
            assertThat(reply.status()).isEqualTo(502);
            assertThat(reply.body()).contains("poison_request");
            assertThat(c.calls()).isEmpty();
        }
    }

    /** A request that is at the first replica. */
    private Client askA() throws IOException {
        stage.replica("b").engine().suspect(new Suspicion(Standing.SUSPECT, "out of the way"));
        Client client = Client.to(stage).send(Client.chat());
        a.call(0);
        stage.replica("b").engine().suspect(null);
        return client;
    }

    private void suspect(Standing to) {
        stage.suspect("a", to);
    }
}
