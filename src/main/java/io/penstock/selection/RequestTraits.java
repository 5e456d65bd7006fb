package io.penstock.selection;

import org.jspecify.annotations.Nullable;

/**
 * What routing wants to know about a request.
 *
 * @param model the model it asks for; null if it names none
 * @param stream whether it asks for a stream; the answer's content type decides what it gets
 * @param bodyBytes length of the body
 * @param prompt what there is to read before the first output
 * @param longestAnswer the most tokens that it may make, of all its answers together; 0 if it does not say
 * @param caller who asks, as a name that tells callers apart and nothing else; empty if nobody knows
 */
public record RequestTraits(
        @Nullable String model, boolean stream, int bodyBytes, Prompt prompt, int longestAnswer, String caller) {

    /** A request without a body, or with one that is not read. */
    public static final RequestTraits NONE = new RequestTraits(null, false, 0);

    /**
     * A request of which no more is known.
     *
     * @param model the model it asks for; null if it names none
     * @param stream whether it asks for a stream
     * @param bodyBytes length of the body
     */
    public RequestTraits(@Nullable String model, boolean stream, int bodyBytes) {
        this(model, stream, bodyBytes, Prompt.UNKNOWN, 0, "");
    }

    /**
     * The same request, asked by somebody.
     *
     * @param name who asks
     * @return a copy
     */
    public RequestTraits from(String name) {
        return new RequestTraits(model, stream, bodyBytes, prompt, longestAnswer, name);
    }
}
