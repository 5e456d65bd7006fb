package io.penstock.proxy;

import java.util.List;

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
     * A request was given to another replica, just now.
     *
     * @param move which, from where to where, and why
     */
    default void moved(Move move) {}

    /**
     * A stream's first output is on its way to its client, just now.
     *
     * @param replica whose output it is
     * @param arrivedNanos how long ago the request's head arrived
     * @param askedNanos how long ago that replica was asked
     */
    default void firstOutput(String replica, long arrivedNanos, long askedNanos) {}

    /**
     * An answer is held back, since it has shown no output yet, or is not any more.
     *
     * @param bytes how much more is held than before; below zero if it is less
     */
    default void answerHeld(long bytes) {}

    /**
     * An event loop has come to its timer, which is due ten times a second.
     *
     * @param loop the name of its thread
     * @param lateNanos how late it came, in nanoseconds
     */
    default void loopTurned(String loop, long lateNanos) {}

    /**
     * A request is over.
     *
     * @param report everything about it
     */
    default void exchangeEnded(ExchangeReport report) {}

    /**
     * Tells several.
     *
     * @param observers who is told, in order
     * @return one that tells them all
     */
    static ExchangeObserver all(List<ExchangeObserver> observers) {
        return new SeveralObservers(List.copyOf(observers));
    }
}
