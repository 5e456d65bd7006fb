package io.penstock.recipe;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.proxy.front.Client;
import io.penstock.proxy.front.Eventually;
import io.penstock.proxy.front.Script;
import io.penstock.proxy.front.ScriptedReplica;
import io.penstock.proxy.front.Setting;
import io.penstock.proxy.front.Stage;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

/** Recipe failure 13: nobody can say "no new work there, and tell me when the rest is done". */
class Failure13NoDrainTest {

    private static final String EVENT = "data: {\"n\":1}\n\n";

    @Test
    void drainedReplicaFinishesItsStreamsAndGetsNoWorkUntilItIsUndrained() throws Exception {
        CountDownLatch end = new CountDownLatch(1);
        try (ScriptedReplica leaving = ScriptedReplica.start()
                        .always(Script.begun(EVENT).then(Script.until(end)).then(Script.END));
                ScriptedReplica staying = ScriptedReplica.start().always(Script.stream(EVENT, Script.DONE));
                Stage stage = Setting.with(leaving, staying).open();
                Client running = Client.to(stage);
                Client next = Client.to(stage)) {
            stage.replica("b").drain(true);
            running.send(Client.chat()).head();
            stage.replica("b").drain(false);

            stage.replica("a").drain(true);
            for (int i = 0; i < 10; i++) {
                assertThat(next.send(Client.chat()).reply().body()).endsWith(Script.DONE);
            }
            assertThat(leaving.calls()).hasSize(1);
            assertThat(stage.replica("a").inFlight()).isEqualTo(1);

            end.countDown();
            assertThat(running.until("\r\n0\r\n\r\n")).contains(EVENT, "[DONE]");
            Eventually.that("it is empty", () -> stage.replica("a").inFlight() == 0);

            stage.replica("a").drain(false);
            // Whoever would have been chosen of the two: now it can only be the one that is back.
            stage.replica("b").drain(true);
            assertThat(next.send(Client.chat()).reply().body()).endsWith(Script.DONE);
            assertThat(leaving.calls()).hasSize(2);
        }
    }
}
