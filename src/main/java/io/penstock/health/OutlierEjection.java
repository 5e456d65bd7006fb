package io.penstock.health;

import io.penstock.config.PenstockConfig;
import io.penstock.upstream.Conduct;
import io.penstock.upstream.Ejection;
import io.penstock.upstream.Ejection.Cause;
import io.penstock.upstream.Ejection.Phase;
import io.penstock.upstream.Standing;
import io.penstock.upstream.UpstreamSet;
import io.penstock.upstream.UpstreamState;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Takes a replica out of rotation that passes its probes and fails requests, and brings it back once a request shows that
 * it is well.
 *
 * <pre>
 *   from \ event   n faults in a row,   time is up   trial completed   trial failed         new epoch
 *                  or too large a share
 *   in rotation    resting              –            –                 –                    stays, clean slate
 *   resting        –                    on trial     –                 –                    in rotation, clean slate
 *   on trial       –                    –            in rotation       resting, 2 × longer  in rotation, clean slate
 * </pre>
 *
 * <p>A passed probe appears nowhere in it: vLLM says 200 while it fails every request. Half of the replicas at most are
 * out by this, one of two or three, and never the last usable one, nor the last for one of its models. Once a replica has
 * been back for the window, and twice as long as it was out, its next ejection is as short as its first.
 *
 * <p>Confined to one thread: it is the only one to eject.
 */
final class OutlierEjection {

    /** Share of its length by which an ejection varies either way, so that trials of many do not march in step. */
    private static final double JITTER = 0.1;

    private static final int MOST_DOUBLINGS = 30;
    private static final int PERCENT = 100;

    /**
     * A replica's part in the rotation changed.
     *
     * @param from how it stood
     * @param to how it stands; the same while it goes from resting to trial
     * @param reason why, in one phrase for people
     * @param rest until it may be tried; zero if it may be now
     */
    record Turn(Standing from, Standing to, String reason, Duration rest) {}

    /** What one replica had done by some moment. */
    private record Tally(long atNanos, long answers, long faults) {}

    /** What is remembered of one replica. */
    private static final class Case {
        private final Deque<Tally> tallies = new ArrayDeque<>();
        private int epoch;
        private int chapter;
        private int doublings;
        private long lengthNanos;
        private long outUntilNanos;
        private long backSinceNanos;
    }

    private final Supplier<PenstockConfig.Ejection> settings;
    private final LongSupplier nanoClock;
    private final DoubleSupplier random;
    // Forgets a replica when everyone else has.
    private final Map<UpstreamState, Case> cases = new WeakHashMap<>();

    /**
     * Starts with a clean slate for everyone.
     *
     * @param settings the operator's settings of this moment
     * @param nanoClock the time, in nanoseconds
     * @param random chance, from 0 to below 1
     */
    OutlierEjection(Supplier<PenstockConfig.Ejection> settings, LongSupplier nanoClock, DoubleSupplier random) {
        this.settings = settings;
        this.nanoClock = nanoClock;
        this.random = random;
    }

    /**
     * Notes what each replica has done by now, so that the share has a window. Call it about every second.
     *
     * @param set the replicas
     */
    void tally(UpstreamSet set) {
        for (UpstreamState state : set.members()) {
            Case known = caseOf(state);
            Tally now = tallyOf(state);
            Tally last = known.tallies.peekLast();
            // One that says the same as the last is as good as none.
            if (last == null || last.answers() != now.answers() || last.faults() != now.faults()) {
                known.tallies.add(now);
            }
            forgetOld(known, now.atNanos());
        }
    }

    /**
     * Looks at one replica after something happened there, or after its time is up.
     *
     * @param state which
     * @param set the replicas it is one of
     * @return what became of it, null if nothing
     */
    @Nullable
    Turn review(UpstreamState state, UpstreamSet set) {
        Case known = caseOf(state);
        Ejection out = state.conduct().ejection();
        if (out == null) {
            return judge(state, set, known);
        }
        if (settings.get().off()) {
            return reinstate(state, known, "ejection is off");
        }
        Phase phase = out.phase();
        if (phase == Phase.RESTING && nanoClock.getAsLong() - known.outUntilNanos >= 0) {
            out.open();
            return new Turn(state.standing(), state.standing(), state.reason(), Duration.ZERO);
        }
        if (phase == Phase.PASSED) {
            beginSlowly(state, set);
            return reinstate(state, known, "completed a request on trial");
        }
        return phase == Phase.FAILED ? eject(state, known, Cause.TRIAL, "its trial failed") : null;
    }

    /**
     * Forgets a replica that is no longer one: should it come back, it comes back clean.
     *
     * @param state which
     */
    void forget(UpstreamState state) {
        cases.remove(state);
        state.conduct().eject(null);
    }

    private Case caseOf(UpstreamState state) {
        Case known = cases.computeIfAbsent(state, unknown -> new Case());
        if (known.tallies.isEmpty() || known.epoch != state.epoch()) {
            known.epoch = state.epoch();
            known.doublings = 0;
            cleanSlate(state, known);
        } else if (known.chapter != state.conduct().chapter()) {
            cleanSlate(state, known);
        }
        return known;
    }

    private @Nullable Turn judge(UpstreamState state, UpstreamSet set, Case known) {
        PenstockConfig.Ejection limits = settings.get();
        if (state.standing() != Standing.READY) {
            return null; // It gets no work anyway.
        }
        int inRow = state.conduct().faultsInRow();
        if (limits.consecutive() > 0 && inRow >= limits.consecutive()) {
            return spares(state, set) ? eject(state, known, Cause.CONSECUTIVE, inRow + " faults in a row") : null;
        }
        forgetOld(known, nanoClock.getAsLong());
        Tally then = known.tallies.getFirst();
        long faults = state.conduct().faults() - then.faults();
        long all = faults + state.conduct().answers() - then.answers();
        if (limits.sharePercent() > 0
                && all >= limits.minimum()
                && faults * PERCENT >= all * limits.sharePercent()
                && spares(state, set)) {
            String span = limits.window().toSeconds() + " s";
            return eject(state, known, Cause.SHARE, faults + " of " + all + " requests failed in " + span);
        }
        return null;
    }

    /** Whether the others can do without it. */
    private static boolean spares(UpstreamState state, UpstreamSet set) {
        int out = 0;
        int peers = 0;
        for (UpstreamState member : set.members()) {
            out += member.standing() == Standing.EJECTED ? 1 : 0;
            peers += member != state && member.usable() ? 1 : 0;
        }
        return peers > 0 && out < Math.max(1, set.members().size() / 2) && modelsStay(state, set);
    }

    private static boolean modelsStay(UpstreamState state, UpstreamSet set) {
        Set<String> models = state.knownModels();
        for (String model : models == null ? Set.<String>of() : models) {
            boolean served = false;
            for (UpstreamState member : set.members()) {
                served |= member != state && member.usable() && Boolean.TRUE.equals(member.serves(model));
            }
            if (!served) {
                return false;
            }
        }
        return true;
    }

    private Turn eject(UpstreamState state, Case known, Cause cause, String why) {
        PenstockConfig.Ejection limits = settings.get();
        long now = nanoClock.getAsLong();
        if (cause != Cause.TRIAL && wellForLong(known, now)) {
            known.doublings = 0;
        }
        double seconds = limits.base().toNanos() / 1e9 * (1L << known.doublings);
        double most = limits.max().toNanos() / 1e9;
        double jitter = 1 - JITTER + 2 * JITTER * random.getAsDouble();
        known.lengthNanos = (long) (Math.min(seconds, most) * jitter * 1e9);
        known.outUntilNanos = now + known.lengthNanos;
        known.doublings = Math.min(MOST_DOUBLINGS, known.doublings + 1);
        String reason = why + String.format(Locale.ROOT, "; out for %.1f s", known.lengthNanos / 1e9);
        Standing from = state.standing();
        Conduct conduct = state.conduct();
        conduct.eject(new Ejection(cause, reason));
        cleanSlate(state, known);
        return new Turn(from, state.standing(), reason, Duration.ofNanos(known.lengthNanos));
    }

    /** Before it is usable, so that nobody comes in between. */
    private static void beginSlowly(UpstreamState state, UpstreamSet set) {
        for (UpstreamState member : set.members()) {
            if (member.usable()) {
                state.conduct().ramp().begin();
            }
        }
    }

    private Turn reinstate(UpstreamState state, Case known, String why) {
        Standing from = state.standing();
        state.conduct().eject(null);
        known.backSinceNanos = nanoClock.getAsLong();
        cleanSlate(state, known);
        return new Turn(from, state.standing(), why, Duration.ZERO);
    }

    private boolean wellForLong(Case known, long now) {
        long enough = Math.max(2 * known.lengthNanos, settings.get().window().toNanos());
        return now - known.backSinceNanos >= enough;
    }

    /** What was counted before says nothing any more. */
    private void cleanSlate(UpstreamState state, Case known) {
        known.chapter = state.conduct().chapter();
        known.tallies.clear();
        known.tallies.add(tallyOf(state));
    }

    private Tally tallyOf(UpstreamState state) {
        return new Tally(
                nanoClock.getAsLong(),
                state.conduct().answers(),
                state.conduct().faults());
    }

    /** The oldest that stays is the last one at the window's beginning or before. */
    private void forgetOld(Case known, long now) {
        long from = now - settings.get().window().toNanos();
        Tally oldest = known.tallies.pollFirst();
        while (oldest != null) {
            Tally next = known.tallies.peekFirst();
            if (next == null || next.atNanos() - from > 0) {
                known.tallies.addFirst(oldest);
                return;
            }
            oldest = known.tallies.pollFirst();
        }
    }
}
