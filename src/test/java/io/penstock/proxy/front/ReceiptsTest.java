package io.penstock.proxy.front;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.penstock.config.PenstockConfig.Policy;
import io.penstock.proxy.AttemptReport;
import io.penstock.proxy.Decision;
import io.penstock.proxy.Decision.Cause;
import io.penstock.proxy.ExchangeReport.Result;
import io.penstock.proxy.FailureKind;
import io.penstock.proxy.Receipt;
import io.penstock.upstream.Choice;
import io.penstock.upstream.Choice.Reason;
import io.penstock.upstream.Standing;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Every inference request leaves a receipt, and clients are told of it only if that is configured. */
@SuppressWarnings("NullAway.Init") // Opened before each test.
class ReceiptsTest {

    private static final String EVENT = "data: {\"n\":1}\n\n";
    private static final Script GOOD = Script.stream(EVENT, Script.DONE);
    private static final String SECRET = "sk-do-not-keep";
    private static final String PROMPT = "my very private words";
    private static final String BODY =
            "{\"model\":\"m\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"" + PROMPT + "\"}]}";

    private ScriptedReplica one;
    private ScriptedReplica two;

    @BeforeEach
    void open() throws Exception {
        one = ScriptedReplica.start();
        two = ScriptedReplica.start();
    }

    @AfterEach
    void close() throws Exception {
        one.close();
        two.close();
    }

    @Test
    void aPredictionIsHeldAgainstWhatCameTrue() throws Exception {
        one.always(Script.after(120).then(GOOD));
        try (Stage stage = Setting.with(one).policy(Policy.PREDICTED_DELAY).open();
                Client client = Client.to(stage)) {
            String request =
                    Client.post("/v1/chat/completions", BODY, "X-Request-Id: mine", "Authorization: Bearer " + SECRET);
            assertThat(client.send(request).reply().status()).isEqualTo(200);
            stage.report(0);

            Receipt receipt = only(stage, "mine");
            assertThat(receipt.model()).isEqualTo("m");
            assertThat(receipt.stream()).isTrue();
            assertThat(receipt.route()).isEqualTo("/v1/chat/completions");
            assertThat(receipt.policy()).isEqualTo(Policy.PREDICTED_DELAY);
            assertThat(receipt.promptTokens()).isPositive();
            assertThat(receipt.caller()).hasSize(16);
            assertThat(receipt.result()).isEqualTo(Result.COMPLETED);
            assertThat(receipt.status()).isEqualTo(200);
            assertThat(receipt.totalNanos()).isGreaterThanOrEqualTo(receipt.firstOutputNanos());
            Decision decision = receipt.decisions().get(0);
            assertThat(decision.why()).isEqualTo("only one usable");
            assertThat(decision.isJudged()).isTrue();
            assertThat(decision.firstOutputNanos()).isBetween(100_000_000L, receipt.firstOutputNanos());
            assertThat(decision.lateNanos())
                    .isEqualTo(decision.firstOutputNanos() - decision.choice().predictedNanos())
                    .isPositive();
            assertThat(receipt.toString()).doesNotContain(SECRET).doesNotContain("private");
            assertThat(stage.report(0).decisions()).isEqualTo(receipt.decisions());
        }
    }

    @Test
    void aPromptIsNotReadIfThePolicyDoesNotLookAtIt() throws Exception {
        one.always(GOOD);
        try (Stage stage = Setting.with(one).policy(Policy.LEAST_IN_FLIGHT).open();
                Client client = Client.to(stage)) {
            client.send(Client.post("/v1/chat/completions", BODY, "X-Request-Id: mine"))
                    .reply();
            stage.report(0);

            assertThat(only(stage, "mine").model()).isEqualTo("m");
            assertThat(only(stage, "mine").promptTokens()).isZero();
        }
    }

    @Test
    void aRequestCanBeExplainedWhileItWaitsForItsFirstOutput() throws Exception {
        CountDownLatch token = new CountDownLatch(1);
        one.always(Script.begun().then(Script.until(token)).then(Script.rest(EVENT)));
        try (Stage stage = Setting.with(one).open();
                Client client = Client.to(stage)) {
            client.send(Client.chat("X-Request-Id: slow"));
            one.call(0);

            Receipt early = only(stage, "slow");
            assertThat(early.decisions()).extracting(Decision::replica).containsExactly("a");
            assertThat(early.result()).isNull();
            assertThat(early.firstOutputNanos()).isEqualTo(-1);
            assertThat(early.totalNanos()).isEqualTo(-1);

            token.countDown();
            client.reply();
            stage.report(0);
            assertThat(only(stage, "slow").result()).isEqualTo(Result.COMPLETED);
        }
    }

    @Test
    void aRequestThatWaitsForAnyReplicaHasAReceiptWithoutADecision() throws Exception {
        one.always(GOOD);
        try (Stage stage = Setting.with(one).open();
                Client client = Client.to(stage);
                Client next = Client.to(stage)) {
            stage.replica("a").drain(true);
            client.send(Client.chat("X-Request-Id: waits"));
            Eventually.that("it waits", () -> stage.waiting() == 1);

            assertThat(only(stage, "waits").decisions()).isEmpty();
            stage.replica("a").drain(false);
            next.send(Client.chat()); // Whoever joins the queue looks whether it moves.
            client.reply();
            next.reply();
            stage.report(1);
            assertThat(only(stage, "waits").decisions()).hasSize(1);
            assertThat(only(stage, "waits").queueNanos()).isPositive();
        }
    }

    @Test
    void aFailoverSaysWhoFailedAndWhyTheOtherWasChosen() throws Exception {
        one.always(Script.FIN);
        two.always(GOOD);
        try (Stage stage = Setting.with(one, two)
                        .policy(Policy.LEAST_IN_FLIGHT)
                        .explained()
                        .open();
                Client client = Client.to(stage)) {
            Client.Reply reply = client.send(Client.chat("X-Request-Id: moved")).reply();
            stage.report(0);

            Receipt receipt = only(stage, "moved");
            assertThat(receipt.decisions())
                    .extracting(
                            Decision::replica,
                            Decision::cause,
                            each -> each.choice().reason(),
                            Decision::isJudged)
                    .containsExactly(
                            tuple("a", Cause.ARRIVAL, Reason.LEAST_IN_FLIGHT, false),
                            tuple("b", Cause.FAILOVER, Reason.ONLY_ONE_USABLE, false));
            assertThat(receipt.decisions().get(0).firstOutputNanos()).isEqualTo(-1);
            assertThat(receipt.decisions().get(1).firstOutputNanos()).isPositive();
            assertThat(receipt.attempts())
                    .extracting(AttemptReport::replica, AttemptReport::failure)
                    .containsExactly(tuple("a", FailureKind.DIED_BEFORE_OUTPUT), tuple("b", null));
            assertThat(reply.header("x-penstock-replica")).isEqualTo("b");
            assertThat(reply.header("x-penstock-reason")).isEqualTo("failover, only one usable");
        }
    }

    @Test
    void aRetrySaysSo() throws Exception {
        one.always(Script.answer(500, "application/json", "{\"error\":{}}"));
        two.always(Script.json("{\"id\":1}"));
        try (Stage stage = Setting.with(one, two).explained().open();
                Client client = Client.to(stage)) {
            Client.Reply reply = client.send(Client.post("/v1/chat/completions", "{\"model\":\"m\"}"))
                    .reply();

            assertThat(reply.status()).isEqualTo(200);
            assertThat(reply.header("x-penstock-replica")).isEqualTo("b");
            assertThat(reply.header("x-penstock-reason")).startsWith("retry, ");
        }
    }

    @Test
    void theErrorThatIsPassedOnNamesWhoSaidIt() throws Exception {
        one.always(Script.answer(500, "application/json", "{\"error\":{}}"));
        try (Stage stage = Setting.with(one).explained().open();
                Client client = Client.to(stage)) {
            Client.Reply reply = client.send(Client.chat("X-Request-Id: bad")).reply();
            stage.report(0);

            assertThat(reply.status()).isEqualTo(500);
            assertThat(reply.header("x-penstock-replica")).isEqualTo("a");
            assertThat(only(stage, "bad").result()).isEqualTo(Result.UPSTREAM_ERROR);
            assertThat(only(stage, "bad").decisions().get(0).firstOutputNanos()).isEqualTo(-1);
        }
    }

    @Test
    void aHedgeSaysSo() throws Exception {
        one.always(Script.begun().then(Script.SILENCE));
        two.always(GOOD);
        try (Stage stage = Setting.with(one, two).open();
                Client client = Client.to(stage)) {
            client.send(Client.chat("X-Request-Id: hedged"));
            one.call(0);
            stage.suspect("a", Standing.SUSPECT);
            client.reply();
            stage.report(0);

            assertThat(only(stage, "hedged").decisions())
                    .extracting(Decision::replica, Decision::cause, each -> each.firstOutputNanos() >= 0)
                    .containsExactly(tuple("a", Cause.ARRIVAL, false), tuple("b", Cause.HEDGE, true));
        }
    }

    @Test
    void clientsAreToldNothingUnlessConfigured() throws Exception {
        one.always(GOOD);
        try (Stage stage = Setting.with(one).open();
                Client client = Client.to(stage)) {
            assertThat(client.send(Client.chat()).reply().head()).doesNotContainIgnoringCase("x-penstock");
        }
    }

    @Test
    void aReloadLetsClientsKnow() throws Exception {
        one.always(GOOD);
        Setting setting = Setting.with(one);
        try (Stage stage = setting.open()) {
            stage.reconfigure(setting.explained());
            Eventually.that("an answer tells", () -> told(stage));
        }
    }

    private static boolean told(Stage stage) {
        try (Client client = Client.to(stage)) {
            return client.send(Client.chat())
                    .reply()
                    .header("x-penstock-replica")
                    .equals("a");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void whatAReplicaSaysUnderTheseNamesIsReplaced() throws Exception {
        one.always(Script.raw("HTTP/1.1 200 OK\r\nX-Penstock-Replica: me\r\ncontent-length: 2\r\n\r\n{}"));
        try (Stage stage = Setting.with(one).explained().open();
                Client client = Client.to(stage)) {
            Client.Reply reply = client.send(Client.chat()).reply();
            assertThat(reply.header("x-penstock-replica")).isEqualTo("a");
            assertThat(reply.header("x-penstock-reason")).isEqualTo("only one usable");
        }
    }

    @Test
    void aRequestThatGoesFromReplicaToReplicaLeavesABoundedReceipt() throws Exception {
        one.always(Script.answer(503, "application/json", "{}"));
        try (Stage stage = Setting.with(one).open();
                Client client = Client.to(stage)) {
            client.send(Client.chat("X-Request-Id: " + "i".repeat(128))).reply();
            stage.report(0);
            Receipt receipt = stage.receipts.newest(1).get(0);
            assertThat(receipt.requestId()).hasSize(128);
            assertThat(receipt.decisions()).hasSizeBetween(1, 4);
            assertThat(receipt.decisions().get(0).choice().options())
                    .extracting(Choice.Option::replica)
                    .containsExactly("a");
        }
    }

    private static Receipt only(Stage stage, String id) {
        List<Receipt> found = stage.receipts.find(id);
        assertThat(found).hasSize(1);
        return found.get(0);
    }
}
