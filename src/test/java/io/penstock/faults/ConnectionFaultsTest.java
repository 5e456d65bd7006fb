package io.penstock.faults;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.proxy.front.Script;
import io.penstock.proxy.front.ScriptedReplica;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** Trouble before a request has even left: hosts that swallow connections, and connections that have gone stale. */
@Tag("faults")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@SuppressWarnings("NullAway.Init") // Opened before the first test.
class ConnectionFaultsTest {

    private static final int PATIENCE_MILLIS = 15_000;
    private static final int IDLE_MILLIS = 15;
    private static final String MODELS = "{\"object\":\"list\",\"data\":[{\"id\":\"demo\",\"object\":\"model\"}]}";

    private Path folder;
    private Replicas replicas;
    private Truth truth;
    private Crowd crowd;

    @BeforeAll
    void open(@TempDir Path fresh) throws Exception {
        folder = fresh;
        replicas = Replicas.start(folder, 2, 5, 2);
        truth = new Truth(replicas.sim(0).port());
        crowd = new Crowd(truth);
    }

    @AfterAll
    void close() throws Exception {
        crowd.close();
        replicas.close();
        FaultTable.publish();
    }

    @TestFactory
    Stream<DynamicTest> hostThatSwallowsConnectionsCostsNobodyAnAnswer() {
        return everybody("host that swallows connections", this::blackHole);
    }

    @TestFactory
    Stream<DynamicTest> connectionsThatGoStaleCostNobodyAnAnswer() {
        return everybody("kept connections that go stale", this::stale);
    }

    private interface Trial {
        Row play(Contender contender) throws Exception;
    }

    private static Stream<DynamicTest> everybody(String name, Trial trial) {
        DynamicTest own = DynamicTest.dynamicTest("Penstock: " + name, () -> {
            Row row = trial.play(Contender.PENSTOCK);
            FaultTable.add(row);
            assertThat(row.broken()).as(name).isEmpty();
            assertThat(row.complete()).as(name).isEqualTo(row.requests());
        });
        return Stream.concat(
                Stream.of(own),
                Comparison.others()
                        .map(other -> DynamicTest.dynamicTest(
                                other.label() + ": " + name, () -> FaultTable.add(trial.play(other)))));
    }

    private Row blackHole(Contender contender) throws Exception {
        try (ScriptedReplica hole =
                ScriptedReplica.startWithTinyBacklog().idle(100).at("/v1/models", Script.json(MODELS))) {
            try (Balancer balancer =
                    contender.start(folder, List.of(hole.port(), replicas.sim(1).port()), false)) {
                PenstockBooks books = PenstockBooks.of(balancer);
                hole.blackHole();
                List<Question> questions = new ArrayList<>();
                for (int i = 0; i < 40; i++) {
                    questions.add(Truth.question("hole-" + i, i, Api.inTurn(i), i % 2 == 0, 8));
                }
                List<Answer> answers = Crowd.all(crowd.asks(balancer.port(), questions, PATIENCE_MILLIS));
                return row(contender, "host that swallows connections", answers, books);
            }
        }
    }

    private Row stale(Contender contender) throws Exception {
        replicas.mischief().clear();
        replicas.wire(0).closeIdle(IDLE_MILLIS);
        replicas.wire(1).closeIdle(IDLE_MILLIS);
        try (Balancer balancer = contender.start(folder, replicas.wirePorts(), true)) {
            PenstockBooks books = PenstockBooks.of(balancer);
            List<Answer> answers = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                Question question = Truth.question("stale-" + i, i, Api.inTurn(i), i % 2 == 0, 4);
                answers.add(truth.ask(balancer.port(), question, PATIENCE_MILLIS));
                Thread.sleep(IDLE_MILLIS - 2 + i % 5); // Around the moment at which the connection is closed.
            }
            return row(contender, "kept connections that go stale", answers, books);
        } finally {
            replicas.wire(0).closeIdle(0);
            replicas.wire(1).closeIdle(0);
        }
    }

    private Row row(Contender contender, String name, List<Answer> answers, @Nullable PenstockBooks books)
            throws Exception {
        int leaked = replicas.leaked();
        List<String> wrong = new ArrayList<>(replicas.wrongBooks());
        wrong.addAll(PenstockBooks.wrong(books, answers));
        return Row.of(contender, "connecting", name, "both", answers, PenstockBooks.retries(books), leaked, wrong);
    }
}
