package io.penstock.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.config.PenstockConfig.Policy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** The ring: the newest are there, nothing else is, and nobody waits for anybody. */
class ReceiptsTest {

    private final AtomicLong now = new AtomicLong(1_000);
    private final Receipts receipts = new Receipts(4, now::get);

    @Test
    void theNewestAreKeptAndTheOldestForgotten() {
        for (int i = 0; i < 6; i++) {
            receipts.write(receipts.place(), receipt("r" + i, 0));
        }

        assertThat(receipts.newest(10)).extracting(Receipt::requestId).containsExactly("r5", "r4", "r3", "r2");
        assertThat(receipts.newest(2)).extracting(Receipt::requestId).containsExactly("r5", "r4");
        assertThat(receipts.find("r1")).isEmpty();
        assertThat(receipts.find("r2")).hasSize(1);
    }

    @Test
    void aLaterWordOfARequestTakesThePlaceOfItsEarlierOne() {
        long place = receipts.place();
        receipts.write(place, receipt("r", 0));
        receipts.write(receipts.place(), receipt("other", 0));
        receipts.write(place, receipt("r", 200));

        assertThat(receipts.find("r")).extracting(Receipt::status).containsExactly(200);
        assertThat(receipts.newest(10)).hasSize(2);
    }

    @Test
    void whoHasLostItsPlaceDoesNotPushOutANewerOne() {
        long old = receipts.place();
        receipts.write(old, receipt("old", 0));
        for (int i = 0; i < 4; i++) {
            receipts.write(receipts.place(), receipt("r" + i, 0));
        }
        receipts.write(old, receipt("old", 200));

        assertThat(receipts.find("old")).isEmpty();
        assertThat(receipts.newest(10)).extracting(Receipt::requestId).containsExactly("r3", "r2", "r1", "r0");
    }

    @Test
    void whoHasAPlaceAndSaidNothingIsPassedOver() {
        receipts.write(receipts.place(), receipt("a", 0));
        receipts.place();

        assertThat(receipts.newest(10)).extracting(Receipt::requestId).containsExactly("a");
        assertThat(new Receipts(4, now::get).newest(10)).isEmpty();
    }

    @Test
    void requestsWithTheSameIdAreToldApartByAge() {
        receipts.write(receipts.place(), receipt("same", 200));
        receipts.write(receipts.place(), receipt("same", 500));

        assertThat(receipts.find("same")).extracting(Receipt::status).containsExactly(500, 200);
        now.set(5_000);
        assertThat(receipts.ageNanos(receipt("x", 0))).isEqualTo(4_900);
    }

    @Test
    void writersAndReadersDoNotDisturbEachOther() throws Exception {
        Receipts shared = new Receipts(64, now::get);
        List<Thread> threads = new ArrayList<>();
        for (int t = 0; t < 4; t++) {
            String name = "t" + t + "-";
            threads.add(new Thread(() -> {
                for (int i = 0; i < 20_000; i++) {
                    long place = shared.place();
                    shared.write(place, receipt(name + i, 0));
                    shared.write(place, receipt(name + i, 200));
                }
            }));
        }
        threads.forEach(Thread::start);
        for (int i = 0; i < 200; i++) {
            assertThat(shared.newest(64)).hasSizeLessThanOrEqualTo(64);
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(shared.newest(100))
                .hasSize(64)
                .allSatisfy(each -> assertThat(each.status()).isEqualTo(200));
    }

    private static Receipt receipt(String id, int status) {
        return new Receipt(
                id,
                100,
                "/r",
                null,
                false,
                "",
                0,
                0,
                Policy.LEAST_IN_FLIGHT,
                List.of(),
                0,
                List.of(),
                0,
                -1,
                -1,
                null,
                status);
    }
}
