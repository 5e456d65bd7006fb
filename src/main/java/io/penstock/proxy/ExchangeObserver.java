package io.penstock.proxy;

/**
 * Told by the request path what happens; metrics and the access log listen. Called on event loops: implementations
 * never block. One that throws is logged once per call and otherwise ignored.
 */
public interface ExchangeObserver {

    /** A client connected. */
    default void connectionOpened() {}

    /** A client's connection is gone. */
    default void connectionClosed() {}

    /** A request's head arrived. {@link #exchangeEnded} follows exactly once. */
    default void exchangeStarted() {}

    /**
     * A request is over.
     *
     * @param report everything about it
     */
    default void exchangeEnded(ExchangeReport report) {}
}
