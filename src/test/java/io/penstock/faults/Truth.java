package io.penstock.faults;

import io.penstock.faults.Answer.Ending;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** What the whole answers are, asked of one replica directly, with nothing between. */
final class Truth {

    private static final int PROMPTS = 16;
    private static final int PATIENCE_MILLIS = 10_000;

    private final int replicaPort;
    private final Map<String, String> known = new ConcurrentHashMap<>();

    Truth(int replicaPort) {
        this.replicaPort = replicaPort;
    }

    /** A question; equal numbers make equal prompts. */
    static Question question(String id, int number, Api api, boolean stream, int tokens) {
        return new Question(id, api, stream, "Question " + Math.floorMod(number, PROMPTS) + " about the mill", tokens);
    }

    /** The text that answers a question. */
    String of(Question question) {
        String key = question.api() + " " + question.tokens() + " " + question.prompt();
        return known.computeIfAbsent(key, unused -> ask(question));
    }

    private String ask(Question question) {
        Question plain = new Question("truth", question.api(), false, question.prompt(), question.tokens());
        try (Caller caller = new Caller(replicaPort, PATIENCE_MILLIS, 0)) {
            caller.send(plain.request());
            Reply reply = caller.reply();
            String text = question.api().text(new io.vertx.core.json.JsonObject(reply.text()));
            if (text == null || reply.status() != 200 || text.split(" ", -1).length != question.tokens() + 1) {
                throw new IllegalStateException("no truth: " + reply.text());
            }
            return text;
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Asks a question through a balancer and judges the answer. */
    Answer ask(int port, Question question, int patienceMillis) {
        String truth = of(question);
        try (Caller caller = new Caller(port, patienceMillis, 0)) {
            caller.send(question.request());
            return Judge.judge(question, truth, caller.reply());
        } catch (IOException refused) {
            return new Answer(question, Ending.HONEST, 0, false, List.of("the front refuses"), String.valueOf(refused));
        }
    }
}
