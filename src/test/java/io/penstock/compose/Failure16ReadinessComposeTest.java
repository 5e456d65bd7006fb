package io.penstock.compose;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Recipe failure 16: whether it is ready is told by reading logs. */
@Tag("compose")
class Failure16ReadinessComposeTest {

    @Test
    void probeStatusAndComposeItselfSayWhetherARequestWouldBeServed() throws Exception {
        try (Stack stack = new Stack()) {
            stack.configure("{dns: sim, port: 8000}");
            stack.compose("up", "-d", "--no-build", "penstock-sim").text();
            stack.until("the operator's port answers", () -> isLive(stack));

            assertThat(stack.operatorSays("/readyz")).isEqualTo(503);
            Commands.Result status = stack.status();
            assertThat(status.exit()).as(status.output()).isNotZero();
            assertThat(stack.compose("up", "-d", "--no-build", "--wait", "--wait-timeout", "5", "penstock-sim")
                            .exit())
                    .isNotZero();
            assertThat(health(stack)).isNotEqualTo("healthy");

            stack.scale(1);

            assertThat(health(stack)).isEqualTo("healthy");
            assertThat(stack.operatorSays("/readyz")).isEqualTo(200);
            assertThat(stack.status().text()).contains("ready");
            assertThat(stack.ask().statusCode()).isEqualTo(200);

            stack.docker("rm", "-f", stack.replica(1));
            stack.until("it is told that nothing is left", () -> health(stack).equals("unhealthy"));
            assertThat(stack.operatorSays("/readyz")).isEqualTo(503);
        }
    }

    private static boolean isLive(Stack stack) throws InterruptedException {
        try {
            return stack.operatorSays("/livez") == 200;
        } catch (java.io.IOException e) {
            return false; // Not yet.
        }
    }

    private static String health(Stack stack) throws java.io.IOException, InterruptedException {
        return stack.docker("inspect", "-f", "{{.State.Health.Status}}", stack.name() + "-penstock-sim-1");
    }
}
