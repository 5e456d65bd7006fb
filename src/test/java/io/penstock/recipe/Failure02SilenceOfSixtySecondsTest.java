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

/** Recipe failure 2: sixty seconds without a byte end a stream as an empty 200, and another answer as 504 in HTML. */
class Failure02SilenceOfSixtySecondsTest {

    @Test
    void noLimitOnSilenceExistsUnlessTheOperatorSetsOne() {
        assertThat(PenstockConfig.Timeouts.DEFAULT.firstOutput()).isZero();
        assertThat(PenstockConfig.Timeouts.DEFAULT.total()).isZero();
    }

    @Test
    void streamingClientHearsThatTheLineIsAliveAndGetsItsAnswer() throws Exception {
        // Every other time limit is far shorter than the silence here.
        Duration brief = Duration.ofMillis(300);
        try (ScriptedReplica replica = ScriptedReplica.start()
                        .always(Script.begun()
                                .then(Script.after(3000))
                                .then(call -> call.chunk("data: 1\n\n"))
                                .then(Script.END));
                Stage stage = Setting.with(replica)
                        .heartbeat(Duration.ofMillis(500))
                        .clients(brief, brief, brief)
                        .connect(brief)
                        .upstreamIdle(Duration.ofSeconds(1))
                        .open();
                Client client = Client.to(stage)) {
            Client.Reply reply = client.send(Client.chat()).reply();
            assertThat(reply.status()).isEqualTo(200);
            assertThat(reply.chunks()).hasSizeGreaterThan(4);
            assertThat(reply.chunks().get(0)).startsWith(":");
            assertThat(reply.body()).endsWith("\n\ndata: 1\n\n" + Script.DONE);
        }
    }

    @Test
    void otherClientsGetTheirAnswerHoweverLateItIs() throws Exception {
        Duration brief = Duration.ofMillis(300);
        try (ScriptedReplica replica =
                        ScriptedReplica.start().always(Script.after(3000).then(Script.json("{\"late\":1}")));
                Stage stage = Setting.with(replica)
                        .clients(brief, brief, brief)
                        .connect(brief)
                        .upstreamIdle(Duration.ofSeconds(1))
                        .open();
                Client client = Client.to(stage)) {
            assertThat(client.send(Client.post("/v1/completions", "{}")).reply().body())
                    .isEqualTo("{\"late\":1}");
        }
    }
}
