package io.penstock.health;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.admission.Tried;
import io.penstock.config.PenstockConfig;
import io.penstock.health.ModelledReplica.Truth;
import io.penstock.selection.Candidates;
import io.penstock.upstream.Ejection;
import io.penstock.upstream.Lease;
import io.penstock.upstream.Outcome;
import io.penstock.upstream.Standing;
import io.penstock.upstream.UpstreamState;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What must be true at every moment, whatever the replicas do. It knows the truth; the product does not. */
final class Invariants {

    private static final long SECOND = MovedClock.SECOND;

    /** Within this a good replica is back, so somebody must be there for a request. */
    private static final long SOMEBODY_WITHIN = 15 * SECOND;

    /** What may have been true, and how long ago, for a replica to be put out of rotation. */
    private record Evidence(long within, EnumSet<Truth> truths) {}

    private static final Map<Standing, Evidence> EVIDENCE = new EnumMap<>(Map.of(
            Standing.REFUSED, new Evidence(3 * SECOND, EnumSet.of(Truth.REFUSING, Truth.FLAPPING, Truth.BLACK_HOLE)),
            Standing.FAILING, new Evidence(3 * SECOND, EnumSet.of(Truth.UNHEALTHY, Truth.BLACK_HOLE)),
            Standing.LEAVING, new Evidence(SECOND, EnumSet.of(Truth.LEAVING)),
            Standing.SUSPECT, new Evidence(3 * SECOND, EnumSet.of(Truth.HUNG, Truth.BLACK_HOLE)),
            Standing.STALLED, new Evidence(3 * SECOND, EnumSet.of(Truth.HUNG, Truth.BLACK_HOLE)),
            Standing.EJECTED,
                    new Evidence(
                            31 * SECOND,
                            EnumSet.of(
                                    Truth.ERRORS, Truth.ERRATIC, Truth.REFUSING, Truth.FLAPPING, Truth.BLACK_HOLE))));

    /** How long a replica that is good may stand so; an ejected one rests up to 66 s and then needs a request. */
    private static final Map<Standing, Long> BACK_WITHIN = new EnumMap<>(Map.of(
            Standing.STARTING, 3 * SECOND,
            Standing.REFUSED, 3 * SECOND,
            Standing.LEAVING, 3 * SECOND,
            Standing.FAILING, 8 * SECOND,
            Standing.SUSPECT, 15 * SECOND,
            Standing.STALLED, 15 * SECOND,
            Standing.EJECTED, 130 * SECOND));

    /** After this time nobody may think well of it. */
    private static final Map<Truth, Long> OUT_WITHIN = new EnumMap<>(Map.of(
            Truth.REFUSING, 5 * SECOND / 2,
            Truth.UNHEALTHY, 9 * SECOND,
            Truth.BLACK_HOLE, 14 * SECOND));

    private static final long MUTE_BOUND = 15 * SECOND;

    /** What was seen of one replica. */
    private static final class Seen {
        private final UpstreamState state;
        private final ModelledReplica replica;
        private Standing standing;
        private int epoch;
        private int held;
        private @Nullable Ejection ejection;
        private int ejectionsInChain;
        private long ejectedNanos;
        private long restedNanos;
        private long reinstatedNanos;
        private Truth truth = Truth.GOOD;
        private long truthSinceNanos;
        private int turnsToSilence;

        private Seen(UpstreamState state, ModelledReplica replica) {
            this.state = state;
            this.replica = replica;
            this.standing = state.standing();
        }
    }

    private final DayOfFaults day;
    private final List<Seen> all = new ArrayList<>();

    Invariants(DayOfFaults day) {
        this.day = day;
        day.live.current().members().forEach(member -> all.add(new Seen(member, day.replica(member))));
    }

    /** To be called after everything that happens. */
    void check() {
        for (int i = 0; i < all.size(); i++) {
            Seen seen = all.get(i);
            backOff(seen);
            Standing now = seen.state.standing();
            if (now != seen.standing) {
                turned(seen, now);
            }
            if (!day.delivers() && seen.state.inFlight() != seen.held) {
                broken(seen, "has " + seen.state.inFlight() + " in flight, and " + seen.held + " were leased");
            }
            Long bound = BACK_WITHIN.get(now);
            if (bound != null && seen.replica.truth() == Truth.GOOD && seen.replica.soFor() > bound) {
                broken(seen, "is good and still out");
            }
            Long patience = OUT_WITHIN.get(seen.replica.truth());
            if (patience != null && now == Standing.READY && seen.replica.soFor() > patience) {
                broken(seen, "fails its probes and is still in");
            }
        }
        if (day.anyGoodFor(SOMEBODY_WITHIN)
                && Candidates.among(day.live.current(), DayOfFaults.MODEL, each -> true)
                        .isEmpty()) {
            broken(all.get(0), "there is nobody for a request, though one is good");
        }
    }

    private void turned(Seen seen, Standing now) {
        Standing before = seen.standing;
        seen.standing = now;
        Evidence evidence = EVIDENCE.get(now);
        // Who was ejected or suspected when it failed its probes is so still when it passes them.
        boolean news = switch (now) {
            case EJECTED, SUSPECT -> before == Standing.READY;
            case STALLED -> before == Standing.SUSPECT;
            default -> true;
        };
        if (news && evidence != null && !seen.replica.wasWithin(evidence.within, evidence.truths)) {
            broken(seen, "came from " + before + " without evidence");
        }
        if (now == Standing.EJECTED && news) {
            sparedByOthers(seen);
        }
        boolean alone =
                all.stream().noneMatch(each -> each != seen && (each.state.usable() || each.state.lastResort()));
        if (now == Standing.STALLED && news && alone) {
            broken(seen, "was given up, and it was the last");
        }
        silence(seen, now);
    }

    /** Never more than half, and never the last one. */
    private void sparedByOthers(Seen seen) {
        int out = 0;
        int usable = 0;
        for (Seen each : all) {
            out += each.state.standing() == Standing.EJECTED ? 1 : 0;
            usable += each.state.usable() ? 1 : 0;
        }
        if (usable == 0 || out > Math.max(1, all.size() / 2)) {
            broken(seen, "was ejected with " + out + " out and " + usable + " left");
        }
    }

    /** While the truth about a replica stays the same, it is suspected once and given up once. */
    private void silence(Seen seen, Standing now) {
        if (seen.truth != seen.replica.truth() || seen.truthSinceNanos != day.time.now() - seen.replica.soFor()) {
            seen.truth = seen.replica.truth();
            seen.truthSinceNanos = day.time.now() - seen.replica.soFor();
            seen.turnsToSilence = 0;
        }
        if ((now == Standing.SUSPECT || now == Standing.STALLED) && ++seen.turnsToSilence > 2) {
            broken(seen, "is suspected again and again");
        }
    }

    /** Each ejection of a series lasts twice as long as the one before, give or take its jitter. */
    private void backOff(Seen seen) {
        Ejection now = seen.state.conduct().ejection();
        if (seen.state.epoch() != seen.epoch) {
            seen.epoch = seen.state.epoch();
            seen.ejectionsInChain = 0;
            seen.ejection = null;
        }
        if (now == null || now == seen.ejection) {
            if (now == null && seen.ejection != null) {
                seen.reinstatedNanos = day.time.now();
                seen.ejection = null;
            }
            if (now != null) {
                rested(seen, now);
            }
            return;
        }
        boolean again = seen.ejection != null;
        double enough = 0.99
                * Math.max(
                        2 * seen.restedNanos,
                        PenstockConfig.Ejection.DEFAULT.window().toNanos());
        if (!again && day.time.now() - seen.reinstatedNanos >= enough) {
            seen.ejectionsInChain = 0;
        }
        if (again && seen.restedNanos == 0) {
            broken(seen, "was ejected again before it had been tried");
        }
        seen.ejection = now;
        seen.ejectionsInChain++;
        seen.ejectedNanos = day.time.now();
        seen.restedNanos = 0;
    }

    private void rested(Seen seen, Ejection now) {
        if (now.phase() == Ejection.Phase.RESTING || seen.restedNanos != 0) {
            return;
        }
        seen.restedNanos = day.time.now() - seen.ejectedNanos;
        PenstockConfig.Ejection settings = PenstockConfig.Ejection.DEFAULT;
        double seconds = settings.base().toSeconds() * Math.pow(2, seen.ejectionsInChain - 1);
        double least = 0.9 * Math.min(seconds, (double) settings.max().toSeconds());
        if (seen.restedNanos < least * SECOND
                || seen.restedNanos > 1.2 * settings.max().toNanos()) {
            broken(seen, "rested " + seen.restedNanos / 1e9 + " s at its ejection no. " + seen.ejectionsInChain);
        }
    }

    /** A replica got work of somebody who had tried these. */
    void leased(Lease lease, Tried tried) {
        Seen seen = seen(lease.upstream());
        seen.held++;
        boolean another =
                all.stream().anyMatch(each -> each != seen && each.state.usable() && tried.allows(each.state));
        if (another && seen.replica.muteWithWorkFor() > MUTE_BOUND) {
            broken(seen, "hangs and gets work");
        }
    }

    /** A replica is done with work. */
    void released(Lease lease) {
        seen(lease.upstream()).held--;
    }

    private Seen seen(UpstreamState state) {
        for (Seen each : all) {
            if (each.state == state) {
                return each;
            }
        }
        throw new AssertionError("unknown replica " + state);
    }

    /** Everyone is good, and nobody asks for anything any more. */
    void booksMustBeZero() {
        assertThat(day.room.waiting()).as("waiting").isZero();
        assertThat(day.errands).as("requests").isEmpty();
        for (Seen each : all) {
            UpstreamState state = each.state;
            assertThat(state.inFlight()).as("in flight at %s", state).isZero();
            assertThat(state.engine().working()).as("work of %s", state).isZero();
            assertThat(state.started())
                    .as("leases of %s", state)
                    .isPositive()
                    .isEqualTo(state.count(Outcome.COMPLETED)
                            + state.count(Outcome.FAILED)
                            + state.count(Outcome.IGNORED));
        }
    }

    private void broken(Seen seen, String what) {
        StringBuilder told = new StringBuilder("at " + day.time.now() / 1e9 + " s " + seen.state.name() + " " + what);
        for (Seen each : all) {
            told.append("\n  ")
                    .append(each.state)
                    .append(" (")
                    .append(each.state.reason())
                    .append("), really ");
            told.append(each.replica.truth())
                    .append(" for ")
                    .append(each.replica.soFor() / 1e9)
                    .append(" s");
        }
        int from = Math.max(0, day.changes.size() - 12);
        day.changes
                .subList(from, day.changes.size())
                .forEach(change -> told.append("\n  heard: ").append(change));
        throw new AssertionError(told.toString());
    }
}
