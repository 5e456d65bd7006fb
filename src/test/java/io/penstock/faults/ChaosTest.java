package io.penstock.faults;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.faults.Answer.Ending;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalTime;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Ten thousand requests through everything at once: each API, streams or not, every fault of the menu, clients that leave,
 * read slowly, half-close or ask twice, while replicas are killed and started again. {@code -Dpenstock.seed} repeats one.
 */
@Tag("faults")
class ChaosTest {

    private static final int REQUESTS = 10_000;
    private static final int CLIENTS = 48;
    private static final Path LOG = Path.of("target", "faults-chaos.log");
    /** Longer than two probes lie apart, as every start of a vLLM is. */
    private static final int SHORTEST_ABSENCE_MILLIS = 2_500;

    private static final int SETTLE_SECONDS = 20;
    private static final long SEED = Long.getLong("penstock.seed", System.currentTimeMillis() % 1_000_000);

    /** What a replica does to everybody before its end. */
    private record LastWords(@Nullable Strike strike) {}

    private static final List<LastWords> LAST_WORDS = List.of(
            new LastWords(null),
            new LastWords(null),
            new LastWords(Strike.sim("draining")),
            new LastWords(Strike.sim("status:500")),
            new LastWords(Strike.sim("error-after:0")),
            new LastWords(Strike.sim("error-after:3")));

    @AfterAll
    static void publish() throws Exception {
        FaultTable.publish();
    }

    @Test
    void everyAnswerIsWholeOrHonestAndNothingIsLeftOver(@TempDir Path folder) throws Exception {
        System.out.println("chaos: -Dpenstock.seed=" + SEED);
        try (Replicas replicas = Replicas.start(folder, 3, 10, 2);
                SimProcess teller = new SimProcess(folder, "teller", 0, 0).ready();
                Crowd crowd = new Crowd(new Truth(teller.port()));
                PenstockBalancer penstock = PenstockBalancer.start(folder, replicas.wirePorts(), "")) {
            List<Answer> answers = storm(replicas, crowd, penstock, new Truth(teller.port()));
            List<Answer> twiceDead =
                    answers.stream().filter(ChaosTest::sawTwoDeaths).toList();
            List<Answer> judged = new ArrayList<>(answers);
            judged.removeAll(twiceDead);

            Set<String> wrong = new LinkedHashSet<>(replicas.wrongBooks());
            wrong.addAll(leftOvers(penstock, answers));
            int retries = Math.max(0, replicas.mischief().tries() - answers.size());
            Row row = Row.of(
                    Contender.PENSTOCK,
                    "chaos",
                    "10,000 requests, seed " + SEED,
                    "both",
                    judged,
                    retries,
                    replicas.leaked(),
                    wrong);
            FaultTable.add(row);
            report(answers, twiceDead);
            Files.writeString(LOG, penstock.process().output());
            assertThat(row.broken()).as("seed " + SEED).isEmpty();
            assertThat(twiceDead)
                    .as("requests that met two deaths, seed " + SEED)
                    .hasSizeLessThan(REQUESTS / 100);
        }
    }

    private static List<Answer> storm(Replicas replicas, Crowd crowd, PenstockBalancer penstock, Truth truth)
            throws Exception {
        AtomicInteger next = new AtomicInteger();
        AtomicBoolean over = new AtomicBoolean();
        Queue<Answer> answers = new ConcurrentLinkedQueue<>();
        Future<?> reaper = crowd.runs(() -> {
            reap(replicas, over);
            return null;
        });
        List<Future<?>> clients = new ArrayList<>();
        for (int i = 0; i < CLIENTS; i++) {
            clients.add(crowd.runs(() -> {
                for (int number = next.getAndIncrement(); number < REQUESTS; number = next.getAndIncrement()) {
                    answers.addAll(new ChaosClient(SEED, number, replicas.mischief(), truth).run(penstock.port()));
                }
                return null;
            }));
        }
        for (Future<?> client : clients) {
            client.get();
        }
        over.set(true);
        reaper.get();
        return List.copyOf(answers);
    }

    /** Says on the way what was done when, to be read beside the log. */
    private static void say(String what) {
        System.out.println("chaos: " + LocalTime.now(ZoneId.systemDefault()) + " " + what);
    }

    /** Kills one replica after the other and starts it again; the others stay. */
    private static void reap(Replicas replicas, AtomicBoolean over) throws Exception {
        Random random = new Random(SEED);
        while (!over.get()) {
            Thread.sleep(1_500 + random.nextInt(1_500));
            int victim = random.nextInt(replicas.size());
            // Some say that they are dying before they do.
            replicas.wire(victim)
                    .strikeEverybody(
                            LAST_WORDS.get(random.nextInt(LAST_WORDS.size())).strike());
            Thread.sleep(random.nextInt(300));
            say("kill replica " + victim);
            replicas.kill(victim);
            replicas.wire(victim).strikeEverybody(null);
            Thread.sleep(SHORTEST_ABSENCE_MILLIS + random.nextInt(1_000));
            replicas.restart(victim);
            say("replica " + victim + " is back");
        }
    }

    /** Two deaths under one request may mean that it is the killer: that it is given up then is a promise, too. */
    private static boolean sawTwoDeaths(Answer answer) {
        return answer.isLoss()
                && (answer.words().contains("poison_request") || answer.words().contains("second replica"));
    }

    private static List<String> leftOvers(PenstockBalancer penstock, List<Answer> answers) throws Exception {
        List<String> wrong = new ArrayList<>();
        for (String gauge : List.of(
                "penstock_exchanges_open",
                "penstock_in_flight",
                "penstock_waiting",
                "penstock_body_memory_bytes",
                "penstock_connections_open")) {
            if (!Deadline.of(SETTLE_SECONDS).met(() -> penstock.sum(gauge, "") == 0)) {
                wrong.add(gauge + " stays at " + penstock.sum(gauge, ""));
            }
        }
        long left =
                answers.stream().filter(each -> each.ending() == Ending.LEFT).count();
        long complete = answers.stream()
                .filter(each -> each.ending() == Ending.COMPLETE)
                .count();
        double ended = penstock.sum("penstock_requests_total", "/v1/");
        double completed = penstock.sum("penstock_requests_total", "result=\"completed\"");
        if (ended > answers.size() || ended < answers.size() - left) {
            wrong.add(ended + " requests in the books, " + answers.size() + " sent, of which " + left + " left");
        }
        if (completed > complete + left) {
            wrong.add(completed + " completed in the books, " + complete + " complete and " + left + " left");
        }
        return wrong;
    }

    private static void report(List<Answer> answers, List<Answer> twiceDead) {
        for (Ending ending : Ending.values()) {
            System.out.println("chaos: " + ending + " "
                    + answers.stream().filter(each -> each.ending() == ending).count());
        }
        System.out.println("chaos: given up after two deaths " + twiceDead.size());
        answers.stream()
                .filter(each -> each.isLoss()
                        || each.ending() == Ending.SILENT
                        || each.ending() == Ending.WRONG
                        || each.ending() == Ending.WAITING
                        || !each.flaws().isEmpty())
                .limit(20)
                .forEach(each -> System.out.println("chaos: " + each));
    }
}
