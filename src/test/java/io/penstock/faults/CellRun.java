package io.penstock.faults;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/** One cell of the table: some requests at once, two of which are struck at their first try. */
final class CellRun {

    /** Two of twelve are struck: less than the share of requests that may be tried again. */
    private static final int REQUESTS = 12;

    private static final Set<Integer> STRUCK = Set.of(3, 8);
    private static final String STANDING = "penstock_replica_standing";
    private static final int WAIT_SECONDS = 20;
    private static final int PATIENCE_MILLIS = 15_000;
    private static final int LITTLE_PATIENCE_MILLIS = 1_200;

    private final Replicas replicas;
    private final Crowd crowd;
    private int number;

    CellRun(Replicas replicas, Crowd crowd) {
        this.replicas = replicas;
        this.crowd = crowd;
    }

    /** Runs one cell. */
    Row run(Balancer balancer, FaultCase fault, Api api, boolean stream, String remark) throws Exception {
        int before = replicas.running();
        Mischief mischief = replicas.mischief();
        mischief.clear();
        int cell = number++;
        List<Question> questions = new ArrayList<>();
        for (int i = 0; i < REQUESTS; i++) {
            Question question = Truth.question("cell-" + cell + "-" + i, cell * 3 + i, api, stream, FaultCase.TOKENS);
            questions.add(question);
            Strike strike = fault.strike(stream);
            if (strike != null && !fault.dying() && STRUCK.contains(i)) {
                mischief.plan(question.id(), strike);
            }
        }
        replicas.wire(0).strikeEverybody(fault.dying() ? fault.strike(stream) : null);
        PenstockBooks books = PenstockBooks.of(balancer);
        int patience = fault.silence() ? LITTLE_PATIENCE_MILLIS : PATIENCE_MILLIS;
        List<Future<Answer>> asked = crowd.asks(balancer.port(), questions, patience);
        List<Answer> answers = Crowd.all(asked);
        replicas.wire(0).strikeEverybody(null);
        int leaked = replicas.leaked(before);
        List<String> wrong = wrongBooks(balancer, answers, books);
        for (int i : STRUCK) {
            if (mischief.tries(questions.get(i).id()) == 0) {
                wrong.add("a request that was to be struck never came to a replica");
            }
        }
        String phase = fault.phase().label + remark;
        String kind = (stream ? "stream" : "whole") + " " + api.path;
        if (fault.dying()) {
            replaceDying(balancer);
        }
        int retries = Math.max(0, mischief.tries() - REQUESTS);
        return Row.of(balancer.kind(), phase, fault.name(), kind, answers, retries, leaked, wrong);
    }

    /** A replica that said it was dying is restarted; Penstock must see both its end and its return. */
    private void replaceDying(Balancer balancer) throws Exception {
        if (balancer instanceof PenstockBalancer penstock) {
            replicas.wire(0).down();
            Deadline.of(WAIT_SECONDS)
                    .until(() -> "the port is seen closed", () -> penstock.sum(STANDING, "standing=\"refused\"") == 1);
            replicas.wire(0).up();
            Deadline.of(WAIT_SECONDS).until(() -> "the replica is back", () -> penstock.up() == replicas.size());
        }
    }

    private List<String> wrongBooks(Balancer balancer, List<Answer> answers, @Nullable PenstockBooks books)
            throws Exception {
        List<String> wrong = new ArrayList<>(replicas.wrongBooks());
        wrong.addAll(PenstockBooks.wrong(books, answers));
        if (!balancer.process().isAlive()) {
            throw new IllegalStateException(
                    "the balancer is gone: " + balancer.process().output());
        }
        return wrong;
    }
}
