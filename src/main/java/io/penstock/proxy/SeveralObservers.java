package io.penstock.proxy;

import java.util.List;

/** Tells each of several what it is told, in order. */
record SeveralObservers(List<ExchangeObserver> each) implements ExchangeObserver {

    @Override
    public void connectionOpened() {
        each.forEach(ExchangeObserver::connectionOpened);
    }

    @Override
    public void connectionClosed() {
        each.forEach(ExchangeObserver::connectionClosed);
    }

    @Override
    public void exchangeStarted() {
        each.forEach(ExchangeObserver::exchangeStarted);
    }

    @Override
    public void moved(Move move) {
        each.forEach(observer -> observer.moved(move));
    }

    @Override
    public void firstOutput(String replica, long arrivedNanos, long askedNanos) {
        each.forEach(observer -> observer.firstOutput(replica, arrivedNanos, askedNanos));
    }

    @Override
    public void answerHeld(long bytes) {
        each.forEach(observer -> observer.answerHeld(bytes));
    }

    @Override
    public void loopTurned(String loop, long lateNanos) {
        each.forEach(observer -> observer.loopTurned(loop, lateNanos));
    }

    @Override
    public void exchangeEnded(ExchangeReport report) {
        each.forEach(observer -> observer.exchangeEnded(report));
    }
}
