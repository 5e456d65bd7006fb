package io.penstock.proxy;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * The API that the front carries: which paths are open, and what each needs. Everything else is closed; vLLM's control
 * endpoints are refused by name, so that whoever calls one learns why.
 */
public final class ApiTable {

    /** What a route needs from a balancer. */
    public enum Kind {
        /** A request, in JSON or as a form, that generates tokens or computes from its body: the exchange, with failover. */
        INFERENCE,
        /** Anything that is passed through as it comes: stored responses, opened paths. */
        PLAIN,
        /** The list of models, merged over the replicas. */
        MODELS,
        /** One model out of that list. */
        MODEL,
        /** Answered here: whether a replica can take work. */
        HEALTH,
        /** Answered here: the version. */
        VERSION,
        /** Answered here: requests in flight. */
        LOAD
    }

    /** How errors and endings look on a route. */
    public enum Dialect {
        /** {@code data:} events that end with {@code [DONE]}: chat and completions. */
        OPENAI,
        /** Typed events: OpenAI's Responses. */
        RESPONSES,
        /** Typed events and errors in Anthropic's shape: Messages. */
        ANTHROPIC
    }

    /**
     * A row that matched.
     *
     * @param route its path pattern, the label in log and metrics
     * @param kind what it needs
     * @param dialect how it speaks
     */
    public record Route(String route, Kind kind, Dialect dialect) {}

    /**
     * What the table says of a request: either a route or a refusal.
     *
     * @param route the row; for refusals one whose label is {@code other}
     * @param refusal why it is refused, null if it is not
     * @param allow the methods that the path knows, for {@link FailureKind#METHOD_NOT_ALLOWED}
     */
    public record Match(
            Route route, @org.jspecify.annotations.Nullable FailureKind refusal, String allow) {}

    static final Route OTHER = new Route("other", Kind.PLAIN, Dialect.OPENAI);
    private static final Match NOT_FOUND = new Match(OTHER, FailureKind.NOT_FOUND, "");
    private static final Match CONTROL = new Match(OTHER, FailureKind.CONTROL_ENDPOINT, "");

    /** Paths that steer a vLLM, or tell of its inside. None asks for a key unless it begins with {@code /v1}. */
    private static final Set<String> CONTROL_PATHS = Set.of(
            "/sleep",
            "/wake_up",
            "/is_sleeping",
            "/release_kv_cache_memory",
            "/reset_prefix_cache",
            "/reset_mm_cache",
            "/reset_encoder_cache",
            "/pause",
            "/resume",
            "/is_paused",
            "/abort_requests",
            "/inference/v1/abort_requests",
            "/scale_elastic_ep",
            "/is_scaling_elastic_ep",
            "/init_weight_transfer_engine",
            "/shutdown_weight_transfer_engine",
            "/start_weight_update",
            "/start_draft_weight_update",
            "/update_weights",
            "/finish_weight_update",
            "/update_weight_version",
            "/weight_info",
            "/weight_checker",
            "/get_world_size",
            "/collective_rpc",
            "/server_info",
            "/start_profile",
            "/stop_profile",
            "/kv_event_sources",
            "/v1/load_lora_adapter",
            "/v1/unload_lora_adapter",
            "/adapters");

    private static final List<String> INFERENCE_PATHS = List.of(
            "/v1/chat/completions",
            "/v1/chat/completions/batch",
            "/v1/completions",
            "/v1/responses",
            "/v1/messages",
            "/inference/v1/generate",
            "/generative_scoring",
            "/invocations",
            "/v1/audio/transcriptions",
            "/v1/audio/translations",
            "/v1/embeddings",
            "/v2/embed",
            "/pooling",
            "/classify",
            "/score",
            "/v1/score",
            "/rerank",
            "/v1/rerank",
            "/v2/rerank",
            "/v1/messages/count_tokens",
            "/v1/systemone",
            "/tokenize",
            "/detokenize",
            "/v1/chat/completions/render",
            "/v1/completions/render",
            "/v1/messages/render",
            "/v1/responses/render",
            "/v1/chat/completions/derender",
            "/v1/completions/derender");

    // By decoded path, then by method.
    private final Map<String, Map<String, Route>> exact = new HashMap<>();

    /**
     * Makes the table.
     *
     * @param opened exact paths that the operator added
     */
    public ApiTable(Set<String> opened) {
        for (String path : INFERENCE_PATHS) {
            row("POST", path, Kind.INFERENCE);
            row("OPTIONS", path, Kind.PLAIN);
        }
        row("GET", "/v1/models", Kind.MODELS);
        row("HEAD", "/v1/models", Kind.MODELS);
        row("OPTIONS", "/v1/models", Kind.PLAIN);
        for (String path : List.of("/health", "/ping")) {
            row("GET", path, Kind.HEALTH);
            row("HEAD", path, Kind.HEALTH);
        }
        row("POST", "/ping", Kind.HEALTH);
        row("GET", "/version", Kind.VERSION);
        row("GET", "/load", Kind.LOAD);
        for (String path : opened) {
            for (String method : List.of("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")) {
                exact.computeIfAbsent(path, p -> new HashMap<>())
                        .putIfAbsent(method, new Route(path, Kind.PLAIN, Dialect.OPENAI));
            }
        }
    }

    private void row(String method, String path, Kind kind) {
        exact.computeIfAbsent(path, p -> new HashMap<>()).put(method, new Route(path, kind, dialect(path)));
    }

    private static Dialect dialect(String path) {
        if (path.startsWith("/v1/messages")) {
            return Dialect.ANTHROPIC;
        }
        return path.startsWith("/v1/responses") ? Dialect.RESPONSES : Dialect.OPENAI;
    }

    /**
     * Looks a request up.
     *
     * @param method the HTTP method
     * @param path the decoded path
     * @return its row, or why it is refused
     */
    public Match match(String method, String path) {
        Map<String, Route> methods = exact.get(path);
        if (methods == null) {
            methods = pattern(path);
        }
        if (methods.isEmpty()) {
            return isControl(path) ? CONTROL : NOT_FOUND;
        }
        Route route = methods.get(method);
        if (route != null) {
            return new Match(route, null, "");
        }
        return new Match(OTHER, FailureKind.METHOD_NOT_ALLOWED, allow(methods));
    }

    private static Map<String, Route> pattern(String path) {
        if (path.startsWith("/v1/models/") && path.length() > "/v1/models/".length()) {
            // Model ids may hold slashes.
            Route model = new Route("/v1/models/{id}", Kind.MODEL, Dialect.OPENAI);
            return Map.of("GET", model, "HEAD", model);
        }
        if (path.startsWith("/v1/responses/")) {
            String rest = path.substring("/v1/responses/".length());
            if (rest.endsWith("/cancel") && rest.indexOf('/') == rest.length() - "/cancel".length()) {
                return Map.of("POST", new Route("/v1/responses/{id}/cancel", Kind.PLAIN, Dialect.RESPONSES));
            }
            if (!rest.isEmpty() && rest.indexOf('/') < 0) {
                return Map.of("GET", new Route("/v1/responses/{id}", Kind.PLAIN, Dialect.RESPONSES));
            }
        }
        return Map.of();
    }

    private static boolean isControl(String path) {
        return CONTROL_PATHS.contains(path) || path.startsWith("/adapters/");
    }

    private static String allow(Map<String, Route> methods) {
        return String.join(", ", new TreeSet<>(methods.keySet()));
    }

    /**
     * The inference paths that are open by POST.
     *
     * @return exact paths
     */
    public static Set<String> inferencePaths() {
        return new HashSet<>(INFERENCE_PATHS);
    }

    /**
     * The control paths that are refused by name.
     *
     * @return exact paths, in order
     */
    public static List<String> controlPaths() {
        return new ArrayList<>(new TreeSet<>(CONTROL_PATHS));
    }
}
