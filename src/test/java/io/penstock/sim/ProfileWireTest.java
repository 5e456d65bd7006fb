package io.penstock.sim;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import io.vertx.junit5.VertxExtension;
import java.io.IOException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A simulator with a profile, over its sockets. */
@ExtendWith(VertxExtension.class)
class ProfileWireTest {

    private static final SimOptions OPTIONS =
            SimOptions.standard(System::nanoTime, System::currentTimeMillis).withProfile(EngineProfile.H100_8B, 10);
    private static final String LABELS = "{engine=\"0\",model_name=\"demo\"} ";
    // 4096 bytes.
    private static final String PROMPT = "word ".repeat(819) + "x";

    private Simulator simulator;

    @BeforeEach
    void start(Vertx vertx) {
        simulator =
                Simulator.start(vertx, OPTIONS.withPromptTokensDetails(true)).await();
    }

    @Test
    void answersAndMetricsTellWhatWasCached() throws IOException {
        JsonObject first = post("/v1/completions", body(false)).getJsonObject("usage");
        JsonObject second = post("/v1/completions", body(false)).getJsonObject("usage");
        JsonObject third = post("/v1/responses", "{\"input\":\"" + PROMPT + "\",\"max_output_tokens\":3}")
                .getJsonObject("usage");

        assertThat(first.getInteger("prompt_tokens")).isEqualTo(1_024);
        assertThat(cached(first)).isZero();
        assertThat(cached(second)).isEqualTo(1_008);
        assertThat(third.getJsonObject("input_tokens_details").getInteger("cached_tokens"))
                .isEqualTo(1_008);
        assertThat(metrics())
                .contains("vllm:prefix_cache_queries_total" + LABELS + "3072.0\n")
                .contains("vllm:prefix_cache_hits_total" + LABELS + "2016.0\n")
                .contains("vllm:prompt_tokens_total" + LABELS + "3072.0\n")
                .contains("vllm:prompt_tokens_cached_total" + LABELS + "2016.0\n")
                .contains("vllm:generation_tokens_total" + LABELS + "9.0\n")
                .contains("block_size=\"16\"")
                .contains("num_gpu_blocks=\"28000\"")
                .contains("vllm:kv_cache_usage_perc" + LABELS + "0.0\n");
    }

    @Test
    void streamsTellItInTheirUsageEvent() throws IOException {
        post("/v1/completions", body(false));
        try (RawClient client = RawClient.to(simulator)) {
            String wire = client.send(RawClient.post("/v1/completions", body(true)))
                    .reply()
                    .body();
            assertThat(wire).contains("\"prompt_tokens_details\":{\"cached_tokens\":1008,");
        }
    }

    @Test
    void anAnswerSaysNothingOfItUnlessToldTo(Vertx vertx) throws IOException {
        simulator = Simulator.start(vertx, OPTIONS).await();
        assertThat(post("/v1/completions", body(false)).getJsonObject("usage").getValue("prompt_tokens_details"))
                .isNull();
    }

    @Test
    void gaugesShowTheBatchAndAnAbortEmptiesIt() throws IOException {
        try (RawClient client = RawClient.to(simulator)) {
            client.send(
                    RawClient.post("/v1/completions", body(true).replace("\"max_tokens\":3", "\"max_tokens\":9000")));
            client.until("data: ");
            assertThat(metrics())
                    .contains("vllm:num_requests_running" + LABELS + "1.0\n")
                    .doesNotContain("vllm:kv_cache_usage_perc" + LABELS + "0.0\n");
            client.reset();
        }
        FaultTest.until(() -> {
            try {
                return metrics().contains("vllm:num_requests_running" + LABELS + "0.0\n");
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        });
    }

    @Test
    void contextIsAsLongAsTheMachineHolds() throws IOException {
        try (RawClient client = RawClient.to(simulator)) {
            assertThat(client.send(RawClient.get("/v1/models")).reply().body()).contains("\"max_model_len\":131072");
        }
    }

    private static int cached(JsonObject usage) {
        return usage.getJsonObject("prompt_tokens_details").getInteger("cached_tokens");
    }

    private static String body(boolean streams) {
        return "{\"prompt\":\"" + PROMPT + "\",\"max_tokens\":3,\"stream\":" + streams
                + (streams ? ",\"stream_options\":{\"include_usage\":true}" : "") + "}";
    }

    private JsonObject post(String path, String body) throws IOException {
        try (RawClient client = RawClient.to(simulator)) {
            return new JsonObject(
                    client.send(RawClient.post(path, body)).reply().body());
        }
    }

    private String metrics() throws IOException {
        try (RawClient client = RawClient.to(simulator)) {
            return client.send(RawClient.get("/metrics")).reply().body();
        }
    }
}
