package io.penstock.sim;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Vertx;
import io.vertx.junit5.VertxExtension;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The simulator against recorded answers of a real vLLM to the same bytes. */
@ExtendWith(VertxExtension.class)
class WireTest {

    private static final SimOptions QUICK = SimOptions.standard(System::nanoTime, System::currentTimeMillis)
            .withPace(Duration.ofMillis(2), Duration.ofMillis(1))
            .withEmbeddings(false);

    @ParameterizedTest
    @ValueSource(
            strings = {
                "chat",
                "chat-stream",
                "chat-stream-usage",
                "chat-stream-usage-continuous",
                "completions",
                "completions-stream",
                "responses",
                "responses-stream",
                "messages",
                "messages-stream",
                "invocations",
                "no-model-field",
                "models",
                "get-with-origin",
                "health",
                "ping",
                "version",
                "load",
                "kv-event-sources",
                "tokenize",
                "tokenize-chat",
                "detokenize",
                "messages-count-tokens",
                "head-health",
                "http10",
                "http10-stream",
                "connection-close",
                "chunked-request",
                "trailing-slash",
                "options-chat",
                "embeddings-on-generative",
                "chat-gzip-request",
                "responses-get",
                "responses-get-unknown",
                "responses-cancel-unknown",
                "responses-previous-id",
                "responses-error",
                "messages-error",
                "error-bad-temperature",
                "error-delete",
                "error-empty-body",
                "error-malformed-json",
                "error-max-tokens-too-big",
                "error-missing-messages",
                "error-unknown-model",
                "error-unknown-model-stream",
                "error-unknown-route",
                "error-wrong-content-type",
                "error-wrong-method",
                "error-wrong-method-2",
                "h2c-prior-knowledge",
                "h2c-upgrade",
                "odd-absolute",
                "odd-bare-LF",
                "odd-cl-and-te",
                "odd-dbl",
                "odd-dots",
                "odd-garbage",
                "odd-nohost",
                "odd-pct",
                "odd-space-before-colon",
                "odd-te-xchunked",
                "odd-two-cl"
            })
    void answersAsVllmDoes(String name, Vertx vertx) throws IOException {
        Capture capture = Capture.read(name + ".http");

        String answer = answerTo(capture, Simulator.start(vertx, QUICK).await());

        assertThat(Capture.shape(answer)).isEqualTo(Capture.shape(capture.response()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"error-401", "error-401-bad-key"})
    void asksForTheKeyAsVllmDoes(String name, Vertx vertx) throws IOException {
        Capture capture = Capture.read(name + ".http");

        String answer = answerTo(
                capture, Simulator.start(vertx, QUICK.withApiKey("test-key")).await());

        assertThat(Capture.shape(answer)).isEqualTo(Capture.shape(capture.response()));
    }

    @Test
    void asksToContinueBeforeTheBodyComes(Vertx vertx) throws IOException {
        Capture capture = Capture.read("expect-100.http");
        int body = capture.request().indexOf("\r\n\r\n") + 4;
        try (RawClient client = RawClient.to(Simulator.start(vertx, QUICK).await())) {
            client.send(capture.request().substring(0, body));
            String first = client.head();
            client.send(capture.request().substring(body));

            RawClient.Reply reply = client.reply();

            assertThat(Capture.shape(first + reply.head() + reply.body())).isEqualTo(Capture.shape(capture.response()));
        }
    }

    @Test
    void answersPipelinedRequestsInOrder(Vertx vertx) throws IOException {
        Capture capture = Capture.read("odd-pipelined2.http");
        try (RawClient client = RawClient.to(Simulator.start(vertx, QUICK).await())) {
            client.send(capture.request());

            String both = client.reply().head() + text(client.reply());

            assertThat(Capture.shape(both)).isEqualTo(Capture.shape(capture.response()));
        }
    }

    @Test
    void refusesPromptsThatAreTooLong(Vertx vertx) throws IOException {
        Capture capture = Capture.read("error-prompt-too-long.http");
        String prompt = "hello world ".repeat(1_500);
        try (RawClient client = RawClient.to(Simulator.start(vertx, QUICK).await())) {
            client.send(RawClient.post(
                    "/v1/chat/completions", "{\"messages\":[{\"role\":\"user\",\"content\":\"" + prompt + "\"}]}"));

            assertThat(Capture.shape(text(client.reply()))).isEqualTo(Capture.shape(capture.response()));
        }
    }

    @Test
    void metricsCarryVllmsNamesAndLabels(Vertx vertx) throws IOException {
        try (RawClient client = RawClient.to(Simulator.start(vertx, QUICK).await())) {
            client.send(RawClient.post("/v1/completions", "{\"prompt\":\"Once\",\"max_tokens\":3}"));
            client.reply();
            String real = Capture.read("metrics-busy.txt").response();

            RawClient.Reply metrics = client.send(RawClient.get("/metrics")).reply();

            assertThat(metrics.head()).containsSubsequence("content-length: ", "content-type: text/plain", "vary");
            Matcher series = Pattern.compile("(?m)^(vllm:\\w+)(\\{[^}]*})? ").matcher(metrics.body());
            while (series.find()) {
                if (!series.group(1).endsWith("_bucket") && !series.group(1).endsWith("cache_config_info")) {
                    assertThat(real).contains(series.group());
                }
            }
            assertThat(metrics.body())
                    .contains("vllm:generation_tokens_total{engine=\"0\",model_name=\"demo\"} 3.0\n")
                    .contains(
                            "vllm:request_success_total{engine=\"0\",finished_reason=\"length\",model_name=\"demo\"} 1.0")
                    .contains("vllm:num_requests_running{engine=\"0\",model_name=\"demo\"} 0.0\n")
                    .contains("http_requests_total{handler=\"/v1/completions\",method=\"POST\",status=\"2xx\"} 1.0\n");
        }
    }

    private static String answerTo(Capture capture, Simulator simulator) throws IOException {
        try (RawClient client = RawClient.to(simulator)) {
            client.send(capture.request().getBytes(StandardCharsets.ISO_8859_1));
            if (capture.endsConnection()) {
                return new String(client.rest(), StandardCharsets.ISO_8859_1);
            }
            String head = client.head();
            return head
                    + (head.contains("transfer-encoding: chunked")
                            ? client.until("\r\n0\r\n\r\n")
                            : body(client, head, capture));
        }
    }

    private static String body(RawClient client, String head, Capture capture) throws IOException {
        boolean bodyless = capture.request().startsWith("HEAD ");
        int length = Integer.parseInt(head.replaceAll("(?s).*content-length: (\\d+).*", "$1"));
        return bodyless ? "" : client.bytes(length);
    }

    private static String text(RawClient.Reply reply) {
        return reply.head() + reply.body();
    }
}
