package io.penstock.recipe;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.proxy.front.Client;
import io.penstock.proxy.front.Eventually;
import io.penstock.proxy.front.Script;
import io.penstock.proxy.front.ScriptedReplica;
import io.penstock.proxy.front.Setting;
import io.penstock.proxy.front.Stage;
import java.net.UnknownHostException;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** Recipe failure 7: the proxy does not start if one name does not resolve. */
class Failure07NameThatDoesNotResolveTest {

    @Test
    void startsServesWithTheOthersAndPicksItUpWhenItAppears() throws Exception {
        AtomicBoolean exists = new AtomicBoolean();
        try (ScriptedReplica known = ScriptedReplica.start().always(Script.json("{\"who\":\"known\"}"));
                ScriptedReplica late = ScriptedReplica.start().always(Script.json("{\"who\":\"late\"}"));
                Stage stage = Setting.with(known)
                        .replica("vllm1", late.port(), null, 0)
                        .resolver(host -> {
                            if (!exists.get()) {
                                throw new UnknownHostException(host);
                            }
                            return List.of("127.0.0.1");
                        })
                        .ready(1)
                        .open();
                Client client = Client.to(stage)) {
            for (int i = 0; i < 4; i++) {
                assertThat(client.send(Client.post("/score", "{}")).reply().body())
                        .contains("known");
            }
            exists.set(true);
            Eventually.that("it is in rotation", () -> stage.ready() == 2);
            for (int i = 0; i < 4; i++) {
                client.send(Client.post("/score", "{}")).reply();
            }
            assertThat(late.calls()).isNotEmpty();
            assertThat(late.call(0).header("host")).isEqualTo("vllm1:" + late.port());
        }
    }

    @Test
    void requestWaitsWhenNoNameResolvesAtAll() throws Exception {
        AtomicBoolean exists = new AtomicBoolean();
        try (ScriptedReplica late = ScriptedReplica.start().always(Script.json("{}"));
                Stage stage = Setting.with()
                        .replica("vllm0", late.port(), null, 0)
                        .resolver(host -> exists.get() ? List.of("127.0.0.1") : List.of())
                        .ready(0)
                        .open();
                Client client = Client.to(stage)) {
            client.send(Client.post("/score", "{}"));
            Eventually.that("it waits", () -> stage.waiting() == 1);
            exists.set(true);
            assertThat(client.reply().status()).isEqualTo(200);
        }
    }
}
