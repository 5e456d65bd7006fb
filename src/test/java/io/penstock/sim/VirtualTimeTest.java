package io.penstock.sim;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class VirtualTimeTest {

    private final VirtualTime time = new VirtualTime();
    private final List<String> ran = new ArrayList<>();

    @Test
    void runsInTheOrderOfTimeAndThenOfAsking() {
        time.at(20, () -> ran.add("c"));
        time.at(10, () -> ran.add("a"));
        time.at(10, () -> ran.add("b"));
        time.runAll();

        assertThat(ran).containsExactly("a", "b", "c");
        assertThat(time.getAsLong()).isEqualTo(20);
        assertThat(time.runNext()).isFalse();
    }

    @Test
    void stopsAtATimeThatIncludesWhatIsDueThen() {
        time.at(10, () -> time.after(Duration.ZERO, () -> ran.add("now")));
        time.at(11, () -> ran.add("later"));
        time.runUntil(10);

        assertThat(ran).containsExactly("now");
        time.runUntil(5);
        assertThat(time.getAsLong()).isEqualTo(10);
    }

    @Test
    void whatIsCalledOffDoesNotRunNorMoveTheClock() {
        Timers.Alarm alarm = time.at(10, () -> ran.add("never"));
        alarm.cancel();
        time.runAll();

        assertThat(ran).isEmpty();
        assertThat(time.getAsLong()).isZero();
    }

    @Test
    void whatIsOverIsNow() {
        time.runUntil(100);
        time.at(5, () -> ran.add("at " + time.getAsLong()));
        time.after(Duration.ofSeconds(-1), () -> ran.add("after " + time.getAsLong()));
        time.runAll();

        assertThat(ran).containsExactly("at 100", "after 100");
    }
}
