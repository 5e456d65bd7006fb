package io.penstock.proxy.front;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.proxy.ExchangeReport.Result;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the observer is told beside reports. That nothing is held in the end, every test of a stage looks after. */
@SuppressWarnings("NullAway.Init") // Opened before each test.
class ObservedTest {

    private static final String COMMENT = ": still loading\n\n";

    private final CountDownLatch go = new CountDownLatch(1);
    private ScriptedReplica replica;
    private Stage stage;

    @BeforeEach
    void open() throws Exception {
        replica = ScriptedReplica.start();
        stage = Setting.with(replica).open();
    }

    @AfterEach
    void close() throws Exception {
        stage.close();
        Eventually.that("no replica is busy any more", () -> replica.busy() == 0);
        replica.close();
    }

    @Test
    void whatPrecedesTheFirstOutputIsHeldAndNothingAfterIt() throws Exception {
        CountDownLatch rest = new CountDownLatch(1);
        replica.always(Script.begun(COMMENT, COMMENT)
                .then(Script.until(go))
                .then(call -> call.chunk("data: {\"n\":1}\n\ndata: {\"n\":"))
                .then(Script.until(rest))
                .then(call -> call.chunk("2}\n\n"))
                .then(Script.END));
        try (Client client = Client.to(stage)) {
            client.send(Client.chat());
            Eventually.that("both comments are held", () -> stage.held() == 2L * COMMENT.length());
            go.countDown();
            client.head();
            assertThat(client.chunk()).endsWith("1}\n\n");
            assertThat(stage.held()).isZero();
            rest.countDown();
            client.until("data: [DONE]\n\n");
            assertThat(stage.report(0).result()).isEqualTo(Result.COMPLETED);
        }
    }

    @Test
    void aStreamsFirstOutputIsToldWhenItLeavesAndNoErrorIsOne() throws Exception {
        replica.next(Script.begun("data: {\"n\":1}\n\n").then(Script.until(go)).then(Script.END));
        replica.always(Script.answer(400, "application/json", "{\"error\":{\"message\":\"too long\"}}"));
        try (Client client = Client.to(stage)) {
            client.send(Client.chat());
            client.head();
            client.until("1}\n\n");
            Eventually.that("it is told", () -> stage.firstOutputs().size() == 1);
            go.countDown();
            client.until("data: [DONE]\n\n");
        }
        try (Client client = Client.to(stage)) {
            client.send(Client.chat());
            assertThat(client.head()).startsWith("HTTP/1.1 400");
        }
        assertThat(stage.report(0).firstOutputNanos()).isNotNegative();
        assertThat(stage.report(1).status()).isEqualTo(400);
        assertThat(stage.report(1).firstOutputNanos()).isNegative();
        assertThat(stage.firstOutputs()).containsExactly(stage.report(0).replica());
    }

    @Test
    void aWholeAnswerIsHeldUntilItIsWholeAndNotOnceItsClientHasLeft() throws Exception {
        String half = "{\"half\":";
        replica.always(
                Script.raw("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n" + half)
                        .then(Script.until(go))
                        .then(Script.raw("1}")));
        try (Client client = Client.to(stage)) {
            client.send(Client.post("/v1/embeddings", "{}"));
            Eventually.that("half of it is held", () -> stage.held() == half.length());
            client.reset();
        }
        assertThat(stage.report(0).result()).isEqualTo(Result.CLIENT_LEFT);
        Eventually.that("nothing is held", () -> stage.held() == 0);
        go.countDown();
    }

    @Test
    void everyEventLoopTellsHowLateItIs() {
        Eventually.that("two loops have told", () -> stage.loops().size() == 2);
    }
}
