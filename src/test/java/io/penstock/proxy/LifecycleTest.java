package io.penstock.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.proxy.Lifecycle.Phase;
import org.junit.jupiter.api.Test;

class LifecycleTest {

    @Test
    void clientsAreSentElsewhereFromTheFirstStepDownOn() {
        Lifecycle lifecycle = new Lifecycle();
        assertThat(lifecycle.phase()).isEqualTo(Phase.SERVING);
        assertThat(lifecycle.leaving()).isFalse();

        lifecycle.enter(Phase.LAME_DUCK);
        assertThat(lifecycle.phase()).isEqualTo(Phase.LAME_DUCK);
        assertThat(lifecycle.leaving()).isTrue();

        lifecycle.enter(Phase.CLOSING);
        assertThat(lifecycle.leaving()).isTrue();
    }
}
