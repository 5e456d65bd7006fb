package io.penstock.sim;

import io.vertx.core.json.JsonObject;

/** All that the answer to one generation request is written from. */
record Draft(
        String id,
        String messageId,
        long created,
        String model,
        String fingerprint,
        Prompt prompt,
        int maxTokens,
        Completion completion,
        boolean tellsCachedTokens,
        JsonObject request) {

    int promptTokens() {
        return prompt.tokens();
    }

    /** Whether a stream ends with an event that counts tokens. */
    boolean includesUsage() {
        return streamOption("include_usage");
    }

    /** Whether every event of a stream counts tokens. */
    boolean countsContinuously() {
        return includesUsage() && streamOption("continuous_usage_stats");
    }

    private boolean streamOption(String name) {
        return request.getValue("stream_options") instanceof JsonObject options
                && Boolean.TRUE.equals(options.getValue(name));
    }

    /** A number of the request, as Python would write it. */
    double number(String name, double usual) {
        return request.getValue(name) instanceof Number number ? number.doubleValue() : usual;
    }
}
