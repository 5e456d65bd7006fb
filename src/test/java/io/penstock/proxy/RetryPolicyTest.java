package io.penstock.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.config.PenstockConfig;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RetryPolicyTest {

    private static final long SECOND = 1_000_000_000;

    private final AtomicLong clock = new AtomicLong(-7_777_777_777L);
    private double chance = 0.5;

    private RetryPolicy policy(int max, int percent, int floor) {
        return new RetryPolicy(new PenstockConfig.Retry(max, percent, floor), clock::get, () -> chance);
    }

    private static int takeAll(RetryPolicy policy) {
        int taken = 0;
        while (policy.take()) {
            taken++;
        }
        return taken;
    }

    private static void requests(RetryPolicy policy, int count) {
        for (int i = 0; i < count; i++) {
            policy.requestBegan();
        }
    }

    @Test
    void oneRequestIsRetriedSoOften() {
        RetryPolicy policy = policy(2, 20, 10);

        assertThat(policy.permits(0)).isTrue();
        assertThat(policy.permits(1)).isTrue();
        assertThat(policy.permits(2)).isFalse();
        assertThat(policy(0, 20, 10).permits(0)).isFalse();
    }

    @ParameterizedTest
    @CsvSource({"0, 10", "49, 10", "50, 10", "55, 11", "99, 19", "100, 20", "1000, 200"})
    void budgetIsAShareOfTheRequestsButNeverLessThanTheFloor(int requests, int retries) {
        RetryPolicy policy = policy(2, 20, 10);
        requests(policy, requests);

        assertThat(takeAll(policy)).isEqualTo(retries);
    }

    @Test
    void withoutShareAndFloorThereIsNone() {
        RetryPolicy policy = policy(2, 0, 0);
        requests(policy, 1000);

        assertThat(policy.take()).isFalse();
    }

    @Test
    void requestsAndRetriesCountForTenSeconds() {
        RetryPolicy policy = policy(2, 50, 1);
        requests(policy, 10);
        assertThat(takeAll(policy)).isEqualTo(5);

        clock.addAndGet(10 * SECOND - 1);
        assertThat(policy.take()).isFalse();
        requests(policy, 4);
        assertThat(takeAll(policy)).isEqualTo(2);

        // The first ones are too old now: four requests and two retries are left.
        clock.addAndGet(1);
        assertThat(policy.take()).isFalse();
        clock.addAndGet(9 * SECOND);
        assertThat(takeAll(policy)).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(longs = {10, 11, 20, 25, 1_000_000})
    void oldCountsAreForgottenAfterAnyPause(long seconds) {
        RetryPolicy policy = policy(2, 100, 1);
        requests(policy, 100);
        takeAll(policy);

        clock.addAndGet(seconds * SECOND);

        assertThat(takeAll(policy)).isEqualTo(1);
    }

    @Test
    void countsAreSpreadOverTheWindow() {
        RetryPolicy policy = policy(2, 100, 0);
        for (int second = 0; second < 25; second++) {
            policy.requestBegan();
            clock.addAndGet(SECOND);
        }

        // Of the last ten seconds, the present one has none yet.
        assertThat(takeAll(policy)).isEqualTo(9);
    }

    @Test
    void otherLimitsHoldAtOnceAndWhatWasCountedStays() {
        RetryPolicy policy = policy(2, 20, 0);
        requests(policy, 100);
        assertThat(takeAll(policy)).isEqualTo(20);

        policy.reconfigure(new PenstockConfig.Retry(1, 30, 0));

        assertThat(policy.permits(1)).isFalse();
        assertThat(takeAll(policy)).isEqualTo(10);
    }

    @ParameterizedTest
    @CsvSource({"0, 25", "1, 100", "2, 400", "3, 1000", "4, 1000", "40, 1000"})
    void pauseIsAnyTimeUpToALimitThatGrows(int retry, long millis) {
        RetryPolicy policy = policy(50, 20, 10);

        assertThat(policy.backOff(retry)).isEqualTo(Duration.ofNanos(millis * 500_000));
        chance = 0;
        assertThat(policy.backOff(retry)).isZero();
        chance = 1;
        assertThat(policy.backOff(retry)).isEqualTo(Duration.ofMillis(millis));
    }
}
