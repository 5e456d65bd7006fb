package io.penstock.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class FaultsTest {

    private final Faults faults = new Faults(new Random(1));

    @ParameterizedTest
    @EnumSource(Fault.Kind.class)
    void everyFaultCanBeReadBack(Fault.Kind kind) {
        assertThat(Fault.parse(Fault.of(kind).toString())).isEqualTo(Fault.of(kind));
        assertThat(Fault.parse(Fault.of(kind, 333).toString())).isEqualTo(Fault.of(kind, 333));
        assertThat(Fault.menu()).contains(kind.label());
    }

    @ParameterizedTest
    @CsvSource({
        "slow-start:2s, 2000",
        "slow-start:1.5s, 1500",
        "refuse:300ms, 300",
        "' reset-after : 7 ', 7",
        "slow, 10"
    })
    void readsArguments(String text, long argument) {
        assertThat(Fault.parse(text).argument()).isEqualTo(argument);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "nope",
                "slow:",
                "slow:many",
                "slow:-1",
                "status:42",
                "slow@2",
                "slow@0",
                "slow@x",
                "hang@0.5"
            })
    void refusesNonsense(String text) {
        assertThatThrownBy(() -> RatedFault.parse(text)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void writesRates() {
        assertThat(RatedFault.parse("reset-after:3@0.25")).hasToString("reset-after:3@0.25");
        assertThat(RatedFault.parse("hang")).hasToString("hang");
    }

    @Test
    void countedFaultsAreUsedUpInOrder() {
        faults.next(1, Fault.of(Fault.Kind.STATUS));
        faults.next(2, Fault.of(Fault.Kind.SLOW));

        assertThat(faults.take(Fault.Scope.HEALTH)).isNull();
        assertThat(faults.take(Fault.Scope.REQUEST)).isEqualTo(Fault.of(Fault.Kind.STATUS));
        assertThat(faults.active()).containsExactly("slow x2");
        assertThat(faults.take(Fault.Scope.REQUEST)).isEqualTo(Fault.of(Fault.Kind.SLOW));
        assertThat(faults.take(Fault.Scope.REQUEST)).isEqualTo(Fault.of(Fault.Kind.SLOW));
        assertThat(faults.take(Fault.Scope.REQUEST)).isNull();
        assertThatThrownBy(() -> faults.next(0, Fault.of(Fault.Kind.SLOW)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void standingFaultsReplaceTheirKindAndEndWhenCleared() {
        AtomicInteger changes = new AtomicInteger();
        faults.onChange(changes::incrementAndGet);
        faults.set(Fault.of(Fault.Kind.SLOW, 2));
        faults.set(Fault.of(Fault.Kind.SLOW, 3));
        faults.set(Fault.of(Fault.Kind.HANG));
        faults.next(3, Fault.of(Fault.Kind.REFUSE));

        assertThat(faults.active()).containsExactly("slow:3", "hang", "refuse");
        assertThat(faults.standing(Fault.Kind.HANG)).isNotNull();
        faults.clear(Fault.Kind.HANG);
        assertThat(faults.standing(Fault.Kind.HANG)).isNull();
        assertThat(faults.take(Fault.Scope.REQUEST)).isEqualTo(Fault.of(Fault.Kind.SLOW, 3));
        faults.clear();
        assertThat(faults.active()).isEmpty();
        assertThat(changes).hasValue(6);
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0.0",
        "40, 40.0",
        "0.00025, 0.00025",
        "0.0391, 0.0391",
        "999999, 999999.0",
        "1000000, 1e+06",
        "2770131, 2.770131e+06",
        "1795348327.67, 1.79534832767e+09"
    })
    void writesNumbersAsPythonsClientDoes(double value, String text) {
        assertThat(Exposition.number(value)).isEqualTo(text);
    }
}
