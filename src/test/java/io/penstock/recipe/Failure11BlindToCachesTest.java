package io.penstock.recipe;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.config.PenstockConfig.Policy;
import io.penstock.proxy.ExchangeReport;
import io.penstock.proxy.front.Client;
import io.penstock.proxy.front.Setting;
import io.penstock.proxy.front.Stage;
import io.penstock.sim.EngineProfile;
import io.penstock.sim.SimOptions;
import io.penstock.sim.Simulator;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Recipe failure 11: blind to queue, cache and prompt size. */
class Failure11BlindToCachesTest {

    private static final int DOCUMENTS = 6;
    private static final int QUESTIONS = 4;

    private final Vertx vertx = Vertx.vertx();

    @AfterEach
    void close() {
        await(vertx.close());
    }

    /** Two replicas that read 1,000 tokens in a quarter of a second, and remember what they have read. */
    @Test
    void questionsOnOneDocumentGoWhereItHasBeenRead() throws Exception {
        assertThat(documentsReadTwice(Policy.PREDICTED_DELAY)).isZero();
        // The same questions, chosen as nginx would: the test can see the difference.
        assertThat(documentsReadTwice(Policy.LEAST_IN_FLIGHT)).isPositive();
    }

    private int documentsReadTwice(Policy policy) throws Exception {
        Simulator one = simulator();
        Simulator other = simulator();
        try (Stage stage = Setting.with()
                        .replica("127.0.0.1", one.port(), null, 0)
                        .replica("127.0.0.1", other.port(), null, 0)
                        .policy(policy)
                        .open();
                Client client = Client.to(stage)) {
            List<Integer> asked = new ArrayList<>();
            for (int question = 0; question < QUESTIONS; question++) {
                // Another order each time, so that taking turns does not look like remembering.
                for (int i = 0; i < DOCUMENTS; i++) {
                    int document = (i * (question % 2 == 0 ? 1 : 5) + question) % DOCUMENTS;
                    asked.add(document);
                    assertThat(client.send(ask(document, question)).reply().status())
                            .isEqualTo(200);
                }
            }
            stage.settle();
            return readTwice(asked, stage.reports());
        }
    }

    private static int readTwice(List<Integer> asked, List<ExchangeReport> reports) {
        List<Set<String>> readers = new ArrayList<>();
        for (int i = 0; i < DOCUMENTS; i++) {
            readers.add(new HashSet<>());
        }
        for (int i = 0; i < asked.size(); i++) {
            readers.get(asked.get(i)).add(String.valueOf(reports.get(i).replica()));
        }
        assertThat(readers).noneMatch(Set::isEmpty);
        return (int) readers.stream().filter(each -> each.size() > 1).count();
    }

    private static String ask(int document, int question) {
        String text = ("document " + document + " says ").repeat(230);
        return Client.post(
                "/v1/chat/completions",
                "{\"model\":\"demo\",\"stream\":true,\"max_tokens\":2,\"messages\":[{\"role\":\"system\",\"content\":\""
                        + text + "\"},{\"role\":\"user\",\"content\":\"question " + question + "\"}]}");
    }

    private Simulator simulator() {
        SimOptions options = SimOptions.standard(System::nanoTime, System::currentTimeMillis);
        return await(Simulator.start(vertx, options.withProfile(EngineProfile.TINY_CPU, 1)));
    }

    private static <T> T await(Future<T> future) {
        return future.toCompletionStage()
                .toCompletableFuture()
                .orTimeout(10, TimeUnit.SECONDS)
                .join();
    }
}
