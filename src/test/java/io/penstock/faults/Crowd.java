package io.penstock.faults;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Clients that all ask at once, each on a connection of its own. */
final class Crowd implements AutoCloseable {

    private final ExecutorService threads = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(null, task, "client", 256 << 10);
        thread.setDaemon(true);
        return thread;
    });
    private final Truth truth;

    Crowd(Truth truth) {
        this.truth = truth;
    }

    /** Sends them off; the answers come when they come. */
    List<Future<Answer>> asks(int port, List<Question> questions, int patienceMillis) {
        List<Future<Answer>> asked = new ArrayList<>();
        for (Question question : questions) {
            asked.add(threads.submit(() -> truth.ask(port, question, patienceMillis)));
        }
        return asked;
    }

    /** Runs something else beside. */
    <T> Future<T> runs(Callable<T> task) {
        return threads.submit(task);
    }

    /** Waits for all answers. */
    static List<Answer> all(List<Future<Answer>> asked) throws Exception {
        List<Answer> answers = new ArrayList<>();
        for (Future<Answer> each : asked) {
            answers.add(each.get());
        }
        return answers;
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
