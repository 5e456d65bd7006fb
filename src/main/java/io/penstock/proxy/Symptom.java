package io.penstock.proxy;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.DecodeException;
import io.vertx.core.json.JsonObject;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What a replica's error says about the replica: vLLM has more states than HTTP has codes, and names them in words. */
final class Symptom {

    /** What is looked at: vLLM's own words stand at the beginning. */
    private static final int MOST_BYTES = 8 << 10;

    private static final String TOLD_TO_STOP = "cannot schedule new futures after";
    private static final String ENGINE_DEAD = "EngineCore encountered an issue";
    /**
     * On {@code /v1/messages} vLLM wraps what its engine said into a validation error that quotes only its first two
     * letters, and its code.
     */
    private static final Pattern WRAPPED = Pattern.compile("\\{'error': \\{'message': '(\\w*).*'code': (\\d{3})");

    private Symptom() {}

    /**
     * Reads an answer that is no stream.
     *
     * @param status its HTTP status
     * @param body its body
     * @return the row of the table; null if the answer is the client's: a success, or its own mistake
     */
    static @Nullable FailureKind ofAnswer(int status, Buffer body) {
        if (status < 500) {
            return status == 429 ? FailureKind.UPSTREAM_BUSY : null;
        }
        return ofCode(status, head(body), FailureKind.UPSTREAM_ERROR);
    }

    /**
     * Reads an error that came as an event.
     *
     * @param code the code it names
     * @param data the event's data
     * @return the row of the table; null if the error is the client's own
     */
    static @Nullable FailureKind ofEvent(int code, String data) {
        if (code < 500) {
            return code == 429 ? FailureKind.UPSTREAM_BUSY : null;
        }
        return ofCode(code, data, FailureKind.IN_BAND_ERROR);
    }

    private static FailureKind ofCode(int code, String words, FailureKind otherwise) {
        if (words.contains(TOLD_TO_STOP)) {
            return FailureKind.TOLD_TO_STOP;
        }
        Matcher wrapped = WRAPPED.matcher(words);
        if (words.contains(ENGINE_DEAD) || (wrapped.find() && ENGINE_DEAD.startsWith(wrapped.group(1)))) {
            return FailureKind.ENGINE_DEAD;
        }
        return code >= 502 && code <= 504 ? FailureKind.UPSTREAM_BUSY : otherwise;
    }

    /**
     * The HTTP status that an error event stands for.
     *
     * @param data the event's data
     * @return 400 to 599; 500 if it names none
     */
    static int codeOf(String data) {
        Matcher wrapped = WRAPPED.matcher(data);
        if (wrapped.find()) {
            return bounded(Integer.parseInt(wrapped.group(2)));
        }
        try {
            JsonObject event = new JsonObject(data);
            JsonObject error = event.getValue("error") instanceof JsonObject nested ? nested : event;
            if (error.getValue("code") instanceof Number code) {
                return bounded(code.intValue());
            }
            return error.getValue("type") instanceof String type ? ofType(type) : 500;
        } catch (DecodeException notJson) {
            return 500;
        }
    }

    /**
     * The data of one event (WHATWG HTML, section 9.2.6).
     *
     * @param event one whole event
     * @return its data lines, joined
     */
    static String dataOf(Buffer event) {
        return event.toString()
                .lines()
                .filter(line -> line.startsWith("data:"))
                .map(line -> line.substring(line.startsWith("data: ") ? 6 : 5))
                .collect(Collectors.joining("\n"));
    }

    private static int ofType(String type) {
        return switch (type) {
            case "overloaded_error", "Service Unavailable" -> 503;
            case "rate_limit_error" -> 429;
            case "invalid_request_error", "BadRequestError", "Bad Request" -> 400;
            case "not_found_error", "NotFoundError" -> 404;
            default -> 500;
        };
    }

    private static int bounded(int code) {
        return code >= 400 && code <= 599 ? code : 500;
    }

    private static String head(Buffer body) {
        return body.getString(0, Math.min(body.length(), MOST_BYTES));
    }
}
