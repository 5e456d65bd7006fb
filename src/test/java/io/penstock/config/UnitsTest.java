package io.penstock.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class UnitsTest {

    @ParameterizedTest
    @CsvSource({
        "0, PT0S, 0",
        "0s, PT0S, 0",
        "500ms, PT0.5S, 500ms",
        "2000ms, PT2S, 2s",
        "120s, PT2M, 120s",
        "10m, PT10M, 10m",
        "60m, PT1H, 1h",
        "24h, PT24H, 24h",
        "90m, PT90M, 90m"
    })
    void durationsAreReadAndShown(String text, Duration value, String shown) {
        assertThat(Units.parseDuration(text)).isEqualTo(value);
        assertThat(Units.duration(value)).isEqualTo(shown);
        assertThat(Units.parseDuration(shown)).isEqualTo(value);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "1", "s", "-1s", "1.5s", "1 s", "1S", "1d", "1s1s", "12345678901s", "00"})
    void otherDurationsAreRefused(String text) {
        assertThat(Units.parseDuration(text)).isNull();
    }

    @ParameterizedTest
    @CsvSource({
        "0B, 0, 0B",
        "1B, 1, 1B",
        "1024B, 1024, 1KiB",
        "32KiB, 32768, 32KiB",
        "64MiB, 67108864, 64MiB",
        "2048MiB, 2147483648, 2GiB",
        "1GiB, 1073741824, 1GiB"
    })
    void sizesAreReadAndShown(String text, long bytes, String shown) {
        assertThat(Units.parseSize(text)).isEqualTo(bytes);
        assertThat(Units.size(bytes)).isEqualTo(shown);
        assertThat(Units.parseSize(shown)).isEqualTo(bytes);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "0", "1024", "64MB", "64Mi", "64mib", "1.5GiB", "-1B"})
    void otherSizesAreRefused(String text) {
        assertThat(Units.parseSize(text)).isNull();
    }
}
