package io.penstock.compose;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Recipe failure 8: a container that is recreated has a new address, and traffic goes to the old one. */
@Tag("compose")
class Failure08RecreatedContainerComposeTest {

    @Test
    void trafficFollowsTheContainerToItsNewAddressAndNoRequestIsLostMeanwhile() throws Exception {
        try (Stack stack = new Stack()) {
            stack.configure("http://" + stack.replica(1) + ":8000");
            stack.scale(1);
            assertThat(stack.ask().statusCode()).isEqualTo(200);
            String before = stack.address(1);

            stack.docker("rm", "-f", stack.replica(1));
            // Takes the address, and refuses connections to port 8000: a proxy that stays there gets no answer.
            stack.compose("run", "-d", "--no-deps", "sim", "sim", "--port", "8100")
                    .text();
            CompletableFuture<HttpResponse<String>> waiting = stack.askLater();
            stack.scale(1);

            stack.until(
                    "the new address is in rotation", Duration.ofSeconds(3), () -> stack.isUsable(stack.replica(1)));
            assertThat(stack.address(1)).isNotEqualTo(before);
            assertThat(waiting.get(10, TimeUnit.SECONDS).statusCode()).isEqualTo(200);
            assertThat(stack.upstream(stack.replica(1)).getJsonArray("addresses"))
                    .containsExactly(stack.address(1));
            assertThat(stack.ask().statusCode()).isEqualTo(200);
        }
    }
}
