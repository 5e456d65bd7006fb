package io.penstock.proxy;

import io.vertx.core.MultiMap;

/**
 * Follows requests in a tracing system, as spans, and tells replicas whose trace a request belongs to (W3C Trace Context).
 * Called on event loops: implementations never block and never throw.
 */
@FunctionalInterface
public interface ExchangeTracer {

    /** Follows nothing, at no cost; a client's trace headers pass untouched. */
    ExchangeTracer OFF = (method, headers) -> ExchangeSpan.NONE;

    /**
     * A request begins that may go to a replica.
     *
     * @param method its HTTP method
     * @param headers what the client sent, which may say that it is part of a trace
     * @return its span, told of everything until {@link ExchangeSpan#ended}
     */
    ExchangeSpan begin(String method, MultiMap headers);

    /** Passes on what was noted, for no longer than a few seconds, and stops. Blocks: never on an event loop. */
    default void close() {}
}
