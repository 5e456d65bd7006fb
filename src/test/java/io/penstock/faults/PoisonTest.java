package io.penstock.faults;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.faults.Strike.Cut;
import io.penstock.faults.Strike.Manner;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** A request that kills whichever engine reads it. */
@Tag("faults")
class PoisonTest {

    private static final int PATIENCE_MILLIS = 5_000;
    private static final String NAME = "request that kills each of 3 replicas that reads it";

    @AfterAll
    static void publish() throws Exception {
        FaultTable.publish();
    }

    /**
     * What happened.
     *
     * @param dead replicas that died of it
     * @param first the answer to the deadly request
     * @param again the answer when it is sent once more
     * @param row how everybody else fared
     */
    private record Course(int dead, Reply first, Reply again, Row row) {}

    @Test
    void atMostTwoReplicasDieAndTheOthersAreServed(@TempDir Path folder) throws Exception {
        Course course = play(folder, Contender.PENSTOCK);
        FaultTable.add(course.row());
        assertThat(course.dead()).isLessThanOrEqualTo(2);
        assertThat(course.row().broken()).isEmpty();
        assertThat(course.row().complete()).isEqualTo(course.row().requests());
        assertThat(course.first().status()).isEqualTo(502);
        assertThat(course.first().header("x-should-retry")).isEqualTo("false");
        assertThat(course.again().status()).isEqualTo(422);
    }

    @TestFactory
    Stream<DynamicTest> othersGoThroughTheSame(@TempDir Path folder) {
        return Comparison.others()
                .map(other -> DynamicTest.dynamicTest(
                        other.label(), () -> FaultTable.add(play(folder, other).row())));
    }

    private static Course play(Path folder, Contender contender) throws Exception {
        try (Replicas replicas = Replicas.start(folder, 3, 5, 2);
                SimProcess teller = new SimProcess(folder, "teller", 0, 0).ready();
                Crowd crowd = new Crowd(new Truth(teller.port()));
                Balancer balancer = contender.start(folder, replicas.wirePorts(), false)) {
            ConcurrentLinkedQueue<Future<?>> deaths = new ConcurrentLinkedQueue<>();
            for (int i = 0; i < replicas.size(); i++) {
                int victim = i;
                replicas.wire(i)
                        .onKill(() -> deaths.add(crowd.runs(() -> {
                            replicas.kill(victim);
                            return null;
                        })));
            }
            Question deadly = Truth.question("deadly", 0, Api.CHAT, true, 8);
            replicas.mischief().plan(deadly.id(), Strike.wire(Cut.KILL, Manner.RESET));
            Reply first = send(balancer, deadly);
            Reply again = send(balancer, deadly);
            List<Question> questions = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                questions.add(Truth.question("bystander-" + i, i, Api.inTurn(i), true, 8));
            }
            List<Answer> answers = Crowd.all(crowd.asks(balancer.port(), questions, PATIENCE_MILLIS));
            for (Future<?> death : deaths) {
                death.get();
            }
            int retries = Math.max(0, replicas.mischief().tries(deadly.id()) - 2);
            List<String> wrong = new ArrayList<>(replicas.wrongBooks());
            if (deaths.size() > 2) {
                wrong.add("all " + deaths.size() + " replicas died");
            }
            Row row = Row.of(contender, "whole replica", NAME, "both", answers, retries, replicas.leaked(), wrong);
            return new Course(deaths.size(), first, again, row);
        }
    }

    private static Reply send(Balancer balancer, Question question) throws Exception {
        try (Caller caller = new Caller(balancer.port(), PATIENCE_MILLIS, 0)) {
            caller.send(question.request());
            return caller.reply();
        }
    }
}
