package io.penstock.proxy.front;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.proxy.ExchangeReport.Result;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The list of models, merged over replicas that differ, lie, hang or refuse. */
@SuppressWarnings("NullAway.Init") // Opened before each test.
class ModelsTest {

    private static final String LIST = "/v1/models";

    private ScriptedReplica one;
    private ScriptedReplica two;

    @BeforeEach
    void open() throws Exception {
        one = ScriptedReplica.start().at(LIST, models("base", "org/big-model"));
        two = ScriptedReplica.start().at(LIST, models("base", "adapter"));
    }

    @AfterEach
    void close() throws Exception {
        one.close();
        two.close();
    }

    private static Script models(String... ids) {
        JsonArray data = new JsonArray();
        for (String id : ids) {
            data.add(new JsonObject()
                    .put("id", id)
                    .put("object", "model")
                    .put("max_model_len", 4096)
                    .put("parent", id.equals("adapter") ? "base" : null));
        }
        return Script.json(
                new JsonObject().put("object", "list").put("data", data).encode());
    }

    private static JsonArray ids(Client.Reply reply) {
        JsonArray ids = new JsonArray();
        new JsonObject(reply.body()).getJsonArray("data").forEach(each -> ids.add(((JsonObject) each).getString("id")));
        return ids;
    }

    @Test
    void listsAreMergedWithEveryFieldAndWithoutDuplicates() throws Exception {
        try (Stage stage = Setting.with(one, two).open();
                Client client = Client.to(stage)) {
            Client.Reply reply = client.send(Client.request("GET", LIST)).reply();
            assertThat(ids(reply)).containsExactly("base", "org/big-model", "adapter");
            JsonObject adapter =
                    new JsonObject(reply.body()).getJsonArray("data").getJsonObject(2);
            assertThat(adapter.getInteger("max_model_len")).isEqualTo(4096);
            assertThat(adapter.getString("parent")).isEqualTo("base");
            assertThat(new JsonObject(reply.body()).getString("object")).isEqualTo("list");
            assertThat(stage.report(0).route()).isEqualTo(LIST);
        }
    }

    @Test
    void oneModelIsFoundByItsIdSlashesAndEscapesIncluded() throws Exception {
        try (Stage stage = Setting.with(one, two).open();
                Client client = Client.to(stage)) {
            for (String path : new String[] {"/v1/models/org/big-model", "/v1/models/org%2Fbig-model"}) {
                Client.Reply reply = client.send(Client.request("GET", path)).reply();
                assertThat(new JsonObject(reply.body()).getString("id")).isEqualTo("org/big-model");
            }
            Client.Reply unknown =
                    client.send(Client.request("GET", "/v1/models/none")).reply();
            assertThat(unknown.status()).isEqualTo(404);
            assertThat(unknown.body()).contains("model_not_found", "`none`");
        }
    }

    @ParameterizedTest
    @EnumSource(Broken.class)
    void brokenReplicaDoesNotHideTheOthersModels(Broken how) throws Exception {
        try (Stage stage = Setting.with(one, two).probes(Duration.ofSeconds(30)).open();
                Client client = Client.to(stage)) {
            two.at(LIST, how.script);
            if (how == Broken.REFUSES) {
                two.refuse();
            }
            Client.Reply reply = client.send(Client.request("GET", LIST)).reply();
            assertThat(reply.status()).isEqualTo(200);
            assertThat(ids(reply)).containsExactly("base", "org/big-model");
            assertThat(client.send(Client.request("GET", "/version")).reply().status())
                    .isEqualTo(200);
        }
    }

    /** What is wrong with the second replica. */
    enum Broken {
        CLOSES(Script.FIN),
        RESETS(Script.RESET),
        REFUSES(Script.FIN),
        ANSWERS_500(Script.answer(500, "text/plain", "boom")),
        ANSWERS_401(Script.answer(401, "application/json", "{}")),
        ANSWERS_NONSENSE(Script.json("[1,2")),
        ANSWERS_ANOTHER_SHAPE(Script.json("{\"data\":{\"id\":1}}")),
        CUTS_ITS_BODY(Script.raw(Script.head(200, "application/json", 100) + "{\"data\":")
                .then(Script.FIN));

        @SuppressWarnings("ImmutableEnumChecker") // Scripts hold no state.
        private final Script script;

        Broken(Script script) {
            this.script = script;
        }
    }

    @Test
    void answerOfAllIsPassedOnWhenNobodyHasAList() throws Exception {
        String body = "{\"error\":\"Unauthorized\"}";
        one.at(LIST, Script.answer(401, "application/json", body));
        two.at(LIST, Script.answer(401, "application/json", body));
        try (Stage stage = Setting.with(one, two).open();
                Client client = Client.to(stage)) {
            Client.Reply reply = client.send(Client.request("GET", LIST)).reply();
            assertThat(reply.status()).isEqualTo(401);
            assertThat(reply.body()).isEqualTo(body);
            assertThat(stage.report(0).result()).isEqualTo(Result.UPSTREAM_ERROR);
        }
    }

    @Test
    void noReplicaMeans503AndNotAnEmptyList() throws Exception {
        one.refuse();
        try (Stage stage = Setting.with(one).ready(0).open();
                Client client = Client.to(stage)) {
            Client.Reply reply = client.send(Client.request("GET", LIST)).reply();
            assertThat(reply.status()).isEqualTo(503);
            assertThat(reply.header("retry-after")).isNotEmpty();
        }
    }

    @Test
    void replicasThatAllFailMean503() throws Exception {
        try (Stage stage = Setting.with(one).probes(Duration.ofSeconds(30)).open();
                Client client = Client.to(stage)) {
            one.at(LIST, Script.FIN);
            assertThat(client.send(Client.request("GET", LIST)).reply().status())
                    .isEqualTo(503);
        }
    }

    @ParameterizedTest
    @EnumSource(ClientLeavesTest.Way.class)
    void clientThatLeavesIsBookedAndTheReplicasAreTold(ClientLeavesTest.Way way) throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch told = new CountDownLatch(1);
        try (Stage stage = Setting.with(one).probes(Duration.ofSeconds(30)).open();
                Client client = Client.to(stage)) {
            one.at(LIST, call -> {
                asked.countDown();
                call.awaitClosed();
                told.countDown();
            });
            client.send(Client.request("GET", LIST));
            assertThat(asked.await(10, java.util.concurrent.TimeUnit.SECONDS)).isTrue();
            way.leave(client);
            assertThat(told.await(1, java.util.concurrent.TimeUnit.SECONDS)).isTrue();
            assertThat(stage.report(0).result()).isEqualTo(Result.CLIENT_LEFT);
        }
    }

    @Test
    void getWithABodyIsAnswered() throws Exception {
        try (Stage stage = Setting.with(one).open();
                Client client = Client.to(stage)) {
            client.send(Client.request("GET", LIST, "Content-Length: 5") + "hello");
            assertThat(client.reply().status()).isEqualTo(200);
        }
    }

    @Test
    void connectionsThatReplicasCloseWhileIdleCostNobodyAnError() throws Exception {
        one.idle(20);
        try (Stage stage = Setting.with(one).open();
                Client client = Client.to(stage)) {
            int failed = 0;
            for (int i = 0; i < 60; i++) {
                failed += client.send(Client.request("GET", LIST)).reply().status() == 200 ? 0 : 1;
                Thread.sleep(18 + i % 4); // The replica closes at 20 ms: this is the race itself.
            }
            assertThat(failed).isZero();
        }
    }
}
