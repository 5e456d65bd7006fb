package io.penstock.selection;

import org.jspecify.annotations.Nullable;

/**
 * What routing wants to know about a request.
 *
 * @param model the model it asks for; null if it names none
 * @param stream whether it asks for a stream; the answer's content type decides what it gets
 * @param bodyBytes length of the body
 */
public record RequestTraits(@Nullable String model, boolean stream, int bodyBytes) {

    /** A request without a body, or with one that is not read. */
    public static final RequestTraits NONE = new RequestTraits(null, false, 0);
}
