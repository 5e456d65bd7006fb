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

/** Recipe failure 15: a host that swallows connections costs every caller sixty seconds. */
class Failure15BlackHoleTest {

    @Test
    void costsOneCallerTheConnectTimeoutAndNobodyAfterwards() throws Exception {
        assertThat(PenstockConfig.Timeouts.DEFAULT.connect()).isEqualTo(Duration.ofSeconds(2));
        Duration connect = Duration.ofMillis(400);
        try (ScriptedReplica hole = ScriptedReplica.startWithTinyBacklog();
                ScriptedReplica other = ScriptedReplica.start().always(Script.json("{}"));
                Stage stage = Setting.with(hole, other)
                        .probes(Duration.ofSeconds(30))
                        .connect(connect)
                        .open();
                Client client = Client.to(stage)) {
            hole.blackHole();
            int slow = 0;
            for (int i = 0; i < 10; i++) {
                long start = System.nanoTime();
                assertThat(client.send(Client.post("/score", "{}")).reply().status())
                        .isEqualTo(200);
                Duration took = Duration.ofNanos(System.nanoTime() - start);
                assertThat(took).isLessThan(connect.multipliedBy(3));
                slow += took.compareTo(connect.dividedBy(2)) > 0 ? 1 : 0;
            }
            assertThat(slow).isEqualTo(1);
            assertThat(stage.ready()).isEqualTo(1);
        }
    }
}
