package io.penstock.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RequestPathTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "/v1/models                        | /v1/models",
                "/                                 | /",
                "/%68ealth                         | /health",
                "/v1/m%6Fdels                      | /v1/models",
                "/v1/m%6fdels                      | /v1/models",
                "/v1/models/org%2Fmodel            | /v1/models/org/model",
                "/v1/models/org/model              | /v1/models/org/model",
                "/v1/models/a%20b                  | /v1/models/a b",
                "/v1/models/%C3%A9%E2%82%AC        | /v1/models/é€",
                "/v1/models/%F0%9F%98%80           | /v1/models/😀",
                "/v1/models/a%3Fb%23c              | /v1/models/a?b#c",
                "/v1/models/a+b                    | /v1/models/a+b",
                "/v1/models/a%2525                 | /v1/models/a%25",
                "/v1/models/..a/.b/c..             | /v1/models/..a/.b/c..",
                "/v1/models/a;b=c                  | /v1/models/a;b=c",
            })
    void thePathIsDecodedOnce(String target, String decoded) {
        RequestPath path = Objects.requireNonNull(RequestPath.parse(target));

        assertThat(path.decoded()).isEqualTo(decoded);
        assertThat(path.raw()).isEqualTo(target);
        assertThat(path.query()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "/v1/responses/r?stream=true&a=%2F | /v1/responses/r | ?stream=true&a=%2F",
                "/health?                          | /health         | ?",
                "/health?a?b                       | /health         | ?a?b",
                "/health?//../%zz                  | /health         | ?//../%zz",
                "/health?a#fragment                | /health         | ?a",
            })
    void theQueryStaysAsItIs(String target, String raw, String query) {
        assertThat(RequestPath.parse(target)).isEqualTo(new RequestPath(raw, raw, query));
    }

    @Test
    void aFragmentIsDropped() {
        assertThat(RequestPath.parse("/health#?not-a-query")).isEqualTo(new RequestPath("/health", "/health", ""));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "http://front:8000/v1/models?a=b | /v1/models | ?a=b",
                "https://[::1]/health            | /health    | ''",
                "http://front                    | /          | ''",
                "HTTP://front/%68ealth           | /%68ealth  | ''",
                "http://front?a=b                | /          | ?a=b",
                "http://front?/health            | /          | ?/health",
                "http://front#/health            | /          | ''",
            })
    void theAuthorityOfAnAbsoluteTargetIsDropped(String target, String raw, String query) {
        RequestPath path = Objects.requireNonNull(RequestPath.parse(target));

        assertThat(path.raw()).isEqualTo(raw);
        assertThat(path.query()).isEqualTo(query);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                // No path at all.
                "",
                "*",
                "front:443",
                "health",
                "://front/health",
                // Two readings.
                "//health",
                "/v1//models",
                "/v1/models//",
                "/v1/./models",
                "/v1/../health",
                "/.",
                "/..",
                "/v1/models/.",
                "/v1/models/..",
                "/%2e%2e/health",
                "/v1/%2E/models",
                "/v1%2F%2Fmodels",
                "/v1/models/a%2F..%2Fb",
                "http://front//health",
                // Escapes that are none.
                "/%",
                "/%6",
                "/%zz",
                "/health%",
                "/health%4",
                "/%6gealth",
                "/%g6ealth",
                // Bytes that are not UTF-8: a continuation alone, a cut sequence, overlong, a surrogate, beyond
                // Unicode.
                "/%80",
                "/%C3",
                "/%C3%28",
                "/%C0%AF",
                "/%ED%A0%80",
                "/%F5%80%80%80",
                "/%FF",
                // What has no place in a path.
                "/a%00",
                "/a%0D%0Ab",
                "/a%1F",
                "/a%7F",
                "/a\\b",
                "/a%5Cb",
                "/a\u0001",
            })
    void aTargetThatNobodyShouldUnderstandIsNotRead(String target) {
        assertThat(RequestPath.parse(target)).isNull();
    }

    @Test
    void aLongPathIsReadInOneGo() {
        String target = "/v1/models/" + "%C3%A9".repeat(5_000);

        assertThat(Objects.requireNonNull(RequestPath.parse(target)).decoded())
                .isEqualTo("/v1/models/" + "é".repeat(5_000));
    }
}
