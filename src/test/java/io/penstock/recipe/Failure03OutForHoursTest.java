package io.penstock.recipe;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.config.PenstockConfig;
import io.penstock.proxy.front.Client;
import io.penstock.proxy.front.Eventually;
import io.penstock.proxy.front.Script;
import io.penstock.proxy.front.ScriptedReplica;
import io.penstock.proxy.front.Setting;
import io.penstock.proxy.front.Stage;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Recipe failure 3: three failures take a replica out for 2.8 hours. */
class Failure03OutForHoursTest {

    @Test
    void replicaIsBackWithinSecondsOfItsRecovery() throws Exception {
        try (ScriptedReplica dying = ScriptedReplica.start().always(Script.json("{}"));
                ScriptedReplica other = ScriptedReplica.start().always(Script.json("{}"));
                Stage stage = Setting.with(dying, other)
                        .probes(PenstockConfig.Probe.DEFAULT.interval())
                        .open();
                Client client = Client.to(stage)) {
            for (int round = 0; round < 2; round++) {
                dying.die();
                for (int i = 0; i < 6; i++) {
                    assertThat(client.send(Client.post("/score", "{}")).reply().status())
                            .isEqualTo(200);
                }
                Eventually.that("it is out", () -> stage.ready() == 1);
                dying.listen();
                long recovered = System.nanoTime();
                int before = dying.calls().size();
                Eventually.that("it gets work again", () -> {
                    try {
                        client.send(Client.post("/score", "{}")).reply();
                    } catch (java.io.IOException e) {
                        throw new IllegalStateException(e);
                    }
                    return dying.calls().size() > before;
                });
                assertThat(Duration.ofNanos(System.nanoTime() - recovered)).isLessThan(Duration.ofSeconds(3));
            }
        }
    }

    @Test
    void failuresThatSuccessesInterruptTakeNobodyOut() throws Exception {
        try (ScriptedReplica shaky = ScriptedReplica.start();
                ScriptedReplica other = ScriptedReplica.start().always(Script.json("{}"));
                Stage stage = Setting.with(shaky, other).open();
                Client client = Client.to(stage)) {
            shaky.always(call -> (shaky.calls().size() % 2 == 0 ? Script.json("{}") : Script.FIN).play(call));
            for (int i = 0; i < 40; i++) {
                assertThat(client.send(Client.post("/score", "{}")).reply().status())
                        .isEqualTo(200);
            }
            assertThat(shaky.calls()).hasSizeGreaterThan(10);
            assertThat(stage.ready()).isEqualTo(2);
        }
    }
}
