package io.penstock.faults;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.faults.Answer.Ending;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Replicas that are killed, stopped, told to go or away, as processes; Penstock first, then other balancers. */
@Tag("faults")
@SuppressWarnings("NullAway.Init") // Opened before the first test.
class DyingReplicasTest {

    /** All replicas write the same text, so one that nobody harms knows what the others should have said. */
    private static SimProcess teller;

    @BeforeAll
    static void open(@TempDir Path folder) throws Exception {
        teller = new SimProcess(folder, "teller", 0, 0).ready();
    }

    @AfterAll
    static void close() throws Exception {
        teller.close();
        FaultTable.publish();
    }

    @TestFactory
    Stream<DynamicTest> penstockKeepsItsPromises(@TempDir Path folder) {
        return Scenario.all().stream()
                .map(scenario -> DynamicTest.dynamicTest(scenario.name(), () -> {
                    List<Answer> answers = new ArrayList<>();
                    Row row = play(folder, scenario, Contender.PENSTOCK, answers);
                    FaultTable.add(row);
                    assertThat(row.broken())
                            .as(() -> "%s: %s".formatted(scenario.name(), failed(answers)))
                            .isEmpty();
                    if (scenario.allComplete()) {
                        assertThat(row.complete())
                                .as(() -> "%s: %s".formatted(scenario.name(), failed(answers)))
                                .isEqualTo(row.requests());
                    }
                }));
    }

    @TestFactory
    Stream<DynamicTest> othersGoThroughTheSameRows(@TempDir Path folder) {
        return Comparison.others()
                .flatMap(other -> Scenario.all().stream()
                        .map(scenario -> DynamicTest.dynamicTest(
                                other.label() + ": " + scenario.name(),
                                () -> FaultTable.add(play(folder, scenario, other, new ArrayList<>())))));
    }

    private static List<Answer> failed(List<Answer> answers) {
        return answers.stream()
                .filter(each -> each.ending() != Ending.COMPLETE)
                .limit(5)
                .toList();
    }

    private static Row play(Path folder, Scenario scenario, Contender contender, List<Answer> answers)
            throws Exception {
        try (Replicas replicas = Replicas.start(
                        folder,
                        2,
                        scenario.firstTokenMillis(),
                        scenario.stepMillis(),
                        scenario.shutdown().toArray(String[]::new));
                Crowd crowd = new Crowd(new Truth(teller.port()));
                Balancer balancer = contender.start(folder, replicas.simPorts(), false)) {
            PenstockBooks books = PenstockBooks.of(balancer);
            answers.addAll(scenario.plot().play(new Scenario.Scene(replicas, balancer, crowd)));
            int leaked = replicas.leaked();
            List<String> wrong = new ArrayList<>(replicas.wrongBooks());
            wrong.addAll(PenstockBooks.wrong(books, answers));
            int retries = PenstockBooks.retries(books);
            return Row.of(contender, "whole replica", scenario.name(), "both", answers, retries, leaked, wrong);
        }
    }
}
