package io.penstock.migrate;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NginxUnitsTest {

    @ParameterizedTest
    @CsvSource({
        "60, 60s",
        "2m, 120s",
        "1h30m, 5400s",
        "2h, 2h",
        "500ms, 500ms",
        "1d, 24h",
        "1w, 168h",
        "1M, 720h",
        "1y, 8760h",
        "1h 30m, 5400s",
        "0, 0s"
    })
    void timesKeepTheirLength(String nginx, String ours) {
        assertThat(NginxUnits.duration(NginxUnits.millis(nginx))).isEqualTo(ours);
    }

    @ParameterizedTest
    @CsvSource({
        "1m, 1MiB",
        "20M, 20MiB",
        "512k, 512KiB",
        "2048K, 2MiB",
        "1g, 1GiB",
        "2G, 2GiB",
        "1000, 1000B",
        "1024, 1KiB",
        "0, 0B"
    })
    void sizesKeepTheirBytes(String nginx, String ours) {
        assertThat(NginxUnits.size(NginxUnits.bytes(nginx))).isEqualTo(ours);
    }

    @ParameterizedTest
    @CsvSource({"''", "x", "1x", "-1", "1.5m", "99999999999999"})
    void nonsenseIsNeither(String text) {
        assertThat(NginxUnits.millis(text)).isEqualTo(-1);
        assertThat(NginxUnits.bytes(text)).isEqualTo(-1);
    }
}
