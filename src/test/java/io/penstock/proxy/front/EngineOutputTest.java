package io.penstock.proxy.front;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.upstream.UpstreamState;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Which bytes of a replica show that its engine works: those that hold output, and no others. */
@SuppressWarnings("NullAway.Init") // Opened before each test.
class EngineOutputTest {

    private static final String EVENT = "data: {\"n\":1}\n\n";
    private static final String COMMENT = ": still here\n\n";

    private ScriptedReplica replica;
    private Stage stage;
    private UpstreamState state;

    @BeforeEach
    void open() throws Exception {
        replica = ScriptedReplica.start();
        stage = Setting.with(replica).retries(0, 0, 0).open();
        state = stage.replica("a");
    }

    @AfterEach
    void close() throws Exception {
        stage.close();
        replica.close();
    }

    @Test
    void eventsWithOutputAreOutputAndCommentsAreNot() throws Exception {
        CountDownLatch more = new CountDownLatch(1);
        replica.always(call -> {
            Script.begun(EVENT).play(call);
            Script.until(more).play(call);
            call.chunk(COMMENT);
            Script.SILENCE.play(call);
        });
        try (Client client = Client.to(stage)) {
            client.send(Client.chat()).head();
            assertThat(client.chunk()).isEqualTo(EVENT);
            long output = state.engine().lastOutputNanos();
            long progress = state.lastProgressNanos();
            assertThat(output).isNotZero().isEqualTo(progress);

            more.countDown();
            Eventually.that("the comment is there", () -> state.lastProgressNanos() > progress);
            assertThat(state.engine().lastOutputNanos()).isEqualTo(output);
        }
    }

    @Test
    void wholeAnswersAreOutputAndErrorsAreNot() throws Exception {
        replica.always(Script.json("{\"n\":1}"));
        try (Client client = Client.to(stage)) {
            assertThat(client.send(Client.chat()).reply().status()).isEqualTo(200);
            long output = state.engine().lastOutputNanos();
            assertThat(output).isNotZero().isEqualTo(state.lastProgressNanos());

            replica.always(Script.answer(500, "application/json", "{\"error\":{\"message\":\"no\"}}"));
            assertThat(client.send(Client.chat()).reply().status()).isEqualTo(500);
            assertThat(state.lastProgressNanos()).isGreaterThan(output);
            assertThat(state.engine().lastOutputNanos()).isEqualTo(output);
        }
    }
}
