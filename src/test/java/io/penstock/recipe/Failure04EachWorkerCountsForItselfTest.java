package io.penstock.recipe;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.proxy.front.Client;
import io.penstock.proxy.front.Eventually;
import io.penstock.proxy.front.Script;
import io.penstock.proxy.front.ScriptedReplica;
import io.penstock.proxy.front.Setting;
import io.penstock.proxy.front.Stage;
import io.penstock.upstream.Standing;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Recipe failure 4: each nginx worker counts connections and failures for itself. */
class Failure04EachWorkerCountsForItselfTest {

    private static final String EVENT = "data: {\"n\":1}\n\n";

    /** Connections are spread over two event loops, at random as far as anyone can tell; the load is one number. */
    @Test
    void streamsAreSpreadByOneCountOverAllEventLoops() throws Exception {
        try (ScriptedReplica one =
                        ScriptedReplica.start().always(Script.begun(EVENT).then(Script.SILENCE));
                ScriptedReplica other =
                        ScriptedReplica.start().always(Script.begun(EVENT).then(Script.SILENCE));
                Stage stage = Setting.with(one, other).open()) {
            List<Client> clients = new ArrayList<>();
            for (int i = 1; i <= 30; i++) {
                Client client = Client.to(stage).send(Client.chat());
                clients.add(client);
                client.head();
                int apart = stage.replica("a").inFlight() - stage.replica("b").inFlight();
                assertThat(Math.abs(apart)).isLessThanOrEqualTo(i % 2);
            }
            for (Client client : clients) {
                client.close();
            }
        }
    }

    @Test
    void whoFailsIsOutForAllOfThemAtOnce() throws Exception {
        try (ScriptedReplica bad =
                        ScriptedReplica.start().always(Script.answer(500, "application/json", "{\"error\":\"x\"}"));
                ScriptedReplica good = ScriptedReplica.start().always(Script.json("{}"));
                Stage stage = Setting.with(bad, good)
                        .ejection(5, Duration.ofMinutes(5))
                        .retries(2, 100, 100)
                        .open()) {
            List<Client> clients = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                clients.add(Client.to(stage)); // Some on either event loop.
            }
            for (int i = 0; stage.replica("a").standing() != Standing.EJECTED; i++) {
                Client client = clients.get(i % clients.size());
                assertThat(client.send(Client.chat()).reply().status()).isEqualTo(200);
                assertThat(i).isLessThan(200);
            }
            Eventually.that("nothing runs there", () -> stage.replica("a").inFlight() == 0);
            // Five failures in all, and those that were under way at the fifth; not five for each event loop.
            assertThat(bad.calls()).hasSizeLessThan(10);
            int before = bad.calls().size();
            for (Client client : clients) {
                assertThat(client.send(Client.chat()).reply().status()).isEqualTo(200);
                client.close();
            }
            assertThat(bad.calls()).hasSize(before);
        }
    }
}
