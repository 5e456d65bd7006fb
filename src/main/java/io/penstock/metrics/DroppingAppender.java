package io.penstock.metrics;

import ch.qos.logback.classic.AsyncAppender;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import java.util.concurrent.atomic.LongAdder;
import org.slf4j.LoggerFactory;

/**
 * Hands log lines to a thread of its own and never makes the caller wait: when the reader of standard output is slower
 * than we are, lines are dropped and counted. Any thread may log.
 */
public final class DroppingAppender extends AsyncAppender {

    /** Lines that may wait to be written, unless {@code queueSize} says otherwise. */
    static final int QUEUED_LINES = 8192;

    /**
     * Places that are never filled on purpose. Looking for room and taking it are two steps, so as many threads as log at
     * the same instant may pass the look together; the queue then still has room for all of them and no line is lost
     * without being counted. More threads than event loops and workers together.
     */
    static final int SPARE_PLACES = 64;

    // All appenders of the process together: Logback makes them, and nobody else holds them.
    private static final LongAdder DROPPED = new LongAdder();

    /** Made by Logback from its configuration file. */
    public DroppingAppender() {
        setQueueSize(QUEUED_LINES);
        setDiscardingThreshold(SPARE_PLACES);
        setNeverBlock(true);
    }

    /**
     * Lines dropped since the process started.
     *
     * @return zero or more, never falling
     */
    public static long droppedLines() {
        return DROPPED.sum();
    }

    /**
     * Writes what is still queued, at most for a second per appender, and stops logging. To be called once, as the last
     * thing before the process ends; blocks, so never on an event loop. A shutdown hook of Logback's own would run beside
     * ours and lose the lines of the way down.
     */
    public static void flushAndStop() {
        if (LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
            context.stop();
        }
    }

    /** Asked only when fewer than the spare places are left: the line is given up, whatever its level. */
    @Override
    protected boolean isDiscardable(ILoggingEvent event) {
        DROPPED.increment();
        return true;
    }
}
