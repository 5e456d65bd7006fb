package io.penstock.upstream;

import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * How a replica has treated requests lately, as opposed to probes. Requests only count here; the probe verticle judges.
 *
 * <p>What a request says belongs to the <em>chapter</em> in which it was sent there. A restart, an ejection and a return
 * each begin a new one, so that whatever was still running then is held neither for nor against the replica.
 */
public final class Conduct {

    private static final int CHAPTER_SHIFT = 32;
    private static final long IN_ROW = (1L << CHAPTER_SHIFT) - 1;

    // The chapter, and the faults in a row in it. Every event loop counts, the probe verticle begins chapters.
    private final AtomicLong row = new AtomicLong();
    // Counted by every event loop, through Lease only.
    private final LongAdder answers = new LongAdder();
    private final LongAdder faults = new LongAdder();
    // Set by whoever tells the probe verticle, cleared by it.
    private final AtomicBoolean told = new AtomicBoolean();
    private final BusyPause busy = new BusyPause();
    private final Ramp ramp = new Ramp();
    // Written by the probe verticle only.
    private volatile @Nullable Ejection ejection;
    private volatile Map<Ejection.Cause, Long> ejections = Map.of();

    Conduct() {}

    /**
     * The chapter that runs now.
     *
     * @return a number that changes when what was counted so far says nothing any more
     */
    public int chapter() {
        return (int) (row.get() >>> CHAPTER_SHIFT);
    }

    private void nextChapter() {
        row.updateAndGet(now -> ((now >>> CHAPTER_SHIFT) + 1) << CHAPTER_SHIFT);
    }

    /** A request of a chapter has ended. IGNORED says nothing. */
    void ended(Outcome outcome, int sentIn) {
        if (outcome == Outcome.IGNORED || sentIn != chapter()) {
            return;
        }
        if (outcome == Outcome.FAILED) {
            faults.increment();
            row.updateAndGet(now -> (int) (now >>> CHAPTER_SHIFT) == sentIn ? now + 1 : now);
            return;
        }
        answers.increment();
        busy.forget();
        if ((row.get() & IN_ROW) != 0) {
            row.updateAndGet(now -> (int) (now >>> CHAPTER_SHIFT) == sentIn ? now & ~IN_ROW : now);
        }
    }

    /**
     * Faults since the last good answer of this chapter.
     *
     * @return zero or more
     */
    public int faultsInRow() {
        return (int) (row.get() & IN_ROW);
    }

    /**
     * Good answers so far. Refusals of the request itself (4xx) are not among them.
     *
     * @return a number that only grows
     */
    public long answers() {
        return answers.sum();
    }

    /**
     * Faults so far.
     *
     * @return a number that only grows
     */
    public long faults() {
        return faults.sum();
    }

    /**
     * Whether there is something to tell the probe verticle that it has not been told. Whoever gets true tells it. So
     * there is one notice on the way, however many requests fail.
     *
     * @return true once, until {@link #heard}
     */
    public boolean tell() {
        return !told.get() && told.compareAndSet(false, true);
    }

    /** The notice has arrived; called before looking. For the probe verticle only. */
    public void heard() {
        told.set(false);
    }

    /**
     * The ejection that keeps it out.
     *
     * @return null while there is none
     */
    public @Nullable Ejection ejection() {
        return ejection;
    }

    /**
     * Keeps it out, or lets it back in; either begins a new chapter. For the probe verticle only.
     *
     * @param next the ejection, null for none
     */
    public void eject(@Nullable Ejection next) {
        nextChapter();
        ejection = next;
        if (next != null) {
            Map<Ejection.Cause, Long> counted = new EnumMap<>(Ejection.Cause.class);
            counted.putAll(ejections);
            counted.merge(next.cause(), 1L, Long::sum);
            ejections = Map.copyOf(counted);
        }
    }

    /**
     * How often it was ejected, and for what.
     *
     * @return numbers that only grow; immutable
     */
    public Map<Ejection.Cause, Long> ejections() {
        return ejections;
    }

    /** It comes back for another reason than a request: what failed while it was out says nothing. For the probe verticle only. */
    public void returned() {
        nextChapter();
    }

    /** Another process runs there: nothing of before counts. */
    void restarted() {
        eject(null);
        busy.forget();
        ramp.lift();
    }

    /**
     * Its rest after it said that it is busy.
     *
     * @return the pause, running or not
     */
    public BusyPause busy() {
        return busy;
    }

    /**
     * How many requests it may hold soon after it came back.
     *
     * @return the ramp, active or not
     */
    public Ramp ramp() {
        return ramp;
    }
}
