package io.penstock.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.proxy.ApiTable.Dialect;
import io.penstock.proxy.ApiTable.Kind;
import io.penstock.proxy.ApiTable.Match;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ApiTableTest {

    /** Every route that a vLLM has, and what becomes of it here. One that is missing here is a decision to take. */
    private static final String DECISIONS = """
            POST /v1/chat/completions                INFERENCE
            POST /v1/chat/completions/batch          INFERENCE
            POST /v1/chat/completions/render         INFERENCE
            POST /v1/chat/completions/derender       INFERENCE
            POST /v1/completions                     INFERENCE
            POST /v1/completions/render              INFERENCE
            POST /v1/completions/derender            INFERENCE
            POST /v1/responses                       INFERENCE
            POST /v1/responses/render                INFERENCE
            POST /v1/messages                        INFERENCE
            POST /v1/messages/count_tokens           INFERENCE
            POST /v1/messages/render                 INFERENCE
            POST /v1/systemone                       INFERENCE
            POST /inference/v1/generate              INFERENCE
            POST /generative_scoring                 INFERENCE
            POST /invocations                        INFERENCE
            POST /tokenize                           INFERENCE
            POST /detokenize                         INFERENCE
            GET  /v1/responses/{response_id}         PLAIN
            POST /v1/responses/{response_id}/cancel  PLAIN
            GET  /v1/models                          MODELS
            GET  /health                             HEALTH
            GET  /ping                               HEALTH
            POST /ping                               HEALTH
            GET  /version                            VERSION
            GET  /load                               LOAD

            GET  /docs                               NOT_FOUND
            HEAD /docs                               NOT_FOUND
            GET  /docs/oauth2-redirect               NOT_FOUND
            HEAD /docs/oauth2-redirect               NOT_FOUND
            GET  /redoc                              NOT_FOUND
            HEAD /redoc                              NOT_FOUND
            GET  /openapi.json                       NOT_FOUND
            HEAD /openapi.json                       NOT_FOUND
            GET  /metrics                            NOT_FOUND

            POST /sleep                              CONTROL_ENDPOINT
            POST /wake_up                            CONTROL_ENDPOINT
            GET  /is_sleeping                        CONTROL_ENDPOINT
            POST /release_kv_cache_memory            CONTROL_ENDPOINT
            POST /reset_prefix_cache                 CONTROL_ENDPOINT
            POST /reset_mm_cache                     CONTROL_ENDPOINT
            POST /reset_encoder_cache                CONTROL_ENDPOINT
            POST /pause                              CONTROL_ENDPOINT
            POST /resume                             CONTROL_ENDPOINT
            GET  /is_paused                          CONTROL_ENDPOINT
            POST /abort_requests                     CONTROL_ENDPOINT
            POST /inference/v1/abort_requests        CONTROL_ENDPOINT
            POST /scale_elastic_ep                   CONTROL_ENDPOINT
            POST /is_scaling_elastic_ep              CONTROL_ENDPOINT
            POST /init_weight_transfer_engine        CONTROL_ENDPOINT
            POST /shutdown_weight_transfer_engine    CONTROL_ENDPOINT
            POST /start_weight_update                CONTROL_ENDPOINT
            POST /start_draft_weight_update          CONTROL_ENDPOINT
            POST /update_weights                     CONTROL_ENDPOINT
            POST /finish_weight_update               CONTROL_ENDPOINT
            POST /update_weight_version              CONTROL_ENDPOINT
            GET  /weight_info                        CONTROL_ENDPOINT
            POST /weight_checker                     CONTROL_ENDPOINT
            GET  /get_world_size                     CONTROL_ENDPOINT
            POST /collective_rpc                     CONTROL_ENDPOINT
            GET  /server_info                        CONTROL_ENDPOINT
            GET  /kv_event_sources                   CONTROL_ENDPOINT
            POST /v1/load_lora_adapter               CONTROL_ENDPOINT
            POST /v1/unload_lora_adapter             CONTROL_ENDPOINT
            POST /adapters                           CONTROL_ENDPOINT
            DELETE /adapters/{adapter_name}          CONTROL_ENDPOINT
            """;

    /** What other kinds of models and other flags bring, which that server did not show. */
    private static final String MORE_DECISIONS = """
            POST /v1/embeddings            INFERENCE
            POST /v2/embed                 INFERENCE
            POST /pooling                  INFERENCE
            POST /classify                 INFERENCE
            POST /score                    INFERENCE
            POST /v1/score                 INFERENCE
            POST /rerank                   INFERENCE
            POST /v1/rerank                INFERENCE
            POST /v2/rerank                INFERENCE
            POST /v1/audio/transcriptions  INFERENCE
            POST /v1/audio/translations    INFERENCE
            GET  /v1/models/{id}           MODEL
            HEAD /v1/models                MODELS
            HEAD /v1/models/{id}           MODEL
            HEAD /health                   HEALTH
            HEAD /ping                     HEALTH
            OPTIONS /v1/chat/completions   PLAIN
            OPTIONS /v1/models             PLAIN
            OPTIONS /v1/audio/transcriptions PLAIN
            POST /start_profile            CONTROL_ENDPOINT
            POST /stop_profile             CONTROL_ENDPOINT
            GET  /v1/realtime              NOT_FOUND
            POST /v1/files                 NOT_FOUND
            GET  /                         NOT_FOUND
            GET  /v1                       NOT_FOUND
            GET  /v1/                      NOT_FOUND
            """;

    private static final Pattern ROUTE = Pattern.compile("^([A-Z, ]+?) +(/\\S*)$", Pattern.MULTILINE);

    private final ApiTable table = new ApiTable(Set.of());

    @Test
    void everyRouteOfAVllmIsDecided() throws IOException {
        assertThat(routesOfVllm()).isEqualTo(new TreeSet<>(decisions(DECISIONS).keySet()));
    }

    @ParameterizedTest
    @MethodSource
    void everyRouteIsWhatWasDecided(Map.Entry<String, String> decision) {
        String[] route = decision.getKey().split(" ", -1);

        Match match = table.match(route[0], route[1].replaceAll("\\{\\w+}", "some-id"));

        Object outcome = match.refusal() == null ? match.route().kind() : match.refusal();
        assertThat(outcome).hasToString(decision.getValue());
    }

    static Collection<Map.Entry<String, String>> everyRouteIsWhatWasDecided() {
        Map<String, String> all = new TreeMap<>(decisions(DECISIONS));
        all.putAll(decisions(MORE_DECISIONS));
        return all.entrySet();
    }

    @Test
    void everyControlPathIsRefusedByEveryMethod() {
        for (String path : ApiTable.controlPaths()) {
            for (String method : List.of("GET", "POST", "DELETE", "OPTIONS", "HEAD")) {
                assertThat(table.match(method, path).refusal())
                        .as(method + " " + path)
                        .isEqualTo(FailureKind.CONTROL_ENDPOINT);
            }
        }
    }

    @Test
    void noInferencePathIsAControlPath() {
        assertThat(ApiTable.inferencePaths()).doesNotContainAnyElementsOf(ApiTable.controlPaths());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "GET    | /v1/chat/completions          | OPTIONS, POST",
                "DELETE | /v1/models                    | GET, HEAD, OPTIONS",
                "PUT    | /health                       | GET, HEAD",
                "PUT    | /ping                         | GET, HEAD, POST",
                "POST   | /version                      | GET",
                "POST   | /load                         | GET",
                "POST   | /v1/models/org/model          | GET, HEAD",
                "DELETE | /v1/responses/resp_1          | GET",
                "GET    | /v1/responses/resp_1/cancel   | POST",
                "GET    | /v1/audio/transcriptions      | OPTIONS, POST",
                "post   | /v1/chat/completions          | OPTIONS, POST",
            })
    void anotherMethodIsToldWhichThereAre(String method, String path, String allow) {
        Match match = table.match(method, path);

        assertThat(match.refusal()).isEqualTo(FailureKind.METHOD_NOT_ALLOWED);
        assertThat(match.allow()).isEqualTo(allow);
        assertThat(match.route().route()).isEqualTo("other");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/v1/chat/completions/",
                "/V1/chat/completions",
                "/v1/chat/completions/more",
                "/v1/models/",
                "/v1/responses/",
                "/v1/responses/a/b",
                "/v1/responses/a/b/cancel",
                "/v1/responses/a/cancel/",
                "/health/",
                "",
            })
    void whatIsNotInTheTableIsNotFound(String path) {
        for (String method : List.of("GET", "POST")) {
            assertThat(table.match(method, path).refusal()).as(method).isEqualTo(FailureKind.NOT_FOUND);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "GET,  /v1/models/org/model,        /v1/models/{id}",
        "GET,  /v1/models/a,                /v1/models/{id}",
        "GET,  /v1/responses/resp_1,        /v1/responses/{id}",
        "POST, /v1/responses/resp_1/cancel, /v1/responses/{id}/cancel",
        "GET,  /v1/responses/cancel,        /v1/responses/{id}",
    })
    void anIdIsNoPartOfTheLabel(String method, String path, String label) {
        assertThat(table.match(method, path).route().route()).isEqualTo(label);
    }

    @ParameterizedTest
    @CsvSource({
        "/v1/chat/completions,      OPENAI",
        "/v1/completions,           OPENAI",
        "/v1/embeddings,            OPENAI",
        "/v1/messages,              ANTHROPIC",
        "/v1/messages/count_tokens, ANTHROPIC",
        "/v1/responses,             RESPONSES",
        "/v1/responses/r/cancel,    RESPONSES",
    })
    void everyRouteHasItsDialect(String path, Dialect dialect) {
        assertThat(table.match("POST", path).route().dialect()).isEqualTo(dialect);
    }

    @Test
    void theOperatorOpensExactPathsForEveryMethod() {
        ApiTable opened = new ApiTable(Set.of("/v1/files", "/sleep"));

        assertThat(opened.match("DELETE", "/v1/files"))
                .isEqualTo(new Match(new ApiTable.Route("/v1/files", Kind.PLAIN, Dialect.OPENAI), null, ""));
        assertThat(opened.match("POST", "/sleep").refusal()).isNull();
        assertThat(opened.match("GET", "/v1/files/1").refusal()).isEqualTo(FailureKind.NOT_FOUND);
        assertThat(opened.match("POST", "/wake_up").refusal()).isEqualTo(FailureKind.CONTROL_ENDPOINT);
        assertThat(opened.match("TRACE", "/v1/files").refusal()).isEqualTo(FailureKind.METHOD_NOT_ALLOWED);
    }

    @Test
    void openingAPathOfOursLeavesItAsItIs() {
        ApiTable opened = new ApiTable(Set.of("/health"));

        assertThat(opened.match("GET", "/health").route().kind()).isEqualTo(Kind.HEALTH);
        assertThat(opened.match("PUT", "/health").route().kind()).isEqualTo(Kind.PLAIN);
    }

    private static Map<String, String> decisions(String table) {
        Map<String, String> decisions = new TreeMap<>();
        table.lines().filter(line -> !line.isBlank()).forEach(line -> {
            String[] words = line.trim().split(" +", -1);
            decisions.put(words[0] + " " + words[1], words[2]);
        });
        return decisions;
    }

    /** As one string per method and path, from its schema and from what it logs when it starts. */
    private static Set<String> routesOfVllm() throws IOException {
        Set<String> routes = new TreeSet<>();
        try (InputStream in = ApiTableTest.class.getResourceAsStream("/vllm-observed/routes.txt")) {
            String text = new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
            for (Matcher route = ROUTE.matcher(text); route.find(); ) {
                Arrays.stream(route.group(1).split("[, ]+", -1))
                        .forEach(method -> routes.add(method + " " + route.group(2)));
            }
        }
        return routes;
    }
}
