package io.penstock.faults;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * Trouble with a whole replica: two replicas as processes, directly behind the balancer, and one of them dies, stops or
 * goes away while clients wait. Replica 0 is the one that has bad luck.
 *
 * @param name what happens
 * @param firstTokenMillis the replicas' time to the first token
 * @param stepMillis their time between tokens
 * @param allComplete whether every single request can be answered, whatever happens
 * @param plot what happens, told by who asks
 */
record Scenario(String name, int firstTokenMillis, int stepMillis, boolean allComplete, Plot plot) {

    private static final int PATIENCE_MILLIS = 15_000;
    private static final int WAIT_SECONDS = 20;
    /** Not every policy shares evenly or sends all at once, but each of two replicas gets a fourth of the requests. */
    private static final int LEAST_PART = 4;

    /** How the replicas take SIGTERM. */
    List<String> shutdown() {
        return name.contains("to finish") ? List.of("--shutdown-timeout", "20") : List.of();
    }

    /** How it goes. */
    interface Plot {
        List<Answer> play(Scene scene) throws Exception;
    }

    /**
     * Where it goes on.
     *
     * @param replicas two processes
     * @param balancer who stands before them
     * @param crowd who asks
     */
    record Scene(Replicas replicas, Balancer balancer, Crowd crowd) {

        /** So many clients, each API in turn. */
        List<Future<Answer>> ask(int count, boolean stream, int tokens) {
            List<Question> questions = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                questions.add(Truth.question("scene-" + System.nanoTime() + "-" + i, i, Api.inTurn(i), stream, tokens));
            }
            return crowd.asks(balancer.port(), questions, PATIENCE_MILLIS);
        }

        /** Waits until the unlucky replica runs a part of so many requests that is worth the name. */
        void awaitPartOf(int asked) throws Exception {
            SimProcess unlucky = replicas.sim(0);
            Deadline.of(WAIT_SECONDS)
                    .until(
                            () -> asked / LEAST_PART + " requests run there",
                            () -> unlucky.books().running() >= asked / LEAST_PART);
        }

        /** Waits until the unlucky replica has written so many tokens since then. */
        void awaitTokens(long before, int count) throws Exception {
            SimProcess unlucky = replicas.sim(0);
            Deadline.of(WAIT_SECONDS)
                    .until(() -> count + " tokens are written there", () -> unlucky.tokens() >= before + count);
        }

        long tokens() throws Exception {
            return replicas.sim(0).tokens();
        }
    }

    /** All of them. */
    static List<Scenario> all() {
        return List.of(
                new Scenario("kill -9 under 400 streams without output", 4_000, 2, true, Scenario::killedBeforeOutput),
                new Scenario("kill -9 in the middle of 40 streams, 16 whole answers", 50, 40, false, scene -> {
                    return midStream(
                            scene, () -> scene.replicas().sim(0).process().kill());
                }),
                new Scenario("SIGTERM in the middle of 40 streams, 16 whole answers", 50, 40, false, scene -> {
                    return midStream(
                            scene, () -> scene.replicas().sim(0).process().signal("TERM"));
                }),
                new Scenario("SIGTERM with 20 s to finish 40 streams, 40 new ones", 50, 40, true, Scenario::leaving),
                new Scenario("SIGSTOP under 40 streams without output", 1_500, 2, true, Scenario::stoppedBeforeOutput),
                new Scenario("SIGSTOP for 3 s in the middle of 40 streams", 50, 40, true, Scenario::stoppedMidStream),
                new Scenario("one replica refuses", 20, 2, true, scene -> {
                    scene.replicas().sim(0).process().kill();
                    return Crowd.all(scene.ask(40, true, 8));
                }),
                new Scenario("all replicas down, one comes back after 1 s", 20, 2, true, Scenario::allDown));
    }

    private static List<Answer> killedBeforeOutput(Scene scene) throws Exception {
        List<Future<Answer>> asked = scene.ask(400, true, 8);
        scene.awaitPartOf(400);
        scene.replicas().sim(0).process().kill();
        return Crowd.all(asked);
    }

    /** What is done to a replica. */
    private interface Blow {
        void strike() throws Exception;
    }

    private static List<Answer> midStream(Scene scene, Blow blow) throws Exception {
        long before = scene.tokens();
        List<Future<Answer>> asked = new ArrayList<>(scene.ask(40, true, 40));
        asked.addAll(scene.ask(16, false, 40));
        scene.awaitPartOf(56);
        scene.awaitTokens(before, 14 * 12);
        blow.strike();
        return Crowd.all(asked);
    }

    /** The replica finishes what it has, says that it is healthy, and refuses everything new with 500. */
    private static List<Answer> leaving(Scene scene) throws Exception {
        long before = scene.tokens();
        List<Future<Answer>> asked = new ArrayList<>(scene.ask(40, true, 40));
        scene.awaitPartOf(40);
        scene.awaitTokens(before, 10 * 4);
        scene.replicas().sim(0).process().signal("TERM");
        List<Answer> answers = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            answers.addAll(Crowd.all(scene.ask(1, i % 2 == 0, 1)));
        }
        answers.addAll(Crowd.all(asked));
        return answers;
    }

    private static List<Answer> stoppedBeforeOutput(Scene scene) throws Exception {
        List<Future<Answer>> asked = scene.ask(40, true, 8);
        scene.awaitPartOf(40);
        scene.replicas().sim(0).process().signal("STOP");
        try {
            return Crowd.all(asked);
        } finally {
            scene.replicas().sim(0).process().signal("CONT");
        }
    }

    private static List<Answer> stoppedMidStream(Scene scene) throws Exception {
        long before = scene.tokens();
        List<Future<Answer>> asked = scene.ask(40, true, 40);
        scene.awaitPartOf(40);
        scene.awaitTokens(before, 10 * 10);
        scene.replicas().sim(0).process().signal("STOP");
        TimeUnit.SECONDS.sleep(3); // The time for which it hangs is the case.
        scene.replicas().sim(0).process().signal("CONT");
        return Crowd.all(asked);
    }

    private static List<Answer> allDown(Scene scene) throws Exception {
        scene.replicas().sim(0).process().kill();
        scene.replicas().sim(1).process().kill();
        List<Future<Answer>> asked = scene.ask(20, true, 8);
        TimeUnit.SECONDS.sleep(1); // As above.
        scene.replicas().sim(1).restart();
        return Crowd.all(asked);
    }
}
