package io.penstock.config;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Everything an operator can set, in the order of the file, with every default and unit on one page.
 *
 * @param listen where clients connect
 * @param admin where the operator connects, and who may change something there
 * @param upstreams the replicas, in the order of the file
 * @param selection how a replica is chosen
 * @param admission who waits, how many, how long
 * @param probe how replicas are asked whether they are alive
 * @param progress how replicas are judged by what their engines make
 * @param ejection when a replica that fails requests is left alone for a while
 * @param retry how often an error of a replica is hidden by asking another one
 * @param heartbeat how a waiting client is told that the line is alive
 * @param timeouts how long things may take
 * @param limits how large things may be
 * @param drain how Penstock itself goes away
 * @param routes paths opened beside the inference API
 * @param trust whose forwarding headers are believed
 * @param log what is written
 * @param tracing where requests are traced to
 * @param explain who is told why a request went where it did
 */
public record PenstockConfig(
        Endpoint listen,
        Admin admin,
        List<Replica> upstreams,
        Selection selection,
        Admission admission,
        Probe probe,
        Progress progress,
        Ejection ejection,
        Retry retry,
        Heartbeat heartbeat,
        Timeouts timeouts,
        Limits limits,
        Drain drain,
        Routes routes,
        Trust trust,
        Log log,
        Tracing tracing,
        Explain explain) {

    /** {@code 0.0.0.0:8000}, vLLM's own port. */
    public static final Endpoint DEFAULT_LISTEN = new Endpoint("0.0.0.0", 8000);

    /** Copies the list. */
    public PenstockConfig {
        upstreams = List.copyOf(upstreams);
    }

    /**
     * This configuration with what only a restart can change taken from the one that runs: the servers' addresses, the
     * sizes their codec was made with, the pool's idle time, and tracing.
     *
     * @param running what the process was started with
     * @return a copy with these
     */
    PenstockConfig servingAs(PenstockConfig running) {
        return new PenstockConfig(
                running.listen(),
                new Admin(running.admin().listen(), admin.key()),
                upstreams,
                selection,
                admission,
                probe,
                progress,
                ejection,
                retry,
                heartbeat,
                new Timeouts(
                        timeouts.connect(),
                        timeouts.firstOutput(),
                        timeouts.total(),
                        timeouts.clientHead(),
                        timeouts.clientBody(),
                        timeouts.clientIdle(),
                        timeouts.slowReader(),
                        timeouts.stall(),
                        running.timeouts().upstreamIdle()),
                new Limits(
                        limits.bodyBytes(),
                        limits.bodyMemoryPercent(),
                        running.limits().headerBytes(),
                        running.limits().requestLineBytes(),
                        limits.connections()),
                drain,
                routes,
                trust,
                log,
                running.tracing(),
                explain);
    }

    /**
     * The operator's port.
     *
     * @param listen where the operator connects
     * @param key what must be shown to change something; null if being on this machine is enough, and needed
     */
    public record Admin(Endpoint listen, @Nullable String key) {
        /** {@code 127.0.0.1:8090}, nobody but this machine, and no key. */
        public static final Admin DEFAULT = new Admin(new Endpoint("127.0.0.1", 8090), null);

        /** Never the key. */
        @Override
        public String toString() {
            return "Admin[" + listen + (key == null ? "" : ", with a key") + "]";
        }
    }

    /** The policies that {@code selection} can name, each spelled in the file in lower case. */
    public enum Policy {
        /** The replica with the fewest requests in flight for its weight; ties take turns. nginx's {@code least_conn}. */
        LEAST_IN_FLIGHT,
        /** One after the other, each as often as its weight says, evenly spread. */
        ROUND_ROBIN,
        /** The replica that will answer first, as learned from its answers and from the prompts that it has seen. */
        PREDICTED_DELAY
    }

    /**
     * How a replica is chosen.
     *
     * @param policy the rule
     */
    public record Selection(Policy policy) {
        /** {@code predicted_delay}. */
        public static final Selection DEFAULT = new Selection(Policy.PREDICTED_DELAY);
    }

    /**
     * Requests that no replica can take at the moment wait here.
     *
     * @param maxWaiting requests that may wait at once; one more gets 429
     * @param maxWait how long one may wait in all, failovers included
     * @param targetInterToken the longest time from token to token that is good: a request that would make it longer
     *     wherever it went gets 429; zero: nobody is refused for that. Only {@code predicted_delay} looks at it
     */
    public record Admission(int maxWaiting, Duration maxWait, Duration targetInterToken) {
        /** 4096 requests, 10 minutes, no target. */
        public static final Admission DEFAULT = new Admission(4096, Duration.ofMinutes(10), Duration.ZERO);
    }

    /**
     * Probes of {@code GET /health}.
     *
     * @param interval from one probe of a replica to its next, ±10 %
     * @param timeout how long a probe may take, connecting included
     * @param fall failed probes in a row that take a replica out (a refused connection takes it out at once)
     * @param rise passed probes in a row that bring it back
     * @param modelsInterval from one reading of the replica's model list to the next
     */
    public record Probe(Duration interval, Duration timeout, int fall, int rise, Duration modelsInterval) {
        /** Every 2 s, 2 s each, 3 to fall, 2 to rise, models every 30 s. */
        public static final Probe DEFAULT =
                new Probe(Duration.ofSeconds(2), Duration.ofSeconds(2), 3, 2, Duration.ofSeconds(30));
    }

    /**
     * A replica that has work and shows no progress with it: no byte of an answer, and no number of its {@code /metrics}
     * that moves. {@code /health} says nothing of it.
     *
     * @param suspect silence after which it gets no new work while another replica can take it; zero: progress is not
     *     watched. Long prompts, a process's first request and embeddings may take longer
     * @param stalled further silence, with frozen metrics, after which it gets no work at all; zero: never
     */
    public record Progress(Duration suspect, Duration stalled) {
        /** Suspected after 10 s, out after 10 s more. */
        public static final Progress DEFAULT = new Progress(Duration.ofSeconds(10), Duration.ofSeconds(10));
    }

    /**
     * When a replica that passes its probes and fails requests gets no new work for a while. Then one request at a time
     * shows whether it is well again.
     *
     * @param consecutive faults in a row that eject it; 0: never for that
     * @param window how far back the share looks
     * @param sharePercent share of the requests that ended in the window which, failed, ejects it; 0: never for that
     * @param minimum requests that must have ended in the window for the share to mean something
     * @param base how long the first ejection lasts; each further one twice as long
     * @param max how long one lasts at most
     */
    public record Ejection(
            int consecutive, Duration window, int sharePercent, int minimum, Duration base, Duration max) {
        /** 5 in a row, or 50 % of at least 20 in 30 s; for 1 s, then doubling up to 60 s. */
        public static final Ejection DEFAULT =
                new Ejection(5, Duration.ofSeconds(30), 50, 20, Duration.ofSeconds(1), Duration.ofSeconds(60));

        /**
         * Whether no fault ejects anyone.
         *
         * @return true if both rules are 0
         */
        public boolean off() {
            return consecutive == 0 && sharePercent == 0;
        }
    }

    /**
     * Second tries when a replica that stays in rotation answers with an error (5xx, 429, or an error as the first event
     * of a stream). A request that a dead, refusing or leaving replica lost goes elsewhere at no cost and is not counted
     * here.
     *
     * @param max retries of one request; 0 passes every error on
     * @param budgetPercent share of the requests of the last 10 s that may be retried, so that retries never multiply an
     *     overload
     * @param floor retries that are allowed in 10 s however few requests there were
     */
    public record Retry(int max, int budgetPercent, int floor) {
        /** Twice, 20 % of the requests of the last 10 s, but at least 10. */
        public static final Retry DEFAULT = new Retry(2, 20, 10);
    }

    /**
     * Signs of life for a streaming client that hears nothing from its replica: comments, which every SSE reader skips.
     *
     * @param after silence before the first one; until then the true HTTP status is still possible
     * @param every from one to the next, and the silence in the middle of an answer before one
     */
    public record Heartbeat(Duration after, Duration every) {
        /** After 10 s, then every 10 s. */
        public static final Heartbeat DEFAULT = new Heartbeat(Duration.ofSeconds(10), Duration.ofSeconds(10));
    }

    /**
     * How long things may take. {@link Duration#ZERO} means "no limit" where it is allowed.
     *
     * @param connect connecting to a replica
     * @param firstOutput from a request's arrival to its first output; zero: none
     * @param total one whole request; zero: none
     * @param clientHead a client's request head, from its connection to the end of the headers
     * @param clientBody silence in the middle of a client's body
     * @param clientIdle a client's connection between two requests
     * @param slowReader a client that takes nothing of its answer
     * @param stall silence of a running answer whose replica is out of rotation; six times as long if the replica was
     *     only removed
     * @param upstreamIdle a replica's connection between two requests; vLLM closes its end after 5 s
     */
    public record Timeouts(
            Duration connect,
            Duration firstOutput,
            Duration total,
            Duration clientHead,
            Duration clientBody,
            Duration clientIdle,
            Duration slowReader,
            Duration stall,
            Duration upstreamIdle) {
        /**
         * 2 s to connect, no limit on answers; clients get 10 s for a head, 60 s of silence in a body, 75 s idle, 10
         * minutes without reading; replicas 20 s of silence while out of rotation, 3 s idle.
         */
        public static final Timeouts DEFAULT = new Timeouts(
                Duration.ofSeconds(2),
                Duration.ZERO,
                Duration.ZERO,
                Duration.ofSeconds(10),
                Duration.ofSeconds(60),
                Duration.ofSeconds(75),
                Duration.ofMinutes(10),
                Duration.ofSeconds(20),
                Duration.ofSeconds(3));
    }

    /**
     * How large things may be.
     *
     * @param bodyBytes one request's body
     * @param bodyMemoryPercent share of the heap that all bodies together may take
     * @param headerBytes one request's header block
     * @param requestLineBytes one request's first line
     * @param connections clients connected at once
     */
    public record Limits(
            long bodyBytes, int bodyMemoryPercent, int headerBytes, int requestLineBytes, int connections) {
        /** 64 MiB, 25 %, 32 KiB, 16 KiB, 16384 connections. */
        public static final Limits DEFAULT = new Limits(64L << 20, 25, 32 << 10, 16 << 10, 16384);
    }

    /**
     * The way down after SIGTERM.
     *
     * @param lameDuck how long to serve normally while telling everyone to go elsewhere
     * @param deadline how long running requests may take after that
     */
    public record Drain(Duration lameDuck, Duration deadline) {
        /** 5 s, then up to 120 s. */
        public static final Drain DEFAULT = new Drain(Duration.ofSeconds(5), Duration.ofSeconds(120));
    }

    /**
     * Paths beside the inference API.
     *
     * @param allow exact paths that are passed to a replica though the table does not list them
     */
    public record Routes(Set<String> allow) {
        /** None. */
        public static final Routes DEFAULT = new Routes(Set.of());

        /** Copies the set. */
        public Routes {
            allow = Set.copyOf(allow);
        }
    }

    /**
     * Peers whose {@code X-Forwarded-*} headers are believed and extended instead of overwritten.
     *
     * @param proxies IP literals or CIDR blocks
     */
    public record Trust(List<String> proxies) {
        /** Nobody. */
        public static final Trust DEFAULT = new Trust(List.of());

        /** Copies the list. */
        public Trust {
            proxies = List.copyOf(proxies);
        }
    }

    /**
     * What is written to standard output.
     *
     * @param access whether each request leaves one JSON line at its end
     */
    public record Log(boolean access) {
        /** Access log on. */
        public static final Log DEFAULT = new Log(true);
    }

    /**
     * Each request as a trace of spans, in OpenTelemetry's terms.
     *
     * @param endpoint the URL of an OTLP receiver over HTTP, to which {@code /v1/traces} is added; empty: nothing is traced
     * @param service what traces call this Penstock: {@code service.name}
     * @param sample share of the requests that are traced, 0 to 1; a client that brings a trace has decided itself
     * @param headers what each export carries, by name; the values are secret
     */
    public record Tracing(String endpoint, String service, double sample, Map<String, String> headers) {
        /** Off. Once there is an endpoint, every request is traced, as of {@code penstock}. */
        public static final Tracing DEFAULT = new Tracing("", "penstock", 1, Map.of());

        /** Copies the map. */
        public Tracing {
            headers = Map.copyOf(headers);
        }

        /**
         * Whether nothing is traced.
         *
         * @return true if there is no endpoint
         */
        public boolean off() {
            return endpoint.isEmpty();
        }

        /** Never the headers' values. */
        @Override
        public String toString() {
            String named = headers.isEmpty() ? "" : " with " + new TreeSet<>(headers.keySet());
            return off() ? "off" : endpoint + named + ", service " + service + ", sample " + sample;
        }
    }

    /**
     * Why requests went where they did, beside what the operator can always ask for.
     *
     * @param headers whether answers name their replica and the reason in {@code X-Penstock-Replica} and
     *     {@code X-Penstock-Reason}
     */
    public record Explain(boolean headers) {
        /** Clients are told nothing. */
        public static final Explain DEFAULT = new Explain(false);
    }
}
