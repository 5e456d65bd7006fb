package io.penstock;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** The whole program, wired as in production, for one short day. */
class RehearseCommandTest {

    @Test
    void everyRequestOfTheRehearsalIsAnswered() {
        assertThat(Main.commandLine().execute("rehearse", "--requests", "20")).isZero();
    }
}
