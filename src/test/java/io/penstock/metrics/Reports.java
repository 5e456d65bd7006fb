package io.penstock.metrics;

import io.penstock.config.ConfigFile;
import io.penstock.config.ConfigState;
import io.penstock.config.Endpoint;
import io.penstock.config.Overrides;
import io.penstock.config.PenstockConfig;
import io.penstock.config.Replica;
import io.penstock.config.Surroundings;
import io.penstock.proxy.AttemptReport;
import io.penstock.proxy.Decision;
import io.penstock.proxy.ExchangeReport;
import io.penstock.proxy.ExchangeReport.Result;
import io.penstock.proxy.FailureKind;
import io.penstock.upstream.Choice;
import io.penstock.upstream.LiveUpstreams;
import io.penstock.upstream.Upstream;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.LongSupplier;

/** Requests that were never made. */
final class Reports {

    private Reports() {}

    /** A streamed chat that went well: 12.345678 ms of waiting, first token after 250 ms, 2 s in all. */
    static ExchangeReport completed(String replica) {
        return new ExchangeReport(
                "req-1",
                "10.0.0.9",
                "POST",
                "chat_completions",
                "qwen/7b",
                true,
                Result.COMPLETED,
                null,
                null,
                200,
                replica,
                List.of(new AttemptReport(replica, null, 1_000_000, 20_500_000, 1_987_654_321)),
                12_345_678,
                13_345_678,
                33_000_000,
                250_000_000,
                2_000_000_000,
                42,
                1000,
                5000,
                List.of());
    }

    /** Two failed tries, and nothing that could be relayed. */
    static ExchangeReport refused() {
        return new ExchangeReport(
                "req-2",
                "10.0.0.9",
                "POST",
                "completions",
                null,
                false,
                Result.REFUSED,
                FailureKind.CONNECT_REFUSED,
                null,
                502,
                null,
                List.of(
                        new AttemptReport("vllm0", FailureKind.CONNECT_REFUSED, -1, -1, 400_000),
                        new AttemptReport("vllm1", FailureKind.DIED_BEFORE_OUTPUT, 0, -1, 1_499)),
                0,
                -1,
                -1,
                -1,
                10_000_000_000_000L,
                0,
                17,
                120,
                List.of());
    }

    static ExchangeReport named(String route, int status, String model) {
        return new ExchangeReport(
                "id",
                "::1",
                "GET",
                route,
                model,
                false,
                Result.UPSTREAM_ERROR,
                null,
                null,
                status,
                null,
                List.of(),
                -1,
                -1,
                -1,
                -1,
                0,
                0,
                0,
                0,
                List.of());
    }

    /** As {@link #completed}, with one decision: 1000 prompt tokens of which 640 were seen, predicted to take a second. */
    static ExchangeReport decided(String replica, Choice.Reason reason, long laneNanos, long lateNanos, int status) {
        ExchangeReport plain = completed(replica);
        long predicted = 1_000_000_000;
        Choice.Terms terms = new Choice.Terms(10, 360, 0, 0, 0, 0, 0, 0, 0);
        Choice choice =
                new Choice(reason, List.of(new Choice.Option(replica, 0, terms)), 0, 0, laneNanos, 1_000, predicted);
        Decision decision = new Decision(Decision.Cause.ARRIVAL, replica, choice, 0, predicted + lateNanos);
        return withDecisions(plain, status, List.of(decision));
    }

    /** As {@link #completed}, with a decision for each of these causes. */
    static ExchangeReport routed(String replica, Decision.Cause... causes) {
        ExchangeReport plain = completed(replica);
        Choice choice = new Choice(Choice.Reason.LEAST_IN_FLIGHT, List.of(), 0, 0, -1, 0, -1);
        return withDecisions(
                plain,
                200,
                Arrays.stream(causes)
                        .map(cause -> new Decision(cause, replica, choice, 0, -1))
                        .toList());
    }

    private static ExchangeReport withDecisions(ExchangeReport plain, int status, List<Decision> decisions) {
        return new ExchangeReport(
                plain.requestId(),
                plain.client(),
                plain.method(),
                plain.route(),
                plain.model(),
                plain.stream(),
                plain.result(),
                null,
                null,
                status,
                plain.replica(),
                plain.attempts(),
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                decisions);
    }

    /** What metrics read that are about nothing else. */
    static PrometheusMetrics.Sources sources(LiveUpstreams live, LongSupplier nanoClock) {
        ConfigState config = config(List.of(), 1, 0);
        return new PrometheusMetrics.Sources(
                live, () -> config, () -> 0, () -> 0, () -> 0, () -> 0, () -> 0, nanoClock, "1");
    }

    /** A configuration with defaults; what is wrong with the file waits for a restart, too. */
    static ConfigState config(List<String> problems, long applied, long rejected) {
        Overrides oneReplica = new Overrides(null, null, List.of("http://vllm0:8000"));
        PenstockConfig defaults = Objects.requireNonNull(
                new ConfigFile(null, oneReplica, Surroundings.REAL).read().config());
        return new ConfigState("test", defaults, "hash", applied, rejected, problems, List.of(), List.of(), problems);
    }

    static Upstream upstream(String name) {
        Replica replica = new Replica(name, new Endpoint("127.0.0.1", 8000), false, false, 1, 0, Set.of(), null);
        return new Upstream(name, name, replica, List.of("127.0.0.1"));
    }
}
