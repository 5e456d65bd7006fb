package io.penstock.recipe;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.proxy.front.Client;
import io.penstock.proxy.front.Eventually;
import io.penstock.proxy.front.Script;
import io.penstock.proxy.front.ScriptedReplica;
import io.penstock.proxy.front.Setting;
import io.penstock.proxy.front.Stage;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

/** Recipe failure 8: a container that is recreated has a new address, and traffic goes to the old one. */
class Failure08RecreatedContainerTest {

    private volatile String address = "127.0.0.1";

    @Test
    void trafficFollowsTheNameAndStreamsOnTheOldAddressFinish() throws Exception {
        CountDownLatch finish = new CountDownLatch(1);
        try (ScriptedReplica old = ScriptedReplica.start()
                        .next(Script.begun("data: 1\n\n")
                                .then(Script.until(finish))
                                .then(call -> call.chunk("data: 2\n\n"))
                                .then(Script.END))
                        .always(Script.json("{\"at\":1}"));
                ScriptedReplica recreated =
                        ScriptedReplica.startAt("127.0.0.2", old.port()).always(Script.json("{\"at\":2}"));
                Stage stage = Setting.with()
                        .replica("vllm0", old.port(), null, 0)
                        .resolver(host -> List.of(address))
                        .open();
                Client streaming = Client.to(stage);
                Client client = Client.to(stage)) {
            streaming.send(Client.chat()).head();
            assertThat(client.send(Client.post("/score", "{}")).reply().body()).isEqualTo("{\"at\":1}");
            address = "127.0.0.2";
            long moved = System.nanoTime();
            Eventually.that("the name is followed", () -> {
                try {
                    return client.send(Client.post("/score", "{}"))
                            .reply()
                            .body()
                            .equals("{\"at\":2}");
                } catch (java.io.IOException e) {
                    throw new IllegalStateException(e);
                }
            });
            assertThat(Duration.ofNanos(System.nanoTime() - moved)).isLessThan(Duration.ofSeconds(3));
            int before = old.calls().size();
            for (int i = 0; i < 5; i++) {
                assertThat(client.send(Client.post("/score", "{}")).reply().body())
                        .isEqualTo("{\"at\":2}");
            }
            assertThat(old.calls()).hasSize(before);
            finish.countDown();
            assertThat(streaming.until(Script.DONE + "\r\n0\r\n\r\n")).contains("data: 1", "data: 2");
            assertThat(recreated.call(0).header("host")).isEqualTo("vllm0:" + old.port());
        }
    }

    @Test
    void containerThatIsGoneIsReplacedWithoutALostRequest() throws Exception {
        try (ScriptedReplica old = ScriptedReplica.start().always(Script.json("{\"at\":1}"));
                Stage stage = Setting.with()
                        .replica("vllm0", old.port(), null, 0)
                        .resolver(host -> List.of(address))
                        .open();
                Client client = Client.to(stage)) {
            assertThat(client.send(Client.post("/score", "{}")).reply().status())
                    .isEqualTo(200);
            old.die();
            client.send(Client.post("/score", "{}")); // Waits, since there is no other.
            try (ScriptedReplica recreated =
                    ScriptedReplica.startAt("127.0.0.2", old.port()).always(Script.json("{\"at\":2}"))) {
                address = "127.0.0.2";
                assertThat(client.reply().body()).isEqualTo("{\"at\":2}");
                assertThat(recreated.calls()).hasSize(1);
            }
        }
    }
}
