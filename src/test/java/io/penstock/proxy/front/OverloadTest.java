package io.penstock.proxy.front;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.config.PenstockConfig.Policy;
import io.penstock.proxy.FailureKind;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** With too much to do for all replicas together, some are refused, in time and with an idea of when to come back. */
@SuppressWarnings("NullAway.Init") // Opened before each test.
class OverloadTest {

    private static final String EVENT = "data: {\"n\":1}\n\n";

    private ScriptedReplica replica;
    private final CountDownLatch go = new CountDownLatch(1);

    @BeforeEach
    void open() throws Exception {
        replica = ScriptedReplica.start();
    }

    @AfterEach
    void close() throws Exception {
        go.countDown();
        replica.close();
    }

    @ParameterizedTest
    @EnumSource(FailoverTest.Limit.class)
    void whoeverWaitsInALaneForTooLongGets429(FailoverTest.Limit limit) throws Exception {
        replica.always(Script.until(go).then(Script.stream(EVENT, Script.DONE)));
        Duration configured = limit == FailoverTest.Limit.CONFIGURED ? Duration.ofMillis(200) : Duration.ofSeconds(60);
        try (Stage stage = Setting.with(replica)
                        .policy(Policy.PREDICTED_DELAY)
                        .waiting(10, configured)
                        .open();
                Client first = Client.to(stage);
                Client second = Client.to(stage);
                Client third = Client.to(stage)) {
            first.send(longChat());
            second.send(longChat());
            Eventually.that("two are read", () -> stage.replica("a").inFlight() == 2);

            long start = System.nanoTime();
            third.send(limit == FailoverTest.Limit.CLIENTS ? longChat("X-Stainless-Timeout: 0.2") : longChat());
            Client.Reply reply = third.reply();

            assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThanOrEqualTo(Duration.ofMillis(190));
            assertThat(reply.status()).isEqualTo(429);
            int seconds = Integer.parseInt(reply.header("retry-after"));
            assertThat(seconds).isBetween(1, 60);
            assertThat(reply.body())
                    .contains("\"code\":\"overloaded\"")
                    .contains("no replica had room while this request could wait; try again in " + seconds + " s");
            assertThat(stage.report(0).failure()).isEqualTo(FailureKind.QUEUE_DEADLINE);
            assertThat(stage.waiting()).isZero();
            go.countDown();
            assertThat(first.reply().status()).isEqualTo(200);
            assertThat(second.reply().status()).isEqualTo(200);
        }
    }

    @Test
    void oneMoreThanKeepsTokensFastGets429() throws Exception {
        replica.always(call -> {
            call.send(Script.STREAM_HEAD);
            while (go.getCount() > 0) {
                call.chunk(EVENT);
                Thread.sleep(20);
            }
            Script.END.play(call);
        });
        try (Stage stage = Setting.with(replica)
                        .policy(Policy.PREDICTED_DELAY)
                        .target(Duration.ofMillis(10))
                        .open();
                Client first = Client.to(stage);
                Client second = Client.to(stage)) {
            first.send(longChat()).head();
            for (int i = 0; i < 4; i++) {
                assertThat(first.chunk()).isEqualTo(EVENT);
            }

            Client.Reply reply = second.send(longChat()).reply();

            assertThat(reply.status()).isEqualTo(429);
            String seconds = reply.header("retry-after");
            assertThat(reply.body())
                    .contains("\"code\":\"overloaded\"")
                    .contains("one more would make everybody's tokens too slow; try again in " + seconds + " s");
            assertThat(stage.report(0).failure()).isEqualTo(FailureKind.ABOVE_TARGET);
            go.countDown();
            stage.report(1);
            assertThat(second.send(longChat()).reply().status()).isEqualTo(200);
        }
    }

    /** Ten thousand tokens, of which a ninth takes longer to read than a replica may have before it. */
    private static String longChat(String... headers) {
        String body = "{\"model\":\"m\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\""
                + "word ".repeat(8_000) + "\"}]}";
        return Client.post("/v1/chat/completions", body, headers);
    }
}
