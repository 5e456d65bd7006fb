package io.penstock.faults;

import io.penstock.faults.Answer.Ending;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** One client of the chaos: what it asks, how it behaves and what strikes it follow from the seed and its number. */
final class ChaosClient {

    /** How clients behave. */
    private enum Manners {
        PLAIN,
        LEAVES,
        RESETS,
        HALF_CLOSES,
        READS_SLOWLY,
        ASKS_TWICE
    }

    private static final List<Integer> TOKENS = List.of(4, 4, 8, 8, 16, 48);
    private static final int PATIENCE_MILLIS = 20_000;
    private static final int SMALL_BUFFER = 4096;
    private static final int LONGEST_STAY_MILLIS = 60;
    private static final double STRUCK = 0.25;

    private final Random random;
    private final int number;
    private final Mischief mischief;
    private final Truth truth;

    ChaosClient(long seed, int number, Mischief mischief, Truth truth) {
        this.random = new Random(seed * 1_000_003 + number);
        this.number = number;
        this.mischief = mischief;
        this.truth = truth;
    }

    /** Does what it does; one answer for each question. */
    List<Answer> run(int port) throws InterruptedException {
        Question first = question("a");
        Manners manners = manners();
        boolean silenced = strike(first);
        List<Answer> answers = new ArrayList<>();
        try (Caller caller = new Caller(port, PATIENCE_MILLIS, manners == Manners.READS_SLOWLY ? SMALL_BUFFER : 0)) {
            // A request that nobody will ever answer is for clients that leave.
            behave(caller, first, silenced ? Manners.LEAVES : manners, answers);
        } catch (IOException e) {
            if (answers.isEmpty()) {
                answers.add(new Answer(first, Ending.HONEST, 0, false, List.of("the front fails"), String.valueOf(e)));
            }
        }
        return answers;
    }

    private void behave(Caller caller, Question first, Manners manners, List<Answer> answers)
            throws IOException, InterruptedException {
        switch (manners) {
            case LEAVES -> {
                caller.send(first.request());
                Thread.sleep(random.nextInt(LONGEST_STAY_MILLIS));
                answers.add(Answer.left(first));
            }
            case RESETS -> {
                answers.add(Answer.left(first));
                caller.send(first.request());
                caller.readSome(random.nextInt(2_000));
                caller.reset();
            }
            case HALF_CLOSES -> {
                answers.add(Answer.left(first));
                caller.send(first.request());
                caller.finSending();
                caller.reply();
            }
            case READS_SLOWLY -> {
                caller.send(first.request());
                caller.readSlowly(1);
                answers.add(Judge.judge(first, truth.of(first), caller.reply()));
            }
            case ASKS_TWICE -> askTwice(caller, first, answers);
            case PLAIN -> {
                caller.send(first.request());
                answers.add(Judge.judge(first, truth.of(first), caller.reply()));
            }
        }
    }

    /** Two requests in one go, on one connection. */
    private void askTwice(Caller caller, Question first, List<Answer> answers) throws IOException {
        Question second = question("b");
        caller.send(first.request() + second.request());
        Reply reply = caller.reply();
        answers.add(Judge.judge(first, truth.of(first), reply));
        // After a connection that was cut, a client asks the second question again (RFC 9112, section 9.3.2).
        answers.add(reply.closes() ? Answer.left(second) : Judge.judge(second, truth.of(second), caller.reply()));
    }

    private Question question(String part) {
        int tokens = TOKENS.get(random.nextInt(TOKENS.size()));
        return Truth.question(
                "chaos-" + number + part,
                random.nextInt(),
                Api.inTurn(random.nextInt(4)),
                random.nextInt(10) < 6,
                tokens);
    }

    /** Perhaps strikes a question. Returns whether it will then never be answered. */
    private boolean strike(Question question) {
        if (random.nextDouble() >= STRUCK) {
            return false;
        }
        List<FaultCase> menu = FaultCase.all().stream()
                .filter(each -> each.strike(question.stream()) != null && !each.dying())
                .filter(each -> each.concerns(question.api(), question.stream()))
                .toList();
        FaultCase chosen = menu.get(random.nextInt(menu.size()));
        Strike strike = chosen.strike(question.stream());
        if (strike != null) {
            mischief.plan(question.id(), strike);
        }
        return chosen.silence();
    }

    private Manners manners() {
        int dice = random.nextInt(100);
        if (dice < 70) {
            return Manners.PLAIN;
        }
        return dice < 78
                ? Manners.LEAVES
                : dice < 83
                        ? Manners.RESETS
                        : dice < 88 ? Manners.HALF_CLOSES : dice < 93 ? Manners.READS_SLOWLY : Manners.ASKS_TWICE;
    }
}
