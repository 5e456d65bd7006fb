package io.penstock.admission;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class FairOrderTest {

    private final FairOrder order = new FairOrder();

    @Test
    void whoWasServedLessGoesFirst() {
        order.arrives("a");
        order.arrives("a");
        order.arrives("b");
        order.sent("a", 100);

        assertThat(order.served("b")).isLessThan(order.served("a"));
    }

    @Test
    void whoComesBackStartsWhereTheOthersAre() {
        order.arrives("early");
        order.sent("early", 1);
        for (int i = 0; i < 10; i++) {
            order.arrives("busy");
            order.sent("busy", 100);
        }
        order.arrives("early");

        assertThat(order.served("early")).isEqualTo(900);
        assertThat(order.served("nobody knows")).isEqualTo(900);
    }

    @Test
    void whoWaitsOnKeepsItsTurn() {
        order.arrives("patient");
        order.arrives("busy");
        order.sent("busy", 100);
        order.arrives("busy");
        order.sent("busy", 100);
        order.arrives("patient");

        assertThat(order.served("patient")).isZero();
        order.leaves("patient");
        order.leaves("patient");
        order.leaves("a stranger");
    }

    @Test
    void callersThatDoNotWaitAreForgottenBeforeTheyAreTooMany() {
        order.arrives("waits");
        for (int i = 0; i < 10_000; i++) {
            order.arrives("caller" + i);
            order.sent("caller" + i, 10);
        }

        assertThat(order.callers()).isLessThan(5_000);
        assertThat(order.served("waits")).isZero();
    }
}
