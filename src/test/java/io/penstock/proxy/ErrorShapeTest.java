package io.penstock.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.proxy.ApiTable.Dialect;
import io.vertx.core.buffer.Buffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class ErrorShapeTest {

    @ParameterizedTest
    @EnumSource(names = {"OPENAI", "RESPONSES"})
    void openAisErrorsHaveFourFields(Dialect dialect) {
        assertThat(ErrorShape.body(dialect, 502, "upstream_died", "replica a died"))
                .hasToString("{\"error\":{\"message\":\"replica a died\",\"type\":\"server_error\",\"param\":null,"
                        + "\"code\":\"upstream_died\"}}");
    }

    @Test
    void anthropicsErrorsAreTyped() {
        assertThat(ErrorShape.body(Dialect.ANTHROPIC, 502, "upstream_died", "replica a died"))
                .hasToString("{\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"replica a died\"}}");
    }

    @ParameterizedTest
    @CsvSource({
        "400, invalid_request_error, invalid_request_error",
        "401, authentication_error,  authentication_error",
        "403, permission_error,      permission_error",
        "404, not_found_error,       not_found_error",
        "405, invalid_request_error, invalid_request_error",
        "413, invalid_request_error, request_too_large",
        "429, rate_limit_error,      rate_limit_error",
        "499, invalid_request_error, invalid_request_error",
        "500, server_error,          api_error",
        "502, server_error,          api_error",
        "503, server_error,          overloaded_error",
        "504, server_error,          api_error",
    })
    void everyStatusHasItsTypeInBothWorlds(int status, String openAi, String anthropic) {
        assertThat(ErrorShape.body(Dialect.OPENAI, status, "c", "m").toString())
                .contains("\"type\":\"" + openAi + "\"");
        assertThat(ErrorShape.body(Dialect.ANTHROPIC, status, "c", "m").toString())
                .contains("\"error\":{\"type\":\"" + anthropic + "\"");
    }

    @Test
    void anErrorEventIsInTheWordsOfItsApi() {
        assertThat(ErrorShape.event(Dialect.OPENAI, 502, "c", "m")).hasToString("""
                        data: {"error":{"message":"m","type":"server_error","param":null,"code":"c"}}

                        """);
        assertThat(ErrorShape.event(Dialect.ANTHROPIC, 502, "c", "m")).hasToString("""
                        event: error
                        data: {"type":"error","error":{"type":"api_error","message":"m"}}

                        """);
        assertThat(ErrorShape.event(Dialect.RESPONSES, 502, "c", "m")).hasToString("""
                        event: error
                        data: {"type":"error","code":"c","message":"m","param":null}

                        """);
    }

    @ParameterizedTest
    @EnumSource
    void anErrorEventIsOneEventWhateverTheMessage(Dialect dialect) {
        Buffer event = ErrorShape.event(dialect, 500, "c", "a\nb\r\nc\rd\u2028e\n\ndata: [DONE]\n\n\"\\");

        assertThat(event.toString().lines()).hasSize(dialect == Dialect.OPENAI ? 2 : 3);
        assertThat(event.toString()).endsWith("}\n\n");
        assertThat(scanned(dialect, event).events()).isEqualTo(1);
        assertThat(scanned(dialect, event).event()).isEqualTo(SseScanner.Event.ERROR);
    }

    @Test
    void aLateAnswerSpeaksInItsOwnWords() {
        Buffer answer = Buffer.buffer("{\"error\":{\"message\":\"no such model\",\"code\":404}}");

        assertThat(ErrorShape.lateAnswer(Dialect.OPENAI, 404, answer, "a"))
                .hasToString("data: {\"error\":{\"message\":\"no such model\",\"code\":404}}\n\n");
        assertThat(ErrorShape.lateAnswer(Dialect.RESPONSES, 404, answer, "a"))
                .hasToString("event: error\ndata: {\"error\":{\"message\":\"no such model\",\"code\":404}}\n\n");
        assertThat(ErrorShape.lateAnswer(Dialect.ANTHROPIC, 404, answer, "a"))
                .hasToString("event: error\ndata: {\"error\":{\"message\":\"no such model\",\"code\":404}}\n\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "Internal Server Error", "{\n}", "{\r}", "<html>", "[1]", "{\"cut\":\"in the mid"})
    void aLateAnswerThatFitsNoEventIsNamedByItsStatus(String answer) {
        assertThat(ErrorShape.lateAnswer(Dialect.OPENAI, 500, Buffer.buffer(answer), "vllm-1"))
                .hasToString("data: {\"error\":{\"message\":\"replica vllm-1 answered with status 500\","
                        + "\"type\":\"server_error\",\"param\":null,\"code\":\"upstream_error\"}}\n\n");
    }

    private static SseScanner scanned(Dialect dialect, Buffer event) {
        SseScanner scanner = new SseScanner(dialect);
        assertThat(scanner.next(event, 0)).isEqualTo(event.length());
        return scanner;
    }
}
