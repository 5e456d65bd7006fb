package io.penstock.faults;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Whether Penstock's own count of what happened is the clients' count. */
final class PenstockBooks {

    private static final String REQUESTS = "penstock_requests_total";
    private static final String COMPLETED = "result=\"completed\"";
    private static final int SETTLE_MILLIS = 2_000;

    private final PenstockBalancer penstock;
    private final double requestsBefore;
    private final double completedBefore;
    private final double attemptsBefore;

    /** A balancer's books, null if it is not Penstock. */
    static @Nullable PenstockBooks of(Balancer balancer) throws Exception {
        return balancer instanceof PenstockBalancer penstock ? new PenstockBooks(penstock) : null;
    }

    private PenstockBooks(PenstockBalancer penstock) throws Exception {
        this.penstock = penstock;
        this.requestsBefore = penstock.sum(REQUESTS, "/v1/");
        this.completedBefore = penstock.sum(REQUESTS, COMPLETED);
        this.attemptsBefore = attempts();
    }

    private double attempts() throws Exception {
        return penstock.sum("penstock_attempts_total", "");
    }

    /** Tries at replicas since then, beyond one per request; 0 for a balancer that does not say. */
    static int retries(@Nullable PenstockBooks books) throws Exception {
        return books == null ? 0 : Math.max(0, (int) (books.attempts() - books.attemptsBefore) - books.ended());
    }

    /** {@link #wrong(int, int)} of these answers; nothing for a balancer that keeps no books. */
    static List<String> wrong(@Nullable PenstockBooks books, Collection<Answer> answers) throws Exception {
        if (books == null) {
            return List.of();
        }
        long complete = answers.stream()
                .filter(each -> each.ending() == Answer.Ending.COMPLETE)
                .count();
        return books.wrong(answers.size(), (int) complete);
    }

    /**
     * What does not add up once it is over.
     *
     * @param accepted requests that clients have sent
     * @param complete answers that clients have found complete
     */
    private List<String> wrong(int accepted, int complete) throws Exception {
        List<String> wrong = new ArrayList<>();
        if (!Deadline.ofMillis(SETTLE_MILLIS).met(() -> open("") == 0 && ended() == accepted)) {
            wrong.add("of " + accepted + " requests, " + ended() + " are over and " + open("") + " open in the books");
        }
        int completed = (int) (penstock.sum(REQUESTS, COMPLETED) - completedBefore);
        if (completed > complete) {
            wrong.add("counted as completed though it was not whole");
        }
        return wrong;
    }

    private int ended() throws Exception {
        return (int) (penstock.sum(REQUESTS, "/v1/") - requestsBefore);
    }

    private int open(String label) throws Exception {
        return (int) (penstock.sum("penstock_exchanges_open", label)
                + penstock.sum("penstock_in_flight", label)
                + penstock.sum("penstock_waiting", label));
    }
}
