package io.penstock.faults;

import io.penstock.faults.Answer.Ending;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** One outage under clients that come at a constant rate, and what they and the balancer made of it. */
final class OutageRun {

    private static final int INTERVAL_MILLIS = 100;
    private static final int FIRST_TOKEN_MILLIS = 50;
    private static final int STEP_MILLIS = 20;
    private static final int TOKENS = 8;
    private static final int PATIENCE_MILLIS = 30_000;
    private static final int CALM_SECONDS = 2;
    private static final int AFTER_SECONDS = 8;

    /**
     * What came of it. Times in seconds since the outage began, or since its end for {@code back} and {@code firstGood};
     * negative for "never" or "not seen".
     *
     * @param contender who
     * @param outage what
     * @param requests how many were asked
     * @param lost let down before any output
     * @param cut let down later
     * @param gaveUp heard nothing any more for half a minute
     * @param lastLost when the last of those was asked who were lost or gave up
     * @param slowest the longest that anyone waited for a whole answer
     * @param out when the replica was out of rotation
     * @param firstAsked when the first request came to it
     * @param askedLate how many came to it while the outage lasted and it was out
     * @param earlyBack whether it was back while the outage lasted
     * @param back when it was back
     * @param firstGood when the first good answer after the end was whole
     * @param hedged requests that were asked of two replicas
     */
    record Result(
            Contender contender,
            Outage outage,
            int requests,
            int lost,
            int cut,
            int gaveUp,
            double lastLost,
            double slowest,
            double out,
            double firstAsked,
            int askedLate,
            boolean earlyBack,
            double back,
            double firstGood,
            int hedged) {

        /** How long it took to take the replica out, from when that could be known; negative if that was never. */
        double knownFor() {
            return out < 0 ? -1 : out - (firstAsked >= 0 && firstAsked < out ? firstAsked : 0);
        }

        /** Whether nobody came to it, or so late that the outage was over before it had to be out. */
        boolean wentUnnoticed() {
            return out < 0 && (firstAsked < 0 || outage.seconds() - firstAsked < outage.outSeconds());
        }
    }

    /** One answer and its times. */
    private record Timed(Answer answer, long asked, long ended) {}

    private final Outage outage;
    private final Replicas replicas;
    private final Crowd crowd;
    private final Truth truth;
    private final Balancer balancer;
    private final List<Future<Timed>> asked = new ArrayList<>();
    private final @Nullable PenstockBalancer penstock;
    private long outNanos;
    private long backNanos;
    private boolean earlyBack;

    private OutageRun(Outage outage, Replicas replicas, Crowd crowd, Truth truth, Balancer balancer) {
        this.outage = outage;
        this.replicas = replicas;
        this.crowd = crowd;
        this.truth = truth;
        this.balancer = balancer;
        this.penstock = balancer instanceof PenstockBalancer known ? known : null;
    }

    /** Plays it from beginning to end, with processes of its own. */
    static Result play(Path folder, Outage outage, Contender contender, Truth truth) throws Exception {
        try (Replicas replicas = Replicas.start(folder, 3, FIRST_TOKEN_MILLIS, STEP_MILLIS);
                Crowd crowd = new Crowd(truth);
                Balancer balancer = contender.start(folder, replicas.wirePorts(), false)) {
            return new OutageRun(outage, replicas, crowd, truth, balancer).play();
        }
    }

    private Result play() throws Exception {
        arrive(CALM_SECONDS, /* during= */ false, 0);
        long began = System.nanoTime();
        outage.begin().to(replicas);
        arrive(outage.seconds(), /* during= */ true, 0);
        long ended = System.nanoTime();
        outage.end().to(replicas);
        arrive(AFTER_SECONDS, /* during= */ false, ended);
        List<Timed> answers = new ArrayList<>();
        for (Future<Timed> each : asked) {
            answers.add(each.get());
        }
        int hedged = penstock == null ? 0 : (int) penstock.sum("penstock_attempts_total", "reason=\"hedge_lost\"");
        List<Long> came = replicas.wire(0).askedNanos().stream()
                .filter(at -> at - began > 0 && at - ended < 0)
                .toList();
        List<Timed> letDown = answers.stream()
                .filter(each -> each.answer().isLoss() || each.answer().ending() == Ending.WAITING)
                .toList();
        return new Result(
                balancer.kind(),
                outage,
                answers.size(),
                count(answers, Answer::isLoss),
                count(answers, each -> each.ending() == Ending.HONEST && !each.isLoss()),
                count(answers, each -> each.ending() == Ending.WAITING),
                letDown.stream()
                        .mapToDouble(each -> seconds(each.asked() - began))
                        .max()
                        .orElse(-1),
                answers.stream()
                        .filter(each -> each.answer().ending() == Ending.COMPLETE)
                        .mapToDouble(each -> seconds(each.ended() - each.asked()))
                        .max()
                        .orElse(-1),
                outNanos == 0 ? -1 : seconds(outNanos - began),
                came.isEmpty() ? -1 : seconds(came.get(0) - began),
                outNanos == 0
                        ? 0
                        : (int) came.stream().filter(at -> at - outNanos > 0).count(),
                earlyBack,
                backNanos == 0 ? -1 : seconds(backNanos - ended),
                answers.stream()
                        .filter(each -> each.answer().ending() == Ending.COMPLETE && each.ended() > ended)
                        .mapToDouble(each -> seconds(each.ended() - ended))
                        .min()
                        .orElse(-1),
                hedged);
    }

    /** A client every tenth of a second, each API in turn, and a look at the replicas beside. */
    private void arrive(int seconds, boolean during, long healed) throws Exception {
        long begin = System.nanoTime();
        int count = seconds * 1_000 / INTERVAL_MILLIS;
        for (int i = 0; i < count; i++) {
            long due = begin + TimeUnit.MILLISECONDS.toNanos((long) i * INTERVAL_MILLIS);
            TimeUnit.NANOSECONDS.sleep(due - System.nanoTime()); // The rate is the case.
            int number = asked.size();
            Question question = Truth.question("outage-" + number, number, Api.inTurn(number), number % 2 == 0, TOKENS);
            asked.add(crowd.runs(() -> ask(question)));
            look(during, healed);
        }
    }

    private Timed ask(Question question) {
        long start = System.nanoTime();
        Answer answer = truth.ask(balancer.port(), question, PATIENCE_MILLIS);
        return new Timed(answer, start, System.nanoTime());
    }

    private void look(boolean during, long healed) throws Exception {
        if (penstock == null) {
            return;
        }
        boolean up = penstock.up() == replicas.size();
        if (during && !up && outNanos == 0) {
            outNanos = System.nanoTime();
        }
        earlyBack |= during && up && outNanos != 0;
        if (healed != 0 && up && backNanos == 0) {
            backNanos = System.nanoTime();
        }
    }

    private static int count(List<Timed> answers, java.util.function.Predicate<Answer> wanted) {
        return (int) answers.stream().map(Timed::answer).filter(wanted).count();
    }

    private static double seconds(long nanos) {
        return nanos / 1e9;
    }
}
