package io.penstock.proxy;

import io.penstock.config.PenstockConfig.Policy;
import io.penstock.proxy.Decision.Cause;
import io.penstock.selection.RequestTraits;
import io.penstock.upstream.Choice;
import io.penstock.upstream.Lease;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Keeps the decisions about one request, and its receipt up to date. Confined to one event loop. */
final class Journal {

    /** A request that goes from replica to replica for minutes leaves no longer receipt than any other. */
    private static final int MOST_DECISIONS = 4;

    private static final int MOST_ATTEMPTS = 8;
    private static final int LONGEST_MODEL = 256;

    private final Receipts receipts;
    private final long arrivedNanos;
    private final String requestId;
    private final String route;
    private final Supplier<Policy> policy;
    private final Supplier<RequestTraits> traits;
    private final Consumer<Move> moved;
    private final List<Decision> decisions = new ArrayList<>(1);
    private int left;
    private long place = -1;
    // The chosen one whose output is relayed.
    private @Nullable String answering;

    /** Of a request of which {@code traits} tells more once its body was read. */
    Journal(Loop loop, Edge.Admitted admitted, Supplier<RequestTraits> traits) {
        this(
                loop.shared().receipts(),
                admitted.arrivedNanos(),
                admitted.requestId(),
                admitted.route().route(),
                () -> loop.config().selection().policy(),
                traits,
                loop::moved);
    }

    Journal(
            Receipts receipts,
            long arrivedNanos,
            String requestId,
            String route,
            Supplier<Policy> policy,
            Supplier<RequestTraits> traits,
            Consumer<Move> moved) {
        this.receipts = receipts;
        this.arrivedNanos = arrivedNanos;
        this.requestId = requestId;
        this.route = route;
        this.policy = policy;
        this.traits = traits;
        this.moved = moved;
    }

    List<Decision> decisions() {
        return List.copyOf(decisions);
    }

    /** A replica was chosen. {@code before} failed just now, if not null; {@code hedged} if another one goes on. */
    void chose(Lease lease, @Nullable AttemptReport before, boolean hedged) {
        Choice choice = lease.choice();
        if (choice == null) {
            return;
        }
        Cause cause = hedged ? Cause.HEDGE : before == null ? Cause.ARRIVAL : causeOf(before);
        tell(cause, before, lease.upstream().name());
        if (decisions.size() == MOST_DECISIONS) {
            decisions.remove(1);
            left++;
        }
        long chosen = choice.madeNanos() - arrivedNanos;
        decisions.add(new Decision(cause, lease.upstream().name(), choice, chosen, -1));
    }

    private void tell(Cause cause, @Nullable AttemptReport before, String to) {
        if (cause == Cause.HEDGE && !decisions.isEmpty()) {
            String from = decisions.get(decisions.size() - 1).replica();
            moved.accept(new Move(requestId, cause, from, to, null));
        } else if (cause != Cause.ARRIVAL && before != null) {
            moved.accept(new Move(requestId, cause, before.replica(), to, before.failure()));
        }
    }

    private static Cause causeOf(AttemptReport before) {
        FailureKind failure = before.failure();
        return failure != null && failure.elsewhere() == FailureKind.Elsewhere.RETRY ? Cause.RETRY : Cause.FAILOVER;
    }

    /** The output of this one will be relayed, and of no other. */
    void answers(String replica) {
        answering = replica;
    }

    /** The latest decision for a replica, null if there was none. */
    @Nullable
    Decision latest(String replica) {
        int at = indexOf(replica);
        return at < 0 ? null : decisions.get(at);
    }

    private int indexOf(@Nullable String replica) {
        for (int i = decisions.size() - 1; i >= 0; i--) {
            if (decisions.get(i).replica().equals(replica)) {
                return i;
            }
        }
        return -1;
    }

    /** The first output is on its way, so long after the request's arrival. */
    void firstOutput(long nanos) {
        int at = indexOf(answering);
        // A whole answer comes at once: when its first token was made nobody can tell.
        if (at >= 0 && traits.get().stream()) {
            Decision answered = decisions.get(at);
            decisions.set(at, answered.answered(nanos - answered.chosenNanos()));
        }
    }

    /** Writes the receipt; {@code over} is null while the request goes on. */
    void write(List<AttemptReport> attempts, long queueNanos, long firstOutputNanos, @Nullable ExchangeReport over) {
        if (place < 0) {
            place = receipts.place();
        }
        RequestTraits known = traits.get();
        receipts.write(
                place,
                new Receipt(
                        requestId,
                        arrivedNanos,
                        route,
                        shortened(known.model()),
                        known.stream(),
                        known.caller(),
                        known.prompt().tokens(),
                        known.prompt().pieces(),
                        policy.get(),
                        decisions,
                        left,
                        attempts.subList(Math.max(0, attempts.size() - MOST_ATTEMPTS), attempts.size()),
                        queueNanos,
                        firstOutputNanos,
                        over == null ? -1 : over.totalNanos(),
                        over == null ? null : over.result(),
                        over == null ? 0 : over.status()));
    }

    private static @Nullable String shortened(@Nullable String model) {
        return model == null || model.length() <= LONGEST_MODEL ? model : model.substring(0, LONGEST_MODEL) + "…";
    }
}
