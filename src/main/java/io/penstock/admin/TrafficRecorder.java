package io.penstock.admin;

import io.penstock.admin.TrafficSecond.Kind;
import io.penstock.proxy.Decision.Cause;
import io.penstock.proxy.ExchangeObserver;
import io.penstock.proxy.ExchangeReport;
import io.penstock.proxy.ExchangeReport.Result;
import io.penstock.proxy.FailureKind;
import io.penstock.proxy.Move;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Remembers the last minute of traffic for whoever opens the live page: counts and first outputs by the second, the last
 * moves, and each replica's last first outputs. Some 100 kB, whatever the traffic. Event loops report, without a lock;
 * nothing is summed up before somebody asks.
 */
public final class TrafficRecorder implements ExchangeObserver {

    /** Seconds that can be asked for. */
    static final int SECONDS = 60;
    /** Moves that are remembered. */
    static final int MOVES = 128;

    private static final long NANOS_PER_SECOND = 1_000_000_000L;
    // Some more than are asked for, so that the oldest is not overwritten while it is read.
    private static final int RING = 64;
    // Replicas behind a DNS name may come and go for weeks while nobody looks.
    private static final int MOST_REPLICAS = 2048;
    private static final Set<FailureKind> NO_ROOM =
            Set.of(FailureKind.WAITING_ROOM_FULL, FailureKind.ABOVE_TARGET, FailureKind.QUEUE_DEADLINE);

    /**
     * A move, and when it was.
     *
     * @param atNanos by the injected clock
     * @param move what moved
     */
    record TimedMove(long atNanos, Move move) {}

    private final LongSupplier nanoClock;
    private final AtomicReferenceArray<@Nullable TrafficSecond> ring = new AtomicReferenceArray<>(RING);
    private final AtomicReferenceArray<@Nullable TimedMove> moves = new AtomicReferenceArray<>(MOVES);
    private final AtomicLong nextMove = new AtomicLong();
    private final ConcurrentHashMap<String, RecentTimes> firstOutputs = new ConcurrentHashMap<>();
    private final LongAdder whole = new LongAdder();
    private final LongAdder lost = new LongAdder();
    private final LongAdder failovers = new LongAdder();
    private final LongAdder retries = new LongAdder();
    private final LongAdder hedges = new LongAdder();

    /**
     * Begins with nothing.
     *
     * @param nanoClock the time, in nanoseconds
     */
    public TrafficRecorder(LongSupplier nanoClock) {
        this.nanoClock = nanoClock;
    }

    @Override
    public void exchangeStarted() {
        count(Kind.ARRIVED);
    }

    @Override
    public void moved(Move move) {
        int slot = (int) (nextMove.getAndIncrement() % MOVES);
        moves.set(slot, new TimedMove(nanoClock.getAsLong(), move));
        count(Kind.MOVED);
        switch (move.cause()) {
            case FAILOVER -> failovers.increment();
            case RETRY -> retries.increment();
            case HEDGE -> hedges.increment();
            case ARRIVAL -> {}
        }
    }

    @Override
    public void exchangeEnded(ExchangeReport report) {
        switch (report.result()) {
            case COMPLETED -> {
                whole.increment();
                count(Kind.WHOLE);
            }
            case CLIENT_LEFT -> {}
            case UPSTREAM_ERROR, REFUSED, BROKEN -> {
                if (isLoss(report)) {
                    lost.increment();
                    count(Kind.LOST);
                }
                if (report.failure() != null && NO_ROOM.contains(report.failure())) {
                    count(Kind.TURNED_AWAY);
                }
            }
        }
    }

    /** A request that was wrong in itself is answered, not lost. */
    private static boolean isLoss(ExchangeReport report) {
        return report.result() == Result.BROKEN || report.status() >= 500 || report.status() == 429;
    }

    @Override
    public void firstOutput(String replica, long arrivedNanos, long askedNanos) {
        long now = nanoClock.getAsLong();
        TrafficSecond second = second(now);
        if (second != null) {
            second.firstOutput(arrivedNanos);
        }
        RecentTimes times = firstOutputs.get(replica);
        if (times == null && firstOutputs.size() < MOST_REPLICAS) {
            times = firstOutputs.computeIfAbsent(replica, name -> new RecentTimes());
        }
        if (times != null) {
            times.add(now, askedNanos);
        }
    }

    private void count(Kind kind) {
        TrafficSecond second = second(nanoClock.getAsLong());
        if (second != null) {
            second.count(kind);
        }
    }

    /** The second of a moment; null if it is too long ago. */
    private @Nullable TrafficSecond second(long nanos) {
        long number = Math.floorDiv(nanos, NANOS_PER_SECOND);
        int slot = (int) Math.floorMod(number, (long) RING);
        while (true) {
            TrafficSecond there = ring.get(slot);
            if (there != null && there.number() >= number) {
                return there.number() == number ? there : null;
            }
            TrafficSecond made = new TrafficSecond(number);
            if (ring.compareAndSet(slot, there, made)) {
                return made;
            }
        }
    }

    /**
     * The last {@link #SECONDS} whole seconds, the oldest first; null where nothing happened. The present one is left
     * out, since it is not over.
     */
    List<@Nullable TrafficSecond> minute() {
        long present = Math.floorDiv(nanoClock.getAsLong(), NANOS_PER_SECOND);
        List<@Nullable TrafficSecond> seconds = new ArrayList<>(SECONDS);
        for (long number = present - SECONDS; number < present; number++) {
            TrafficSecond there = ring.get((int) Math.floorMod(number, (long) RING));
            seconds.add(there != null && there.number() == number ? there : null);
        }
        return seconds;
    }

    /** The last moves, the newest first. */
    List<TimedMove> lastMoves() {
        List<TimedMove> last = new ArrayList<>();
        long next = nextMove.get();
        for (long at = next - 1; at >= 0 && at >= next - MOVES; at--) {
            TimedMove move = moves.get((int) (at % MOVES));
            if (move != null) {
                last.add(move);
            }
        }
        return last;
    }

    /** Requests of the last seconds, so many, for which there was no room. */
    long turnedAway(int seconds) {
        return minute().subList(SECONDS - seconds, SECONDS).stream()
                .mapToLong(second -> second == null ? 0 : second.counted(Kind.TURNED_AWAY))
                .sum();
    }

    /** The median of a replica's last first outputs, from when it was asked, in milliseconds; NaN if there were fewer in the last minute. */
    double firstOutputMillis(String replica, int fewest) {
        RecentTimes times = firstOutputs.get(replica);
        long since = nanoClock.getAsLong() - SECONDS * NANOS_PER_SECOND;
        return times == null ? Double.NaN : times.medianMillis(since, fewest);
    }

    /** Forgets all replicas but these. */
    void keepOnly(Set<String> replicas) {
        firstOutputs.keySet().retainAll(replicas);
    }

    /** Whole answers since the start. */
    long whole() {
        return whole.sum();
    }

    /** Requests since the start that got an error for which they were not to blame, or half an answer. */
    long lost() {
        return lost.sum();
    }

    /** Moves since the start, for one cause. */
    long moves(Cause cause) {
        return switch (cause) {
            case FAILOVER -> failovers.sum();
            case RETRY -> retries.sum();
            case HEDGE -> hedges.sum();
            case ARRIVAL -> 0;
        };
    }
}
