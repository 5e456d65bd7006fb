package io.penstock.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;

/**
 * Every metric of Penstock by the name that Prometheus sees, with what its {@code # HELP} says; {@code docs/metrics.md} has
 * labels and meaning. Micrometer's {@code jvm_*}, {@code process_*} and {@code system_*} come beside them. Times are
 * seconds, sizes are bytes.
 */
enum Metric {
    // ---- requests ------------------------------------------------------------------------------------------------
    REQUESTS(
            "penstock_requests_total",
            "Requests that are over, by row of the API table, model, how they ended, and status"),
    REQUEST("penstock_request_seconds", "From a request's head to the end of its answer"),
    FIRST_OUTPUT(
            "penstock_time_to_first_output_seconds",
            "From a streaming request's head to its first output (time to first token)"),
    EVENT_GAP(
            "penstock_time_per_output_event_seconds",
            "From one event to the next after the first output, the mean of each whole stream (time per output token)"),
    QUEUE("penstock_queue_seconds", "Time spent waiting for a replica, all waits of a request"),
    CANCELS("penstock_cancels_total", "Requests whose client left, by what they were waiting for"),
    EVENTS("penstock_events_total", "SSE events relayed"),
    BYTES_IN("penstock_bytes_in_total", "Bytes of request bodies"),
    BYTES_OUT("penstock_bytes_out_total", "Bytes of response bodies"),
    EXCHANGES_OPEN("penstock_exchanges_open", "Requests begun and not over"),
    WAITING("penstock_waiting", "Requests waiting for a replica"),
    WAITING_LIMIT("penstock_waiting_limit", "Requests that may wait at once"),
    CONNECTIONS_OPEN("penstock_connections_open", "Clients connected"),
    CONNECTIONS_LIMIT("penstock_connections_limit", "Clients that may be connected at once"),

    // ---- attempts and routing ------------------------------------------------------------------------------------
    ATTEMPTS("penstock_attempts_total", "Tries at a replica, by why they ended (ok: they did not fail)"),
    REROUTES("penstock_reroutes_total", "Further replicas that requests were sent to, by why"),
    PREDICTION_ERROR(
            "penstock_prediction_error_seconds", "By how much the first output came earlier or later than predicted"),
    LANE("penstock_lane_seconds", "Time in the lane of the replica that was chosen"),
    LANE_MOVES("penstock_lane_moves_total", "Requests that left another replica's lane for this one"),
    PREFIX_HITS("penstock_prefix_hit_tokens_total", "Prompt tokens that the replica had seen, as far as known"),
    PREFIX_LOOKUPS("penstock_prefix_lookup_tokens_total", "Prompt tokens of the requests that were sent there"),

    // ---- replicas ------------------------------------------------------------------------------------------------
    UP("penstock_replica_up", "1 if new work may be sent to the replica, else 0"),
    STANDING("penstock_replica_standing", "How the replica stands: ready, draining, or why not"),
    STANDING_CHANGES("penstock_standing_changes_total", "Times that the replica came to stand so"),
    EJECTIONS(
            "penstock_ejections_total",
            "Times that a replica was left alone for a while because requests failed there, by the rule"),
    PANIC("penstock_panic", "1 while no replica is usable and ejected ones get the work"),
    BLIND("penstock_probes_silent", "1 while the probes are silent and what they said is not believed any more"),
    IN_FLIGHT("penstock_in_flight", "Requests that the replica holds"),
    MAX_IN_FLIGHT("penstock_max_in_flight", "Requests that the replica may hold, as configured; 0 is no limit"),
    SLOW_START("penstock_slow_start_limit", "Requests that the replica may hold since it has come back; 0 is no limit"),

    // ---- engines, by their own account ---------------------------------------------------------------------------
    ENGINE_RUNNING("penstock_replica_running", "Requests that the engine says it works on"),
    ENGINE_WAITING("penstock_replica_waiting", "Requests that wait in the engine, as it says"),
    ENGINE_CACHE_USAGE("penstock_replica_kv_usage", "Used share of the engine's KV cache, as it says"),
    ENGINE_CACHE_QUERIES("penstock_replica_prefix_query_tokens_total", "Prompt tokens looked up in the engine's cache"),
    ENGINE_CACHE_HITS("penstock_replica_prefix_hit_tokens_total", "Prompt tokens found in the engine's cache"),
    ENGINE_PROMPT_TOKENS("penstock_replica_prompt_tokens_total", "Prompt tokens that the engine has taken in"),
    ENGINE_GENERATED("penstock_replica_generation_tokens_total", "Tokens that the engine has made"),
    ENGINE_PREEMPTIONS("penstock_replica_preemptions_total", "Times that the engine put a running request back"),
    ENGINE_FINISHED("penstock_replica_finished_total", "Requests that the engine has finished, however"),

    // ---- the process ---------------------------------------------------------------------------------------------
    BODY_MEMORY("penstock_body_memory_bytes", "Memory held by request bodies"),
    BODY_MEMORY_LIMIT("penstock_body_memory_limit_bytes", "Memory that request bodies may hold together"),
    ANSWER_MEMORY("penstock_answer_memory_bytes", "Memory held by answers that have shown no output yet"),
    LOOP_LAG(
            "penstock_event_loop_lag_seconds", "How late an event loop is with a timer that is due ten times a second"),
    RELOADS("penstock_config_reloads_total", "Configurations read after the first, by whether they were put in force"),
    LAST_RELOAD_OK("penstock_config_last_reload_ok", "1 if the file as it is now is in force, 0 if it has problems"),
    PENDING_RESTART("penstock_config_pending_restart", "Settings in the file that only a restart will bring"),
    DROPPED_LINES("penstock_log_lines_dropped_total", "Log lines given up because standard output was too slow"),
    LOST_SPANS("penstock_spans_lost_total", "Spans of traces that no collector took"),
    /** {@code _info} is a suffix that the client library keeps for itself. */
    BUILD("penstock_build", "Which version runs");

    private final String id;
    private final String help;

    Metric(String id, String help) {
        this.id = id;
        this.help = help;
    }

    /** The name, as in a scrape; histograms append {@code _bucket}, {@code _sum}, {@code _count} and {@code _max}. */
    String id() {
        return id;
    }

    /** What it counts or shows, for {@code # HELP}. */
    String help() {
        return help;
    }

    Counter.Builder counter() {
        return Counter.builder(id).description(help);
    }

    Timer.Builder timer(Duration... buckets) {
        return Timer.builder(id).description(help).serviceLevelObjectives(buckets);
    }

    /** A gauge with as many series as it is given rows. */
    MultiGauge gauges(MeterRegistry registry) {
        return MultiGauge.builder(id).description(help).register(registry);
    }
}
