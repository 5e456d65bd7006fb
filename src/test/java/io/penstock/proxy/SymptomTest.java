package io.penstock.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.buffer.Buffer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SymptomTest {

    private static final String WRAPPED = "{\"type\":\"error\",\"error\":{\"type\":\"internal_error\",\"message\":"
            + "\"2 validation errors for X\\nmodel\\n  Field required [type=missing, input_value={'error': {'message':"
            + " '%s...am': None, 'code': %d}}, input_type=dict]\"}}";

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "200 | cannot schedule new futures after shutdown | ",
                "404 | EngineCore encountered an issue | ",
                "429 | slow down | UPSTREAM_BUSY",
                "500 | boom | UPSTREAM_ERROR",
                "500 | '' | UPSTREAM_ERROR",
                "500 | cannot schedule new futures after shutdown | TOLD_TO_STOP",
                "500 | cannot schedule new futures after interpreter shutdown | TOLD_TO_STOP",
                "500 | EngineCore encountered an issue. See stack trace (above) for the root cause. | ENGINE_DEAD",
                "501 | boom | UPSTREAM_ERROR",
                "502 | boom | UPSTREAM_BUSY",
                "503 | The engine is currently busy | UPSTREAM_BUSY",
                "504 | boom | UPSTREAM_BUSY",
                "505 | boom | UPSTREAM_ERROR",
            })
    void answerSaysHowTheReplicaIs(int status, String body, @Nullable FailureKind kind) {
        assertThat(Symptom.ofAnswer(status, Buffer.buffer(body))).isEqualTo(kind);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "400 | boom | ",
                "429 | boom | UPSTREAM_BUSY",
                "500 | boom | IN_BAND_ERROR",
                "503 | boom | UPSTREAM_BUSY",
                "500 | EngineCore encountered an issue | ENGINE_DEAD",
                "500 | cannot schedule new futures after shutdown | TOLD_TO_STOP"
            })
    void eventSaysItToo(int code, String data, @Nullable FailureKind kind) {
        assertThat(Symptom.ofEvent(code, data)).isEqualTo(kind);
    }

    @ParameterizedTest
    @CsvSource({"En, 500, 500, ENGINE_DEAD", "Th, 503, 503, UPSTREAM_BUSY", "Xy, 500, 500, IN_BAND_ERROR"})
    void errorThatMessagesWrapsIsSeenThrough(String letters, int said, int code, FailureKind kind) {
        String data = WRAPPED.formatted(letters, said);

        assertThat(Symptom.codeOf(data)).isEqualTo(code);
        assertThat(Symptom.ofEvent(code, data)).isEqualTo(kind);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"error\":{\"code\":503}} | 503",
                "{\"error\": {\"message\": \"x\", \"code\": 400}} | 400",
                "{\"error\":{\"code\":200}} | 500",
                "{\"error\":{\"code\":399}} | 500",
                "{\"error\":{\"code\":600}} | 500",
                "{\"error\":{\"code\":599}} | 599",
                "{\"error\":{\"code\":\"boom\"}} | 500",
                "{\"error\":\"boom\"} | 500",
                "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}} | 503",
                "{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\"}} | 400",
                "{\"type\":\"error\",\"error\":{\"type\":\"not_found_error\"}} | 404",
                "{\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\"}} | 429",
                "{\"type\":\"error\",\"error\":{\"type\":\"internal_error\"}} | 500",
                "{\"type\":\"error\",\"code\":404,\"message\":\"x\"} | 404",
                "not json | 500",
                "'' | 500"
            })
    void errorEventNamesItsCode(String data, int code) {
        assertThat(Symptom.codeOf(data)).isEqualTo(code);
    }

    @Test
    void dataOfAnEventIsItsDataLinesJoined() {
        assertThat(Symptom.dataOf(Buffer.buffer(": c\r\nevent: error\r\ndata: {\"a\":\r\ndata:1}\r\nid: 7\r\n\r\n")))
                .isEqualTo("{\"a\":\n1}");
    }

    @Test
    void onlyTheBeginningOfALongAnswerIsRead() {
        Buffer body = Buffer.buffer("x".repeat(10_000) + "EngineCore encountered an issue");

        assertThat(Symptom.ofAnswer(500, body)).isEqualTo(FailureKind.UPSTREAM_ERROR);
    }
}
