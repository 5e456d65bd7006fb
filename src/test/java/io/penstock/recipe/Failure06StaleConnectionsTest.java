package io.penstock.recipe;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.config.PenstockConfig;
import io.penstock.proxy.front.Client;
import io.penstock.proxy.front.Script;
import io.penstock.proxy.front.ScriptedReplica;
import io.penstock.proxy.front.Setting;
import io.penstock.proxy.front.Stage;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Recipe failure 6: sporadic 502 on connections that the replica has closed while they were idle. */
class Failure06StaleConnectionsTest {

    @Test
    void connectionsAreKeptForLessTimeThanReplicasKeepThem() {
        assertThat(PenstockConfig.Timeouts.DEFAULT.upstreamIdle()).isLessThan(Duration.ofSeconds(5));
    }

    @Test
    void connectionThatDiesUnansweredCostsNeitherClientNorReplicaAnything() throws Exception {
        try (ScriptedReplica replica =
                        ScriptedReplica.start().always(Script.json("{}")).idle(15);
                Stage stage = Setting.with(replica).open();
                Client client = Client.to(stage)) {
            for (int i = 0; i < 120; i++) {
                assertThat(client.send(Client.post("/v1/completions", "{}"))
                                .reply()
                                .status())
                        .isEqualTo(200);
                Thread.sleep(13 + i % 4); // Around the moment at which the replica closes.
            }
            assertThat(stage.ready()).isEqualTo(1);
        }
    }
}
