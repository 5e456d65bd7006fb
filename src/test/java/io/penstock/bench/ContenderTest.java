package io.penstock.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ContenderTest {

    @Test
    void anAddressIsAHostAndAPort() {
        assertThat(Contender.at("a", "http://10.0.0.7:9101")).isEqualTo(new Contender("a", "10.0.0.7", 9101));
        assertThat(Contender.at("a", "http://proxy")).isEqualTo(new Contender("a", "proxy", 80));
    }

    @ParameterizedTest
    @ValueSource(strings = {"https://proxy:443", "proxy:80", "http:///path", "9101"})
    void anythingElseIsRefusedWithWhatWasGiven(String url) {
        assertThatThrownBy(() -> Contender.at("mine", url))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("mine=" + url);
    }
}
