package io.penstock.sim;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Which path and method gets which answer. Confined to one event loop. */
final class SimRoutes {

    private static final int EMBEDDING_DIMENSIONS = 16;

    /** What a path does with a request. */
    private interface Handler {
        void handle(Exchange exchange, @Nullable Fault fault) throws Refusal;
    }

    private record Route(List<String> methods, Handler handler) {}

    private final SimOptions options;
    private final Simulator simulator;
    private final Intake intake;
    private final Map<String, Route> routes = new HashMap<>();

    SimRoutes(SimOptions options, Simulator simulator, Intake intake) {
        this.options = options;
        this.simulator = simulator;
        this.intake = intake;
        route("GET", "/health", this::health);
        routes.put("/ping", new Route(List.of("GET", "POST"), this::health));
        fixed("/version", "{\"version\":\"0.32.0\"}");
        fixed("/load", "{\"server_load\":0}");
        fixed("/kv_event_sources", "{}");
        route("GET", "/v1/models", (exchange, fault) -> exchange.answer(Answer.json(200, models())));
        route(
                "GET",
                "/metrics",
                (exchange, fault) -> exchange.answer(Answer.text(
                        200,
                        "text/plain; version=1.0.0; charset=utf-8",
                        simulator.metrics().text(simulator.engine()))));
        route("POST", "/v1/chat/completions", generation(Protocol.CHAT));
        route("POST", "/v1/completions", generation(Protocol.COMPLETIONS));
        route("POST", "/v1/responses", generation(Protocol.RESPONSES));
        route("POST", "/v1/messages", generation(Protocol.MESSAGES));
        route("POST", "/invocations", this::invocation);
        route("POST", "/tokenize", this::tokenize);
        route("POST", "/detokenize", this::detokenize);
        route("POST", "/v1/messages/count_tokens", this::countTokens);
        if (options.embeddings()) {
            route("POST", "/v1/embeddings", this::embeddings);
        }
    }

    /** Whether a request asks for text, which is what counted faults and rates are about. */
    static boolean generates(SimRequest request) {
        return request.method().equals("POST")
                && switch (request.path()) {
                    case "/v1/chat/completions",
                            "/v1/completions",
                            "/v1/responses",
                            "/v1/messages",
                            "/v1/embeddings",
                            "/invocations" -> true;
                    default -> false;
                };
    }

    /** The route's name in the HTTP metrics. */
    String handlerName(SimRequest request) {
        String path = request.path();
        return routes.containsKey(path)
                ? path
                : path.startsWith("/v1/responses/") ? "/v1/responses/{response_id}" : "none";
    }

    /** Answers, or does not, as the active faults have it. */
    void handle(Exchange exchange) {
        SimRequest request = exchange.request();
        Faults faults = simulator.faults();
        if (faults.take(Fault.Scope.EVERYTHING) != null) {
            return;
        }
        Fault fault;
        try {
            String asked = request.header("x-sim-fault");
            fault = asked != null
                    ? single(Fault.parse(asked))
                    : generates(request) ? faults.take(Fault.Scope.REQUEST) : null;
        } catch (IllegalArgumentException e) {
            exchange.answer(Answer.json(
                    400, new JsonObject().put("error", e.getMessage()).encode()));
            return;
        }
        if (fault == null || !strikesBeforeHead(exchange, fault)) {
            route(exchange, fault);
        }
    }

    private static Fault single(Fault fault) {
        if (fault.kind().scope() == Fault.Scope.PORT) {
            throw new IllegalArgumentException(fault.kind().label() + " is not about single requests");
        }
        return fault;
    }

    private boolean strikesBeforeHead(Exchange exchange, Fault fault) {
        switch (fault.kind()) {
            case BLACK_HOLE -> {}
            case HOLD_BEFORE_HEAD -> {
                if (fault.argument() > 0) {
                    simulator.timers().after(Duration.ofMillis(fault.argument()), () -> route(exchange, null));
                }
            }
            case RESET_BEFORE_HEAD -> exchange.reset();
            case CLOSE_BEFORE_HEAD -> exchange.fin();
            case DRAINING -> exchange.answer(Refusal.draining());
            case STATUS -> exchange.answer(Refusal.status(protocol(exchange.request()), (int) fault.argument()));
            case TRICKLE -> {
                exchange.trickle(Duration.ofMillis(Math.max(1, fault.argument())));
                return false;
            }
            case SHORT_BODY -> {
                exchange.cutBody();
                return false;
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    private static Protocol protocol(SimRequest request) {
        return request.path().startsWith("/v1/messages") ? Protocol.MESSAGES : Protocol.CHAT;
    }

    private void route(Exchange exchange, @Nullable Fault fault) {
        SimRequest request = exchange.request();
        String path = request.path();
        if (!hasKey(request, path)) {
            exchange.answer(Answer.bareJson(401, "{\"error\":\"Unauthorized\"}"));
            return;
        }
        if (request.method().equals("OPTIONS") && request.header("access-control-request-method") != null) {
            exchange.answer(Answer.disallowedOrigin());
            return;
        }
        Route route = routes.get(path);
        if (route == null) {
            exchange.answer(unrouted(request, path));
        } else if (!route.methods().contains(request.method())) {
            exchange.answer(Answer.wrongMethod(route.methods().get(0)));
        } else {
            try {
                route.handler().handle(exchange, fault);
            } catch (Refusal refusal) {
                exchange.answer(refusal.answer());
            }
        }
    }

    private boolean hasKey(SimRequest request, String path) {
        boolean guarded = path.startsWith("/v1") || path.startsWith("/v2") || path.startsWith("/inference");
        return options.apiKey() == null
                || !guarded
                || ("Bearer " + options.apiKey()).equals(request.header("authorization"));
    }

    private Answer unrouted(SimRequest request, String path) {
        if (path.startsWith("/v1/responses/")) {
            String[] parts = path.substring("/v1/responses/".length()).split("/", -1);
            boolean cancels = parts.length == 2 && parts[1].equals("cancel");
            String method = cancels ? "POST" : "GET";
            if ((parts.length == 1 && !parts[0].isEmpty()) || cancels) {
                return request.method().equals(method) ? Intake.noResponse(parts[0]) : Answer.wrongMethod(method);
            }
        }
        String shorter = path.endsWith("/") ? path.substring(0, path.length() - 1) : "";
        if (routes.containsKey(shorter)) {
            return Answer.redirect("http://" + request.header("host") + shorter);
        }
        return Answer.notFound();
    }

    private void health(Exchange exchange, @Nullable Fault fault) {
        Fault found = fault == null ? simulator.faults().take(Fault.Scope.HEALTH) : fault;
        if (found != null && found.kind() == Fault.Kind.HEALTH_HANG) {
            return;
        }
        exchange.answer(Answer.empty(found != null && found.kind() == Fault.Kind.HEALTH_503 ? 503 : 200));
    }

    private Handler generation(Protocol protocol) {
        return (exchange, fault) -> generate(exchange, fault, protocol, intake.json(exchange.request()));
    }

    private void invocation(Exchange exchange, @Nullable Fault fault) throws Refusal {
        JsonObject body = intake.json(exchange.request());
        generate(exchange, fault, body.containsKey("messages") ? Protocol.CHAT : Protocol.COMPLETIONS, body);
    }

    private void generate(Exchange exchange, @Nullable Fault fault, Protocol protocol, JsonObject body) throws Refusal {
        Draft draft = intake.draft(exchange.request(), body, protocol);
        new Generation(exchange, protocol, draft, fault, simulator.engine(), simulator.metrics(), simulator.timers())
                .start();
    }

    private void tokenize(Exchange exchange, @Nullable Fault fault) throws Refusal {
        JsonObject body = intake.json(exchange.request());
        Protocol protocol = body.containsKey("messages") ? Protocol.CHAT : Protocol.COMPLETIONS;
        Intake.require(body, protocol.promptField());
        intake.requireModel(body, protocol);
        List<Integer> ids = SimText.tokenIds(protocol.prompt(body));
        exchange.answer(Answer.json(
                200,
                "{\"count\":" + ids.size() + ",\"max_model_len\":" + options.maxModelLen() + ",\"tokens\":"
                        + new JsonArray(ids).encode() + ",\"token_strs\":null}"));
    }

    private void detokenize(Exchange exchange, @Nullable Fault fault) throws Refusal {
        JsonObject body = intake.json(exchange.request());
        Intake.require(body, "tokens");
        intake.requireModel(body, Protocol.COMPLETIONS);
        List<Integer> ids = body.getValue("tokens") instanceof JsonArray tokens
                ? tokens.stream()
                        .filter(Number.class::isInstance)
                        .map(id -> ((Number) id).intValue())
                        .toList()
                : List.of();
        exchange.answer(Answer.json(200, "{\"prompt\":" + Shape.quoted(SimText.words(ids)) + "}"));
    }

    private void countTokens(Exchange exchange, @Nullable Fault fault) throws Refusal {
        JsonObject body = intake.json(exchange.request());
        Intake.require(body, "messages");
        intake.requireModel(body, Protocol.MESSAGES);
        int count = SimText.count(Protocol.MESSAGES.prompt(body));
        exchange.answer(Answer.json(
                200,
                "{\"input_tokens\":" + count + ",\"context_management\":{\"original_input_tokens\":" + count + "}}"));
    }

    private void embeddings(Exchange exchange, @Nullable Fault fault) throws Refusal {
        JsonObject body = intake.json(exchange.request());
        Intake.require(body, "input");
        intake.requireModel(body, Protocol.CHAT);
        Object input = body.getValue("input");
        List<?> texts = input instanceof JsonArray several ? several.getList() : List.of(String.valueOf(input));
        JsonArray data = new JsonArray();
        int tokens = 0;
        for (Object text : texts) {
            tokens += SimText.count(String.valueOf(text));
            data.add(new JsonObject()
                    .put("index", data.size())
                    .put("object", "embedding")
                    .put("embedding", new JsonArray(SimText.embedding(String.valueOf(text), EMBEDDING_DIMENSIONS))));
        }
        exchange.answer(Answer.json(
                200,
                "{\"id\":\"embd-" + intake.nextId() + "\",\"object\":\"list\",\"created\":" + seconds()
                        + ",\"model\":" + Shape.quoted(options.model()) + ",\"data\":" + data.encode()
                        + ",\"usage\":{\"prompt_tokens\":" + tokens + ",\"total_tokens\":" + tokens
                        + ",\"completion_tokens\":0,\"prompt_tokens_details\":null}}"));
    }

    private String models() {
        return "{\"object\":\"list\",\"data\":[{\"id\":" + Shape.quoted(options.model())
                + ",\"object\":\"model\",\"created\":" + seconds()
                + ",\"owned_by\":\"vllm\",\"root\":"
                + Shape.quoted("./" + options.model().toLowerCase(Locale.ROOT))
                + ",\"parent\":null,\"max_model_len\":" + options.maxModelLen()
                + ",\"permission\":[{\"id\":\"modelperm-"
                + intake.nextId() + "\",\"object\":\"model_permission\",\"created\":" + seconds()
                + ",\"allow_create_engine\":false,\"allow_sampling\":true,\"allow_logprobs\":true,"
                + "\"allow_search_indices\":false,\"allow_view\":true,\"allow_fine_tuning\":false,"
                + "\"organization\":\"*\",\"group\":null,\"is_blocking\":false}]}]}";
    }

    private long seconds() {
        return options.wallClockMillis().getAsLong() / 1_000;
    }

    private void fixed(String path, String json) {
        route("GET", path, (exchange, fault) -> exchange.answer(Answer.json(200, json)));
    }

    private void route(String method, String path, Handler handler) {
        routes.put(path, new Route(List.of(method), handler));
    }
}
