package io.penstock.health;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.health.ModelledReplica.Truth;
import java.time.Duration;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/** What goes wrong and when, and who asks for what meanwhile: drawn from the day's seed. */
final class FaultSchedule {

    private static final long SECOND = MovedClock.SECOND;
    private static final List<Truth> FAULTS = List.of(
            Truth.REFUSING,
            Truth.REFUSING,
            Truth.HUNG,
            Truth.HUNG,
            Truth.ERRORS,
            Truth.ERRATIC,
            Truth.BUSY,
            Truth.SLOW,
            Truth.FLAPPING,
            Truth.LEAVING,
            Truth.BLACK_HOLE,
            Truth.UNHEALTHY);

    private final DayOfFaults day;
    private final Random random;
    private final long endNanos;
    // What was planned for a replica before the whole fleet went down does not happen.
    private final Map<ModelledReplica, Integer> plans = new HashMap<>();
    private final Set<Truth> happened = EnumSet.noneOf(Truth.class);
    private int fleetReturns;

    /** What happens depends on {@code seed} only, and not on what Penstock makes of it. */
    FaultSchedule(DayOfFaults day, Duration length, long seed) {
        this.day = day;
        this.random = new Random(~seed);
        this.endNanos = day.time.now() + length.toNanos();
    }

    void begin() {
        day.replicas().forEach(this::getWell);
        nextRequest();
        nextBlackout();
        day.time.after(endNanos - day.time.now(), () -> day.replicas().forEach(this::recover));
    }

    /** One that was told to stop comes back as another process only. */
    private void recover(ModelledReplica replica) {
        if (replica.truth() == Truth.LEAVING) {
            become(replica, Truth.REFUSING);
            later(replica, 2, () -> getWell(replica));
        } else {
            getWell(replica);
        }
    }

    Set<Truth> happened() {
        return happened;
    }

    int fleetReturns() {
        return fleetReturns;
    }

    private boolean over() {
        return day.time.now() >= endNanos;
    }

    /** Requests go on for a while, since an ejected replica needs them. */
    private boolean quiet() {
        return day.time.now() >= endNanos + 600 * SECOND;
    }

    private void nextRequest() {
        // Busy hours and quiet ones.
        double perSecond = 1.1 + 0.9 * Math.sin(day.time.now() / (1800.0 * SECOND));
        day.time.after((long) (-Math.log(1 - random.nextDouble()) / perSecond * SECOND), () -> {
            if (!quiet()) {
                day.askAsClientsDo();
                nextRequest();
            }
        });
    }

    // ---- one replica --------------------------------------------------------------------------------------------

    private void later(ModelledReplica replica, double seconds, Runnable what) {
        int plan = plans.merge(replica, 1, Integer::sum);
        day.time.after((long) (seconds * SECOND), () -> {
            if (plans.getOrDefault(replica, 0) == plan) {
                what.run();
            }
        });
    }

    private double between(double least, double most) {
        return least + (most - least) * random.nextDouble();
    }

    private void become(ModelledReplica replica, Truth truth) {
        happened.add(truth);
        replica.become(truth);
    }

    private void getWell(ModelledReplica replica) {
        become(replica, Truth.GOOD);
        later(replica, 30 - 240 * Math.log(1 - random.nextDouble()), () -> {
            if (!over()) {
                fallIll(replica);
            }
        });
    }

    private void fallIll(ModelledReplica replica) {
        Truth fault = FAULTS.get(random.nextInt(FAULTS.size()));
        become(replica, fault);
        later(replica, duration(fault), () -> {
            boolean restarts = fault == Truth.LEAVING || random.nextInt(3) == 0;
            if (restarts && fault != Truth.REFUSING) {
                become(replica, Truth.REFUSING);
                later(replica, between(2, 60), () -> getWell(replica));
            } else {
                getWell(replica);
            }
        });
    }

    private double duration(Truth fault) {
        boolean forLong = random.nextInt(12) == 0;
        return switch (fault) {
            // So quick that no probe sees it, a crash, or a model that loads.
            case REFUSING -> List.of(between(0.02, 0.4), between(1, 30), 60.0).get(random.nextInt(3));
            case HUNG, ERRORS, ERRATIC -> forLong ? between(1800, 3600) : between(10, 240);
            case SLOW -> between(30, 300);
            default -> between(5, 60);
        };
    }

    // ---- all of them --------------------------------------------------------------------------------------------

    private void nextBlackout() {
        day.time.after((long) (between(3600, 10_800) * SECOND), () -> {
            if (!over()) {
                blackout();
                nextBlackout();
            }
        });
    }

    private void blackout() {
        double down = between(20, 120);
        for (ModelledReplica replica : day.replicas()) {
            become(replica, Truth.REFUSING);
            later(replica, down + between(0, 30), () -> comesBack(replica));
        }
    }

    private void comesBack(ModelledReplica replica) {
        boolean first = day.replicas().stream().allMatch(each -> each.truth() == Truth.REFUSING);
        getWell(replica);
        if (first && day.room.waiting() > 0) {
            fleetReturns++;
            long back = day.time.now();
            day.time.after(
                    SECOND,
                    () -> assertThat(day.lastOutputNanos())
                            .as("the first output after all were down, from %s s", back / 1e9)
                            .isGreaterThan(back));
        }
    }
}
