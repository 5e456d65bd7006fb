package io.penstock.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.classic.util.LogbackMDCAdapter;
import ch.qos.logback.core.AppenderBase;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class DroppingAppenderTest {

    private static final int QUEUE = 256;

    /** Standard output whose reader is asleep. */
    private static final class Stuck extends AppenderBase<ILoggingEvent> {
        private final CountDownLatch reached = new CountDownLatch(1);
        private final CountDownLatch released = new CountDownLatch(1);
        private final List<String> written = new ArrayList<>();

        @Override
        protected void append(ILoggingEvent event) {
            reached.countDown();
            try {
                released.await();
            } catch (InterruptedException stop) {
                Thread.currentThread().interrupt();
            }
            written.add(event.getFormattedMessage());
        }
    }

    private final LoggerContext context = new LoggerContext();
    private final Stuck stuck = new Stuck();
    private final DroppingAppender appender = new DroppingAppender();

    @BeforeEach
    void start() {
        context.setMDCAdapter(new LogbackMDCAdapter());
        stuck.setContext(context);
        stuck.start();
        appender.setContext(context);
        appender.setQueueSize(QUEUE);
        appender.addAppender(stuck);
        appender.start();
    }

    @AfterEach
    void release() {
        stuck.released.countDown();
        appender.stop();
    }

    @Test
    void dropsAndCountsWhatFindsNoRoomInsteadOfWaiting() throws InterruptedException {
        long before = DroppingAppender.droppedLines();
        appender.doAppend(line("first"));
        assertThat(stuck.reached.await(10, TimeUnit.SECONDS)).isTrue();

        for (int i = 0; i < 1000; i++) {
            appender.doAppend(line("line " + i));
        }

        // The places but the spare ones, and the one more that the look before the last place allows.
        int kept = QUEUE - DroppingAppender.SPARE_PLACES + 1;
        assertThat(DroppingAppender.droppedLines() - before).isEqualTo(1000 - kept);
        stuck.released.countDown();
        appender.stop();
        assertThat(stuck.written).hasSize(kept + 1).startsWith("first", "line 0", "line 1");
    }

    @Test
    void noLineIsLostUncountedWhenManyThreadsLogAtOnce() throws InterruptedException {
        long before = DroppingAppender.droppedLines();
        appender.doAppend(line("first"));
        assertThat(stuck.reached.await(10, TimeUnit.SECONDS)).isTrue();

        List<Thread> threads = new ArrayList<>();
        for (int t = 0; t < 16; t++) {
            Thread thread = new Thread(() -> {
                for (int i = 0; i < 200; i++) {
                    appender.doAppend(line("line"));
                }
            });
            thread.start();
            threads.add(thread);
        }
        for (Thread thread : threads) {
            thread.join();
        }
        stuck.released.countDown();
        appender.stop();

        long counted = DroppingAppender.droppedLines() - before;
        assertThat(stuck.written.size() + counted).isEqualTo(1 + 16 * 200);
    }

    @Test
    void losesNothingWhileThereIsRoom() {
        long before = DroppingAppender.droppedLines();
        stuck.released.countDown();
        for (int i = 0; i < 100; i++) {
            appender.doAppend(line("line " + i));
        }
        appender.stop();

        assertThat(stuck.written).hasSize(100);
        assertThat(DroppingAppender.droppedLines()).isEqualTo(before);
    }

    private ILoggingEvent line(String message) {
        LoggingEvent event = new LoggingEvent(
                DroppingAppenderTest.class.getName(),
                context.getLogger(DroppingAppenderTest.class),
                Level.INFO,
                message,
                null,
                null);
        return event;
    }
}
