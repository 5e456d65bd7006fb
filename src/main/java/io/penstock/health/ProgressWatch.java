package io.penstock.health;

import io.penstock.config.PenstockConfig;
import io.penstock.upstream.EngineGauges;
import io.penstock.upstream.Standing;
import io.penstock.upstream.UpstreamState;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Whether the engine of one replica makes progress with the work it has. vLLM answers 200 on {@code /health} while its
 * engine hangs, so this looks at what comes out: bytes of answers, and the counters and gauges of its {@code /metrics}.
 *
 * <pre>
 *   from      to        when
 *   READY     SUSPECT   it has work of ours, and nothing came and nothing moved for longer than that explains
 *   SUSPECT   READY     output, anything that moved, or the token that it was asked for
 *   SUSPECT   STALLED   `progress.stalled` later, its metrics frozen or (once they could be read) mute, others can serve
 *   STALLED   READY     output, a counter of work that rose, or the token that it was asked for
 *   any       READY     another process runs there
 * </pre>
 *
 * <p>What explains silence: {@code progress.suspect}; a minute for the first output of a process (vLLM compiles), and
 * for replicas that answer without making tokens (embeddings: nothing shows before a batch is done); and four times what
 * the prompts take to be read that were sent before the silence began, at the speed that the replica has measured, else at
 * 500 tokens a second of four bytes each. A prompt alone, however long, is not suspicious.
 *
 * <p>A replica without work is not judged. One that cannot be asked for a token (it wants a key that only clients have, or
 * does something else) and has no work left gets another chance after 30 s. Confined to one thread.
 */
final class ProgressWatch {

    /**
     * The standing changed.
     *
     * @param from what it was
     * @param to what it is
     * @param reason why, in one phrase for people
     */
    record Turn(Standing from, Standing to, String reason) {}

    /** A silence that clients have left goes on with the next one if it comes within this. */
    private static final long REMEMBERED_NANOS = 60_000_000_000L;

    private static final long GENEROUS_NANOS = Duration.ofSeconds(60).toNanos();
    private static final long ANOTHER_CHANCE_NANOS = Duration.ofSeconds(30).toNanos();
    private static final int MARGIN = 4;
    private static final double BYTES_PER_TOKEN = 4;
    private static final double UNLEARNED_TOKENS_PER_SECOND = 500;
    private static final double SLOWEST_TOKENS_PER_SECOND = 10;

    private final UpstreamState state;

    private Standing standing = Standing.READY;
    private long sinceNanos;
    // The last sign of life before it was suspected.
    private long silentFromNanos;
    private int epoch;
    // When the numbers last moved, and when those did that only work moves; both no earlier than the look at this
    // process.
    private long movedNanos;
    private long workedNanos;
    // Work at the last look: since when, and for how long it had been silent with it.
    private boolean worked;
    private long workedSinceNanos;
    private long silenceNanos;
    private long lookedNanos;
    // The silence of those that have left without output, and when that was: it goes on with whoever comes next.
    private long leftSilenceNanos;
    private long leftNanos;
    private boolean everRead;
    private boolean warm;
    private boolean cannotBeAsked;

    ProgressWatch(UpstreamState state, long nowNanos) {
        this.state = state;
        startOver(nowNanos);
    }

    Standing standing() {
        return standing;
    }

    /**
     * Looks at it.
     *
     * @param nowNanos now
     * @param settings the operator's
     * @param othersCanServe whether somebody else can take what this one serves
     * @return the change, null if there is none
     */
    @Nullable
    Turn look(long nowNanos, PenstockConfig.Progress settings, boolean othersCanServe) {
        if (state.epoch() != epoch) {
            // Whoever saw the restart has told.
            startOver(nowNanos);
        }
        warm |= outputSince(movedNanos) || hasFinished();
        listen(nowNanos);
        if (settings.suspect().isZero()) {
            return standing == Standing.READY ? null : become(Standing.READY, "progress is not watched", nowNanos);
        }
        return switch (standing) {
            case SUSPECT -> whileSuspect(nowNanos, settings, othersCanServe);
            case STALLED -> whileStalled(nowNanos);
            default -> whileReady(nowNanos, settings);
        };
    }

    /**
     * Whether a token from it would be good to have: it has work, and half of the time that this explains is over. A
     * replica that is silent for another reason (its only client does not read) so shows that it is well before it is
     * suspected.
     *
     * @param nowNanos now
     * @param settings the operator's
     * @return true if it should be asked
     */
    boolean wantsToken(long nowNanos, PenstockConfig.Progress settings) {
        if (standing != Standing.READY) {
            return true;
        }
        if (settings.suspect().isZero() || cannotBeAsked || state.engine().working() == 0) {
            return false;
        }
        long silentFrom = silentFrom(nowNanos);
        return nowNanos - silentFrom >= explained(silentFrom, settings) / 2;
    }

    /** Its {@code /metrics} were read. */
    void read(EngineGauges reading, long nowNanos) {
        EngineGauges before = state.engine().gauges();
        if (before != null && reading.movedSince(before)) {
            movedNanos = nowNanos;
        }
        if (before != null && reading.workedSince(before)) {
            workedNanos = nowNanos;
        }
        everRead = true;
        state.engine().learnGauges(reading);
    }

    /** Its probes do not pass, so nobody looks: time that passes meanwhile is no evidence against its engine. */
    void unwatched(long nowNanos) {
        if (standing == Standing.READY) {
            movedNanos = nowNanos;
            leftSilenceNanos = 0;
        } else if (standing == Standing.SUSPECT) {
            sinceNanos = nowNanos;
        }
    }

    /** It made the token that it was asked for. */
    void madeToken(long nowNanos) {
        cannotBeAsked = false;
        warm = true;
        movedNanos = nowNanos;
        workedNanos = nowNanos;
    }

    /** It takes no request that we could make up. */
    void cannotBeAsked() {
        cannotBeAsked = true;
    }

    /** The evidence against it, in one phrase. */
    String evidence(long nowNanos) {
        return "no token for " + (nowNanos - silentFromNanos) / 1_000_000_000 + " s with "
                + state.engine().working() + " in flight, metrics " + metrics(nowNanos);
    }

    /** Clients that leave before the next one comes do not make a silent engine less silent either. */
    private void listen(long nowNanos) {
        boolean works = state.engine().working() > 0;
        long since = state.engine().workingSinceNanos(nowNanos);
        if (worked && !(works && since == workedSinceNanos)) {
            leftSilenceNanos = silenceNanos;
            leftNanos = lookedNanos;
        }
        worked = works;
        workedSinceNanos = since;
        lookedNanos = nowNanos;
        silenceNanos = works ? nowNanos - silentFrom(nowNanos) : 0;
    }

    private @Nullable Turn whileReady(long nowNanos, PenstockConfig.Progress settings) {
        if (state.engine().working() == 0) {
            return null;
        }
        long silentFrom = silentFrom(nowNanos);
        if (nowNanos - silentFrom < explained(silentFrom, settings)) {
            return null;
        }
        silentFromNanos = silentFrom;
        return become(Standing.SUSPECT, evidence(nowNanos), nowNanos);
    }

    private @Nullable Turn whileSuspect(long nowNanos, PenstockConfig.Progress settings, boolean othersCanServe) {
        if (sign() - silentFromNanos > 0) {
            return become(Standing.READY, "makes progress again", nowNanos);
        }
        if (givenUpOn()) {
            return anotherChance(nowNanos);
        }
        boolean longEnough = !settings.stalled().isZero()
                && nowNanos - sinceNanos >= settings.stalled().toNanos();
        return longEnough && everRead && othersCanServe ? become(Standing.STALLED, evidence(nowNanos), nowNanos) : null;
    }

    private @Nullable Turn whileStalled(long nowNanos) {
        if (workedNanos - sinceNanos > 0 || outputSince(sinceNanos)) {
            return become(Standing.READY, "makes tokens again", nowNanos);
        }
        return givenUpOn() ? anotherChance(nowNanos) : null;
    }

    private boolean givenUpOn() {
        return cannotBeAsked && state.engine().working() == 0;
    }

    private @Nullable Turn anotherChance(long nowNanos) {
        return nowNanos - sinceNanos < ANOTHER_CHANCE_NANOS
                ? null
                : become(Standing.READY, "has no work and cannot be asked for a token, gets another chance", nowNanos);
    }

    /** How long it may be silent after that moment. */
    private long explained(long silentFrom, PenstockConfig.Progress settings) {
        EngineGauges gauges = state.engine().gauges();
        boolean tokens = gauges == null || !gauges.answersWithoutTokens();
        long usual = settings.suspect().toNanos();
        long least = warm && tokens ? usual : Math.max(usual, GENEROUS_NANOS);
        double learned = gauges == null ? Double.NaN : gauges.prefillTokensPerSecond();
        double speed =
                Double.isNaN(learned) ? UNLEARNED_TOKENS_PER_SECOND : Math.max(SLOWEST_TOKENS_PER_SECOND, learned);
        // If those that it was silent for were given up, the next one in line explains it.
        long sentBy = later(silentFrom, state.engine().oldestWorkNanos(silentFrom));
        double promptTokens = state.engine().unansweredBytes(sentBy) / BYTES_PER_TOKEN;
        return Math.max(least, (long) (MARGIN * promptTokens / speed * 1e9));
    }

    private boolean hasFinished() {
        EngineGauges gauges = state.engine().gauges();
        return gauges != null && gauges.hasFinished();
    }

    /** Since when it has had work and shown nothing, times without work left out. */
    private long silentFrom(long nowNanos) {
        long sign = sign();
        long since = state.engine().workingSinceNanos(nowNanos);
        boolean goesOn = sign - leftNanos <= 0 && since - leftNanos <= REMEMBERED_NANOS;
        return later(sign, since - (goesOn ? leftSilenceNanos : 0));
    }

    /** The last sign of life. */
    private long sign() {
        return outputSince(movedNanos) ? state.engine().lastOutputNanos() : movedNanos;
    }

    private boolean outputSince(long nanos) {
        long output = state.engine().lastOutputNanos();
        return output != 0 && output - nanos > 0;
    }

    private String metrics(long nowNanos) {
        EngineGauges gauges = state.engine().gauges();
        if (!everRead || gauges == null) {
            return "unknown";
        }
        return gauges.fresh(nowNanos) ? "frozen" : "mute";
    }

    private Turn become(Standing next, String reason, long nowNanos) {
        Turn turn = new Turn(standing, next, reason);
        standing = next;
        sinceNanos = nowNanos;
        if (next == Standing.READY) {
            // A silence that was forgiven does not count again.
            movedNanos = nowNanos;
            leftSilenceNanos = 0;
        }
        return turn;
    }

    private void startOver(long nowNanos) {
        epoch = state.epoch();
        standing = Standing.READY;
        sinceNanos = nowNanos;
        movedNanos = nowNanos;
        workedNanos = nowNanos;
        worked = false;
        leftSilenceNanos = 0;
        everRead = false;
        warm = false;
        cannotBeAsked = false;
    }

    private static long later(long one, long other) {
        return one - other > 0 ? one : other;
    }
}
