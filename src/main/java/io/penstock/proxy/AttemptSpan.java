package io.penstock.proxy;

import io.vertx.core.MultiMap;
import org.jspecify.annotations.Nullable;

/** One try at one replica in a trace. Confined to one event loop; never blocks, never throws. */
public interface AttemptSpan {

    /** Of a try that nobody follows. */
    AttemptSpan NONE = new AttemptSpan() {};

    /**
     * Makes it the parent of whatever the replica does.
     *
     * @param headers what the replica gets: the client's {@code traceparent} and {@code tracestate} are replaced
     */
    default void passOn(MultiMap headers) {}

    /**
     * The replica's head arrived.
     *
     * @param status its HTTP status
     */
    default void head(int status) {}

    /** Its output is the one that the client gets. At most once. */
    default void firstOutput() {}

    /**
     * It is over. The last call.
     *
     * @param failure why it ended early, null if it did not
     */
    default void ended(@Nullable FailureKind failure) {}
}
