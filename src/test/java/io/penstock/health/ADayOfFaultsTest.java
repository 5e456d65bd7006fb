package io.penstock.health;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.penstock.health.ModelledReplica.Truth;
import io.penstock.upstream.Standing;
import io.penstock.upstream.UpstreamState;
import java.time.Duration;
import java.util.EnumSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.LoggerFactory;

/** Twenty-four hours of random faults, in seconds: how replicas are judged, without sockets and on a moved clock. */
class ADayOfFaultsTest {

    private static final Duration DAY = Duration.ofHours(24);

    private final Logger logger = (Logger) LoggerFactory.getLogger("io.penstock.health");

    @BeforeEach
    void hush() {
        logger.setLevel(Level.OFF);
    }

    @AfterEach
    void speak() {
        logger.setLevel(null);
    }

    @ParameterizedTest(name = "seed {0}, {1} replicas")
    @CsvSource({"1, 4", "2, 2"})
    void whateverHappensTheInvariantsHold(long seed, int replicas) {
        live(seed, replicas);
    }

    @Tag("faults")
    @ParameterizedTest(name = "seed {0}, {1} replicas")
    @CsvSource({
        "3, 3", "11, 2", "12, 3", "13, 4", "14, 5", "15, 8", "16, 2", "17, 3", "18, 4", "19, 5", "20, 8", "21, 2"
    })
    void theInvariantsHoldOnManyDays(long seed, int replicas) {
        live(seed, replicas);
    }

    private static void live(long seed, int replicas) {
        DayOfFaults day = new DayOfFaults(seed, replicas);
        FaultSchedule schedule = new FaultSchedule(day, DAY, seed);
        schedule.begin();
        day.runFor(DAY);
        // Whatever was under way comes to its end.
        day.runFor(Duration.ofMinutes(20));
        day.booksMustBeZero();
        assertThat(day.live.current().members())
                .extracting(UpstreamState::standing)
                .containsOnly(Standing.READY);
        assertThat(schedule.happened()).as("faults that happened").containsAll(EnumSet.allOf(Truth.class));
        assertThat(day.changes)
                .extracting(ReplicaChange::to)
                .contains(Standing.EJECTED, Standing.REFUSED, Standing.FAILING, Standing.SUSPECT, Standing.STALLED);
        assertThat(schedule.fleetReturns()).as("times that all were down").isPositive();
        // Each answer that was lost has a cause, but for this: of more than three replicas, three may answer one
        // request
        // with an error, and two retries are the limit.
        assertThat(day.answered()).isGreaterThan(day.lost());
        assertThat(day.needlesslyLost()).isLessThanOrEqualTo(replicas <= 3 ? 0 : day.answered() / 2000);
    }
}
