package io.penstock.sim;

/** A request that gets an error answer instead of output. */
final class Refusal extends Exception {

    static final String BUSY = "The engine is currently busy and cannot accept new requests."
            + " Please try again later or on a different instance.";
    static final String ENGINE_DEAD = "EngineCore encountered an issue. See stack trace (above) for the root cause.";

    private static final long serialVersionUID = 1;

    // Never serialized; exceptions just happen to be serializable.
    private final transient Answer answer;

    Refusal(Answer answer) {
        super("status " + answer.status(), null, false, false);
        this.answer = answer;
    }

    Answer answer() {
        return answer;
    }

    /** A body that does not fit its schema; these errors look the same in every API. */
    static Refusal invalid(String message, String param) {
        return new Refusal(
                Answer.json(400, Answer.error(400, "Bad Request", "1 validation error:\n  " + message, param)));
    }

    /** A required field that is not there. */
    static Refusal missing(String field, int fieldsSent) {
        return invalid(
                "{'type': 'missing', 'loc': 'body." + field + "', 'msg': 'Field required', 'input': '<dict of "
                        + fieldsSent + " items>'}",
                "\"body." + field + "\"");
    }

    /** What a replica says that was told to stop. It comes from outside of vLLM's handlers, so it has no vary. */
    static Answer draining() {
        return Answer.bareJson(
                500, Answer.error(500, "InternalServerError", "cannot schedule new futures after shutdown", "null"));
    }

    /** What the given status looks like in an API, with vLLM's words where it has some. */
    static Answer status(Protocol protocol, int status) {
        return switch (status) {
            case 500 -> protocol.error(500, "InternalServerError", ENGINE_DEAD, "null");
            case 503 -> protocol.error(503, "Service Unavailable", BUSY, "null");
            default -> protocol.error(status, "SimulatedError", "The simulator was told to answer " + status, "null");
        };
    }
}
