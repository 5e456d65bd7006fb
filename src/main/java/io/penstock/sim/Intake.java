package io.penstock.sim;

import io.vertx.core.json.DecodeException;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.List;
import java.util.Locale;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** Reads request bodies as vLLM does, with its words for what is wrong with them. Confined to one event loop. */
final class Intake {

    private static final int USUAL_MAX_TOKENS = 16;

    private final SimOptions options;
    private final String fingerprint;
    private final RandomGenerator random;

    Intake(SimOptions options, String fingerprint, RandomGenerator random) {
        this.options = options;
        this.fingerprint = fingerprint;
        this.random = random;
    }

    /** The body as a JSON object. */
    JsonObject json(SimRequest request) throws Refusal {
        String encoding = request.header("content-encoding");
        if (encoding != null && !encoding.equalsIgnoreCase("identity")) {
            throw new Refusal(Answer.json(400, "{\"detail\":\"There was an error parsing the body\"}"));
        }
        String type = request.header("content-type");
        if (type == null
                || !type.toLowerCase(Locale.ROOT).split(";", 2)[0].strip().equals("application/json")) {
            throw Refusal.invalid("Unsupported Media Type: Only 'application/json' is allowed", "null");
        }
        if (request.body().length() == 0) {
            throw Refusal.invalid(
                    "{'type': 'missing', 'loc': 'body', 'msg': 'Field required', 'input': 'None'}", "\"body\"");
        }
        try {
            return new JsonObject(request.body());
        } catch (DecodeException | ClassCastException e) {
            // vLLM gives the place of the mistake; the end is the right one for bodies that were cut.
            int place = request.body().length();
            throw Refusal.invalid(
                    "{'type': 'json_invalid', 'loc': 'body." + place
                            + "', 'msg': 'JSON decode error', 'input': '<dict of 0 items>',"
                            + " 'ctx': {'error': 'Expecting value'}}",
                    "\"body." + place + "\"");
        }
    }

    /** Refuses a body without a field. */
    static void require(JsonObject body, String field) throws Refusal {
        if (body.getValue(field) == null) {
            throw Refusal.missing(field, body.size());
        }
    }

    /** Refuses another model than the one that is served; none at all is fine. */
    void requireModel(JsonObject body, Protocol protocol) throws Refusal {
        Object model = body.getValue("model");
        if (model != null && !model.equals(options.model())) {
            throw new Refusal(protocol.error(
                    404,
                    "NotFoundError",
                    "The model `" + model + "` does not exist. Valid aliases: " + options.model() + ".",
                    "\"model\""));
        }
    }

    /** What the request's answer will be written from. */
    Draft draft(SimRequest request, JsonObject body, Protocol protocol) throws Refusal {
        require(body, protocol.promptField());
        if (protocol == Protocol.MESSAGES) {
            require(body, "max_tokens");
        }
        requireModel(body, protocol);
        if (protocol == Protocol.RESPONSES && body.getValue("previous_response_id") instanceof String previous) {
            throw new Refusal(noResponse(previous));
        }
        requireTemperature(body, protocol);
        String text = protocol.prompt(body);
        Prompt prompt = Prompt.ofText(text);
        int limit = limit(body, protocol, prompt.tokens());
        return new Draft(
                protocol.idPrefix() + id(request, protocol),
                "msg_" + nextId(),
                options.wallClockMillis().getAsLong() / 1_000,
                options.model(),
                fingerprint,
                prompt,
                limit,
                Completion.of(text, limit, stops(body)),
                options.promptTokensDetails(),
                body);
    }

    /** The answer about a stored response; by default vLLM stores none. */
    static Answer noResponse(String id) {
        return Answer.json(
                404,
                Answer.error(
                        404, "invalid_request_error", "Response with id '" + id + "' not found.", "\"response_id\""));
    }

    /** Sixteen hexadecimal digits that were not used before. */
    String nextId() {
        return String.format("%016x", random.nextLong());
    }

    private String id(SimRequest request, Protocol protocol) {
        String given = protocol.takesRequestId() ? request.header("x-request-id") : null;
        return given == null ? nextId() : given;
    }

    private static void requireTemperature(JsonObject body, Protocol protocol) throws Refusal {
        if (body.getValue("temperature") instanceof Number number && number.doubleValue() < 0) {
            double value = number.doubleValue();
            throw new Refusal(protocol.error(
                    400,
                    "BadRequestError",
                    "temperature must be non-negative, got " + value + ". (parameter=temperature, value=" + value + ")",
                    "\"temperature\""));
        }
    }

    private int limit(JsonObject body, Protocol protocol, int promptTokens) throws Refusal {
        int longest = options.maxModelLen();
        long wanted = USUAL_MAX_TOKENS;
        for (String field : protocol.limitFields()) {
            if (body.getValue(field) instanceof Number number) {
                wanted = number.longValue();
                break;
            }
        }
        if (wanted > longest || wanted < 1) {
            String rule = wanted < 1
                    ? "max_tokens must be at least 1, got " + wanted + "."
                    : "max_tokens=" + wanted + " cannot be greater than max_model_len=" + longest
                            + ". Please request fewer output tokens.";
            throw new Refusal(protocol.error(
                    400, "BadRequestError", rule + " (parameter=max_tokens, value=" + wanted + ")", "\"max_tokens\""));
        }
        if (promptTokens >= longest) {
            throw new Refusal(protocol.error(
                    400,
                    "BadRequestError",
                    "This model's maximum context length is " + longest
                            + " tokens. However, your prompt contains at least " + (longest + 1)
                            + " input tokens, which exceeds this limit even without any output tokens. Please reduce"
                            + " the length of the input prompt. (parameter=input_tokens, value=" + (longest + 1) + ")",
                    "\"input_tokens\""));
        }
        return (int) Math.min(wanted, longest - promptTokens);
    }

    private static List<String> stops(JsonObject body) {
        @Nullable Object stop = body.getValue("stop") == null ? body.getValue("stop_sequences") : body.getValue("stop");
        if (stop instanceof JsonArray several) {
            return several.stream()
                    .filter(String.class::isInstance)
                    .map(String.class::cast)
                    .toList();
        }
        return stop instanceof String one ? List.of(one) : List.of();
    }
}
