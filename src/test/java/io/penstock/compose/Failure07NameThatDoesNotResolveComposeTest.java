package io.penstock.compose;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Recipe failure 7: the proxy does not start if one name does not resolve. */
@Tag("compose")
class Failure07NameThatDoesNotResolveComposeTest {

    @Test
    void startsServesWithTheOthersAndTakesTheContainerInWhenItAppears() throws Exception {
        try (Stack stack = new Stack()) {
            stack.configure("http://" + stack.replica(1) + ":8000", "http://" + stack.replica(2) + ":8000");

            stack.scale(1);

            for (int i = 0; i < 4; i++) {
                assertThat(stack.ask().statusCode()).isEqualTo(200);
            }
            assertThat(stack.isUsable(stack.replica(2))).isFalse();
            assertThat(stack.status().output()).contains(stack.replica(2));

            stack.scale(2);

            // Names are looked up every 2 s; the container has been healthy for a moment already.
            stack.until("the late one is in rotation", Duration.ofSeconds(5), () -> stack.isUsable(stack.replica(2)));
            for (int i = 0; i < 4; i++) {
                assertThat(stack.ask().statusCode()).isEqualTo(200);
            }
            assertThat(stack.upstream(stack.replica(2)).getLong("completed")).isPositive();
        }
    }
}
