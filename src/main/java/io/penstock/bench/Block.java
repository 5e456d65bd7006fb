package io.penstock.bench;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Some seconds in which one contender gets a cell's requests in real time. They come when they come, answered or not, and
 * count from when they were due. One use.
 */
final class Block {

    private static final Logger LOG = LoggerFactory.getLogger(Block.class);

    private static final double SECONDS_PER_GROUP = 0.35;
    private static final int SALT = 1_000_003;

    private final Vertx vertx;
    private final HttpClient client;
    private final LongSupplier nanoClock;
    private final LiveReplicas replicas;
    private final Contender contender;
    private final List<BenchCall> calls = new ArrayList<>();
    private final List<Buffer> bodies = new ArrayList<>();
    private final double speed;
    private final double warmUpSeconds;
    // So many of the calls, one for each beginning that prompts share, are answered before the others come.
    private final int primers;
    // Confined to the event loop of the run.
    private final List<Double> waits = new ArrayList<>();
    private final Promise<Void> over = Promise.promise();
    private Future<Reading> before = Future.failedFuture("not measured");
    private long startNanos;
    private int left;
    private int measured;
    private int errors;
    private int earlyErrors;

    /**
     * What came of it.
     *
     * @param requests how many were measured
     * @param errors how many of those were not answered whole
     * @param earlyErrors the same of those before, which only warm up
     * @param waits seconds to the first event of the others
     * @param caches what was found meanwhile
     */
    record Result(int requests, int errors, int earlyErrors, List<Double> waits, Reading caches) {}

    /**
     * What was found in caches so far.
     *
     * @param found by the replicas' own metrics
     * @param predicted as the contender believes, if it says so
     */
    record Reading(Lookups found, Lookups predicted) {

        Reading plus(Reading more) {
            return new Reading(found.plus(more.found), predicted.plus(more.predicted));
        }

        Reading since(Reading earlier) {
            return new Reading(found.since(earlier.found), predicted.since(earlier.predicted));
        }
    }

    /**
     * Prepares it.
     *
     * @param vertx whose event loop asks
     * @param client what asks
     * @param nanoClock time
     * @param replicas what is behind the contender
     * @param contender who is asked
     * @param pace how long, and how fast
     * @param cell what is asked
     * @param round the same round is the same requests, whoever is asked
     * @param number no other block has it: what one warmed is of no use to the next
     */
    Block(
            Vertx vertx,
            HttpClient client,
            LongSupplier nanoClock,
            LiveReplicas replicas,
            Contender contender,
            Pace pace,
            Cell cell,
            int round,
            int number) {
        this.vertx = vertx;
        this.client = client;
        this.nanoClock = nanoClock;
        this.replicas = replicas;
        this.contender = contender;
        this.speed = pace.speed(cell);
        Workload workload = cell.workload();
        this.warmUpSeconds = pace.warmUpSeconds();
        if (workload.groups() > 1) {
            calls.addAll(workload.first(workload.groups() * SECONDS_PER_GROUP, round));
        }
        this.primers = calls.size();
        calls.addAll(workload.calls(warmUpSeconds + pace.seconds(), round));
        long salt = PromptText.mixed((long) SALT * number);
        calls.forEach(call -> bodies.add(PromptText.body(call, salt)));
        this.left = calls.size();
    }

    /** Runs it; over when the last answer is. */
    Future<Result> run() {
        Context context = vertx.getOrCreateContext();
        context.runOnContext(go -> {
            if (primers == 0) {
                begin();
            } else {
                startNanos = nanoClock.getAsLong();
                next(0, primers);
            }
        });
        return over.future()
                .compose(done -> before)
                .compose(then -> reading().map(now -> now.since(then)))
                .map(caches -> new Result(measured, errors, earlyErrors, List.copyOf(waits), caches));
    }

    private Future<Reading> reading() {
        Future<Lookups> predicted = contender.adminPort() == 0
                ? Future.succeededFuture(Lookups.NONE)
                : Lookups.ofPenstock(client, contender.host(), contender.adminPort());
        return predicted.compose(believed -> replicas.lookups().map(found -> new Reading(found, believed)));
    }

    /** Nothing that only primes is on its way any more: what it did not find would be counted when it ends. */
    private void begin() {
        startNanos = nanoClock.getAsLong();
        vertx.setTimer(millis(nanos(warmUpSeconds)), timer -> before = reading());
        next(primers, calls.size());
    }

    private void next(int number, int end) {
        if (number == end) {
            return;
        }
        vertx.setTimer(millis(calls.get(number).arrivalNanos()), timer -> {
            ask(number);
            next(number + 1, end);
        });
    }

    private void ask(int number) {
        long due = startNanos + (long) (calls.get(number).arrivalNanos() / speed);
        boolean counts = number >= primers && calls.get(number).arrivalNanos() >= nanos(warmUpSeconds);
        measured += counts ? 1 : 0;
        StreamedAnswer.to(bodies.get(number), contender, client, nanoClock).onComplete(answer -> {
            if (answer.succeeded() && counts) {
                waits.add((answer.result() - due) / 1e9);
            } else if (answer.failed()) {
                LOG.info("{}: {}", contender.name(), answer.cause().getMessage());
                errors += counts ? 1 : 0;
                earlyErrors += counts ? 0 : 1;
            }
            left--;
            if (left == 0) {
                over.complete();
            } else if (number < primers && left == calls.size() - primers) {
                begin();
            }
        });
    }

    /** From now to a moment of the cell's own time; at least 1, as timers want it, and never early. */
    private long millis(long cellNanos) {
        long due = startNanos + (long) (cellNanos / speed);
        return Math.max(1, (due - nanoClock.getAsLong() + 999_999) / 1_000_000);
    }

    private static long nanos(double seconds) {
        return Math.round(seconds * 1e9);
    }
}
