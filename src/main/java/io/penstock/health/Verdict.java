package io.penstock.health;

import io.penstock.upstream.Standing;
import org.jspecify.annotations.Nullable;

/**
 * How one replica stands, moved by what its probes say.
 *
 * <pre>
 *   from \ event   passed                      refused        failed
 *   STARTING       READY                       stays          stays
 *   READY          stays                       REFUSED        FAILING after `fall` in a row
 *   REFUSED        READY, and a new epoch      stays          FAILING after `fall` in a row
 *   FAILING        READY after `rise` in a row REFUSED        stays
 *   LEAVING        READY after 60 in a row     REFUSED        FAILING after `fall` in a row
 * </pre>
 *
 * <p>A closed port that answers again is a process that was restarted or has finished loading, so one pass is enough.
 * If it fails in another way in between, it has to pass {@code rise} times, and the epoch is still new. A replica that
 * said it is leaving passes its probes all the same until its port closes; the many passes are for one that did not mean
 * it. Confined to one thread.
 */
final class Verdict {

    /**
     * The standing changed.
     *
     * @param from what it was
     * @param to what it is
     * @param reason why, in one phrase for people
     * @param restarted whether another process runs there than when it was last ready
     */
    record Flip(Standing from, Standing to, String reason, boolean restarted) {}

    /** With two probes a second, half a minute: then it gets one more request, which it may refuse again. */
    private static final int PASSES_AFTER_LEAVING = 60;

    private int fall;
    private int rise;

    private Standing standing = Standing.STARTING;
    private String reason = "not probed yet";
    private int passedInRow;
    private int failedInRow;
    // Whether an earlier process was ready here, so that the next one is another.
    private boolean knownReady;
    private boolean portWasClosed;

    /**
     * Starts in {@link Standing#STARTING}.
     *
     * @param fall failed probes in a row that take a ready replica out
     * @param rise passed probes in a row that bring a failing one back
     * @param knownReady whether the replica was ready before, under an earlier verdict
     */
    Verdict(int fall, int rise, boolean knownReady) {
        this.fall = fall;
        this.rise = rise;
        this.knownReady = knownReady;
    }

    /** Takes over other thresholds; they hold from the next event on. */
    void thresholds(int nextFall, int nextRise) {
        this.fall = nextFall;
        this.rise = nextRise;
    }

    Standing standing() {
        return standing;
    }

    /** Why it stands so, or what was seen last on the way there, in one phrase. */
    String reason() {
        return reason;
    }

    /** Whether a pass, coming now, would make it ready. */
    boolean nextPassRaises() {
        return switch (standing) {
            // What requests suffer and what its engine makes is not the probes' business: here such a one is ready.
            case READY, EJECTED, SUSPECT, STALLED -> false;
            case STARTING, REFUSED -> true;
            case FAILING -> passedInRow + 1 >= rise;
            case LEAVING -> passedInRow + 1 >= PASSES_AFTER_LEAVING;
        };
    }

    /** {@code GET /health} was answered with 200. Returns the change, null if there is none. */
    @Nullable
    Flip passed() {
        boolean raises = nextPassRaises();
        failedInRow = 0;
        passedInRow++;
        if (!raises) {
            return null;
        }
        boolean restarted = knownReady && portWasClosed;
        knownReady = true;
        portWasClosed = false;
        return become(Standing.READY, "passed its probe", restarted);
    }

    /** The port is closed, or whoever holds it hung up. Returns the change, null if there is none. */
    @Nullable
    Flip refused(String why) {
        portWasClosed = true;
        failedInRow = 0;
        passedInRow = 0;
        return switch (standing) {
            case READY, EJECTED, SUSPECT, STALLED, FAILING, LEAVING -> become(Standing.REFUSED, why, false);
            case STARTING -> stay(why + ": still loading?");
            case REFUSED -> stay(why);
        };
    }

    /** It said that it takes no more work. Returns the change, null if there is none. */
    @Nullable
    Flip leaves(String why) {
        return standing == Standing.READY ? become(Standing.LEAVING, why, false) : null;
    }

    /** No connection, no answer, or one that is not 200. Returns the change, null if there is none. */
    @Nullable
    Flip failed(String why) {
        passedInRow = 0;
        failedInRow++;
        return switch (standing) {
            case READY, EJECTED, SUSPECT, STALLED -> failedInRow >= fall ? become(Standing.FAILING, why, false) : null;
            case REFUSED, LEAVING -> failedInRow >= fall ? become(Standing.FAILING, why, false) : stay(why);
            case STARTING, FAILING -> stay(why);
        };
    }

    /** It is somewhere else now: what was seen before says nothing. Returns the change, null if there is none. */
    @Nullable
    Flip reset(String why) {
        failedInRow = 0;
        passedInRow = 0;
        // Another place is another process.
        portWasClosed = true;
        return standing == Standing.STARTING ? stay(why) : become(Standing.STARTING, why, false);
    }

    private Flip become(Standing next, String why, boolean restarted) {
        Flip flip = new Flip(standing, next, why, restarted);
        standing = next;
        reason = why;
        failedInRow = 0;
        passedInRow = 0;
        return flip;
    }

    private @Nullable Flip stay(String why) {
        reason = why;
        return null;
    }
}
