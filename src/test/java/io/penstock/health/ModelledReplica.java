package io.penstock.health;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.DoubleSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A replica of which the truth is known: what it answers to probes and requests, on a moved clock. */
final class ModelledReplica {

    /** How it really is. */
    enum Truth {
        GOOD,
        /** Its port is closed: dead, or loading. */
        REFUSING,
        /** {@code /health} says 200, nothing else moves. */
        HUNG,
        /** 500 for every request. */
        ERRORS,
        /** 500 for most. */
        ERRATIC,
        /** 503 for every request. */
        BUSY,
        /** Twenty times slower. */
        SLOW,
        /** Dies and is back, again and again. */
        FLAPPING,
        /** Was told to stop: passes its probes and takes no request. */
        LEAVING,
        /** Packets vanish. */
        BLACK_HOLE,
        /** {@code /health} says 500, requests are answered. */
        UNHEALTHY
    }

    /** One request that it works for, until somebody says that it is over. */
    interface Work {

        boolean over();

        void refused(String reason);

        void answered(int status);

        /** A part of the answer; true if it was the last. */
        boolean output();

        void died();
    }

    /** A SYN that got no answer is sent again (RFC 6298, section 2). */
    private static final long SYN_AGAIN = MovedClock.SECOND;

    private static final long ON_THE_WIRE = 2 * MovedClock.MILLI;
    private static final long FIRST_OUTPUT = 200 * MovedClock.MILLI;
    private static final long NEXT_OUTPUT = 1000 * MovedClock.MILLI;
    private static final int SLOWER = 20;
    private static final double ERROR_SHARE = 0.7;

    final String name;
    private final MovedClock time;
    private final DoubleSupplier random;
    private final Map<Truth, Long> lastSo = new EnumMap<>(Truth.class);
    private final Set<Work> work = new LinkedHashSet<>();
    private final Set<Work> parked = new LinkedHashSet<>();
    private final List<Promise<TokenCall.Kind>> unansweredTokens = new ArrayList<>();

    private Truth truth = Truth.GOOD;
    private long sinceNanos;
    private boolean open = true;
    private int process = 1;
    private long generated;
    private long finished;
    private String metrics = "";
    // Since when it has had work and been mute, and when its process first had finished a request.
    private long idleUntilNanos;
    private long warmSinceNanos = Long.MAX_VALUE;

    ModelledReplica(String name, MovedClock time, DoubleSupplier random) {
        this.name = name;
        this.time = time;
        this.random = random;
        this.sinceNanos = time.now();
        freeze();
    }

    Truth truth() {
        return truth;
    }

    /** How long it has been as it is. */
    long soFor() {
        return time.now() - sinceNanos;
    }

    boolean wasWithin(long nanos, EnumSet<Truth> truths) {
        if (truths.contains(truth)) {
            return true;
        }
        for (Truth each : truths) {
            Long last = lastSo.get(each);
            if (last != null && time.now() - last <= nanos) {
                return true;
            }
        }
        return false;
    }

    /** How long it has hung with work that would have shown a healthy one to be alive; 0 if it does not. */
    long muteWithWorkFor() {
        boolean known = truth == Truth.HUNG && !work.isEmpty() && warmSinceNanos < sinceNanos - 5 * MovedClock.SECOND;
        return known ? time.now() - Math.max(sinceNanos, idleUntilNanos) : 0;
    }

    void become(Truth next) {
        lastSo.put(truth, time.now());
        freeze();
        boolean wasMute = mute();
        truth = next;
        sinceNanos = time.now();
        if (next == Truth.REFUSING || next == Truth.FLAPPING) {
            die();
        } else {
            open = true;
        }
        if (wasMute && !mute()) {
            resume();
        }
        if (next == Truth.FLAPPING) {
            flap();
        }
    }

    private void flap() {
        time.after((long) ((0.3 + 3 * random.getAsDouble()) * MovedClock.SECOND), () -> {
            if (truth != Truth.FLAPPING) {
                return;
            }
            if (open) {
                die();
            } else {
                open = true;
            }
            flap();
        });
    }

    private void die() {
        open = false;
        process++;
        generated = 0;
        finished = 0;
        warmSinceNanos = Long.MAX_VALUE;
        parked.clear();
        List<Work> lost = List.copyOf(work);
        work.clear();
        lost.forEach(Work::died);
        List.copyOf(unansweredTokens).forEach(token -> token.tryComplete(TokenCall.Kind.NOTHING));
        unansweredTokens.clear();
    }

    /** Another process runs there at once, so that nobody finds the port closed; streams go on as if by magic. */
    void startAnew() {
        process++;
    }

    private boolean mute() {
        return truth == Truth.HUNG || truth == Truth.BLACK_HOLE;
    }

    private void resume() {
        List<Work> resumed = List.copyOf(parked);
        parked.clear();
        resumed.forEach(each -> step(each, FIRST_OUTPUT));
        List.copyOf(unansweredTokens).forEach(token -> token.tryComplete(TokenCall.Kind.MADE));
        unansweredTokens.clear();
    }

    // ---- requests -----------------------------------------------------------------------------------------------

    void request(Work next) {
        time.after(ON_THE_WIRE, () -> {
            if (!next.over()) {
                arrived(next);
            }
        });
    }

    private void arrived(Work next) {
        if (!open) {
            next.refused("refused the connection");
            return;
        }
        switch (truth) {
            case BLACK_HOLE ->
                time.after(2 * MovedClock.SECOND, () -> {
                    if (!next.over()) {
                        next.refused("did not accept a connection");
                    }
                });
            case LEAVING, ERRORS -> next.answered(500);
            case BUSY -> next.answered(503);
            case ERRATIC -> {
                if (random.getAsDouble() < ERROR_SHARE) {
                    next.answered(500);
                } else {
                    begin(next);
                }
            }
            default -> begin(next);
        }
    }

    private void begin(Work next) {
        if (work.isEmpty()) {
            idleUntilNanos = time.now();
        }
        work.add(next);
        step(next, FIRST_OUTPUT);
    }

    private void step(Work one, long nanos) {
        time.after(truth == Truth.SLOW ? Math.min(SLOWER * nanos, 4 * MovedClock.SECOND) : nanos, () -> {
            if (one.over() || !work.contains(one)) {
                return;
            }
            if (mute()) {
                parked.add(one);
                return;
            }
            generated++;
            if (one.output()) {
                finished++;
                warmSinceNanos = Math.min(warmSinceNanos, time.now());
                forget(one);
            } else {
                step(one, NEXT_OUTPUT);
            }
        });
    }

    /** Nobody waits for it any more. */
    void forget(Work one) {
        work.remove(one);
        parked.remove(one);
    }

    // ---- probes -------------------------------------------------------------------------------------------------

    Future<HttpProbe.Result> health(Duration timeout) {
        return answer(ON_THE_WIRE, timeout, this::healthNow, late(timeout));
    }

    private static HttpProbe.Result late(Duration timeout) {
        return new HttpProbe.Result(HttpProbe.Kind.FAILED, "connecting took longer than " + timeout, null);
    }

    private HttpProbe.Result healthNow() {
        if (!open) {
            return new HttpProbe.Result(HttpProbe.Kind.REFUSED, "connection refused", null);
        }
        return truth == Truth.UNHEALTHY
                ? new HttpProbe.Result(HttpProbe.Kind.FAILED, "GET /health answered 500", DayOfFaults.ADDRESS)
                : new HttpProbe.Result(HttpProbe.Kind.PASSED, "200", DayOfFaults.ADDRESS);
    }

    Future<ModelList> models(Duration timeout) {
        ModelList list = new ModelList(Set.of(DayOfFaults.MODEL), true);
        return answer(ON_THE_WIRE, timeout, () -> open ? list : ModelList.SILENT, ModelList.SILENT);
    }

    Future<@Nullable GaugeScanner> metrics(Duration timeout) {
        Promise<@Nullable GaugeScanner> promise = Promise.promise();
        boolean vanishes = truth == Truth.BLACK_HOLE;
        time.after(vanishes ? timeout.toNanos() : ON_THE_WIRE, () -> {
            GaugeScanner scanner = new GaugeScanner();
            if (truth != Truth.HUNG) {
                freeze();
            }
            scanner.feed(metrics.getBytes(StandardCharsets.US_ASCII));
            promise.complete(vanishes || !open ? null : scanner);
        });
        return promise.future();
    }

    private void freeze() {
        if (truth == Truth.HUNG) {
            return;
        }
        metrics = "process_start_time_seconds " + process + "\n"
                + "vllm:num_requests_running{engine=\"0\"} " + work.size() + "\n"
                + "vllm:generation_tokens_total{engine=\"0\"} " + generated + "\n"
                + "vllm:request_success_total{engine=\"0\"} " + finished + "\n"
                + "vllm:prompt_tokens_by_source_total{engine=\"0\",source=\"local_compute\"} 40000\n"
                + "vllm:request_prefill_time_seconds_sum{engine=\"0\"} 10\n";
    }

    Future<TokenCall.Kind> token(Duration timeout) {
        Promise<TokenCall.Kind> promise = Promise.promise();
        unansweredTokens.add(promise);
        time.after(timeout.toNanos(), () -> {
            unansweredTokens.remove(promise);
            promise.tryComplete(TokenCall.Kind.NOTHING);
        });
        time.after(ON_THE_WIRE + FIRST_OUTPUT, () -> {
            if (!mute() || !open) {
                unansweredTokens.remove(promise);
                boolean makes = open
                        && EnumSet.of(Truth.GOOD, Truth.SLOW, Truth.UNHEALTHY, Truth.FLAPPING)
                                .contains(truth);
                generated += makes ? 1 : 0;
                promise.tryComplete(makes ? TokenCall.Kind.MADE : TokenCall.Kind.NOTHING);
            }
        });
        return promise.future();
    }

    private <T> Future<T> answer(long nanos, Duration timeout, Supplier<T> answer, T silence) {
        Promise<T> promise = Promise.promise();
        if (truth == Truth.BLACK_HOLE) {
            time.after(SYN_AGAIN, () -> {
                boolean stillVanishes = truth == Truth.BLACK_HOLE;
                time.after(
                        stillVanishes ? timeout.toNanos() - SYN_AGAIN : nanos,
                        () -> promise.complete(stillVanishes ? silence : answer.get()));
            });
        } else {
            time.after(nanos, () -> promise.complete(answer.get()));
        }
        return promise.future();
    }
}
