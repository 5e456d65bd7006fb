package io.penstock.proxy.front;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.upstream.Standing;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Nobody watches the replicas any more: then all but those that refuse get work, and clients notice nothing. */
class SilentProbesTest {

    private static final String EVENT = "data: {\"n\":1}\n\n";
    private static final Duration TOO_LONG = Duration.ofSeconds(11);

    @Test
    void whoeverWaitsGetsAReplicaThatMayBeWellAndOthersNeedNotWait() throws Exception {
        try (ScriptedReplica replica = unwell();
                Stage stage = Setting.with(replica).ready(0).open();
                Client waiting = Client.to(stage);
                Client next = Client.to(stage)) {
            waiting.send(Client.chat());
            Eventually.that("it waits", () -> stage.waiting() == 1);
            assertThat(health(stage)).isEqualTo(503);

            stage.silenceProbes(TOO_LONG);

            assertThat(waiting.reply().body()).contains(EVENT);
            assertThat(next.send(Client.chat()).reply().body()).contains(EVENT);
            assertThat(health(stage)).isEqualTo(200);
        }
    }

    @Test
    void silenceOfLessThanTenSecondsChangesNothing() throws Exception {
        try (ScriptedReplica replica = unwell();
                Stage stage = Setting.with(replica).ready(0).open();
                Client waiting = Client.to(stage)) {
            waiting.send(Client.chat());
            Eventually.that("it waits", () -> stage.waiting() == 1);

            stage.silenceProbes(Duration.ofSeconds(5));

            assertThat(stage.live.blind()).isFalse();
            assertThat(health(stage)).isEqualTo(503);
            assertThat(stage.waiting()).isEqualTo(1);
        }
    }

    @Test
    void onceTheyAreBackTheirWordCountsAgain() throws Exception {
        try (ScriptedReplica replica = unwell();
                Stage stage = Setting.with(replica).ready(0).open();
                Client waiting = Client.to(stage)) {
            stage.silenceProbes(TOO_LONG);
            assertThat(health(stage)).isEqualTo(200);

            stage.bringProbesBack();

            Eventually.that("they are believed", () -> !stage.live.blind());
            waiting.send(Client.chat());
            Eventually.that("it waits", () -> stage.waiting() == 1);
            assertThat(health(stage)).isEqualTo(503);
        }
    }

    @Test
    void whoRefusesConnectionsGetsNothingAllTheSame() throws Exception {
        try (ScriptedReplica well = ScriptedReplica.start();
                ScriptedReplica gone = ScriptedReplica.start();
                Stage stage = Setting.with(well, gone).open()) {
            well.always(Script.stream(EVENT, Script.DONE));
            gone.refuse();
            stage.awaitStanding("b", Standing.REFUSED);

            stage.silenceProbes(TOO_LONG);

            assertThat(stage.live.blind()).isTrue();
            for (int i = 0; i < 4; i++) {
                try (Client client = Client.to(stage)) {
                    assertThat(client.send(Client.chat()).reply().status()).isEqualTo(200);
                }
            }
            stage.settle();
            assertThat(stage.reports())
                    .hasSize(4)
                    .allMatch(report -> report.attempts().size() == 1);
        }
    }

    /** Fails its probes and would serve. */
    private static ScriptedReplica unwell() throws Exception {
        return ScriptedReplica.start()
                .at("/health", Script.answer(500, "text/plain", ""))
                .always(Script.stream(EVENT, Script.DONE));
    }

    private static int health(Stage stage) throws Exception {
        try (Client client = Client.to(stage)) {
            return client.send(Client.request("GET", "/health")).reply().status();
        }
    }
}
