package io.penstock.compose;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Recipe failure 15: a host that swallows packets costs every caller 60 s. */
@Tag("compose")
class Failure15BlackHoleComposeTest {

    @Test
    void hostThatFallsSilentCostsSecondsOnceAndThenNothing() throws Exception {
        try (Stack stack = new Stack()) {
            stack.configure("{dns: sim, port: 8000}");
            stack.scale(2);
            String lively = stack.address(1);
            String silent = stack.address(2);
            // By address: the name of a container vanishes with its network, and Penstock would follow that.
            stack.configure("http://" + lively + ":8000", "http://" + silent + ":8000");
            stack.until("both are in rotation", () -> stack.isUsable(lively) && stack.isUsable(silent));
            for (int i = 0; i < 4; i++) {
                assertThat(stack.ask().statusCode()).isEqualTo(200);
            }

            stack.docker("network", "disconnect", stack.network(), stack.replica(2));
            Duration longest = Duration.ZERO;
            for (int i = 0; i < 6; i++) {
                Duration took = timedQuestion(stack);
                longest = took.compareTo(longest) > 0 ? took : longest;
            }

            // Two seconds for a new connection. A request on an open one waits for three probes, as it cannot be told
            // from one that is only slow.
            assertThat(longest).isLessThan(Duration.ofSeconds(15));
            stack.until("it is out of rotation", Duration.ofSeconds(15), () -> !stack.isUsable(silent));
            assertThat(connectionTo(stack, silent))
                    .as("a connection attempt is swallowed")
                    .isEqualTo(124);
            for (int i = 0; i < 6; i++) {
                assertThat(timedQuestion(stack)).isLessThan(Duration.ofSeconds(1));
            }
        }
    }

    private static Duration timedQuestion(Stack stack) throws Exception {
        long start = System.nanoTime();
        assertThat(stack.ask().statusCode()).isEqualTo(200);
        return Duration.ofNanos(System.nanoTime() - start);
    }

    /** Tried from Penstock's container for a second: 0 open, 1 refused, 124 neither. */
    private static int connectionTo(Stack stack, String address) throws Exception {
        String attempt = "exec 3<>/dev/tcp/" + address + "/8000";
        return stack.compose("exec", "-T", "penstock-sim", "timeout", "1", "bash", "-c", attempt)
                .exit();
    }
}
