package io.penstock.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TrustedProxiesTest {

    @Test
    void nobodyIsTrustedByDefault() {
        assertThat(new TrustedProxies(List.of()).contains("127.0.0.1")).isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "10.0.0.7,            10.0.0.7,        true",
        "10.0.0.7,            10.0.0.8,        false",
        "10.0.0.0/8,          10.255.255.255,  true",
        "10.0.0.0/8,          11.0.0.0,        false",
        "10.0.0.0/8,          9.255.255.255,   false",
        "10.1.2.3/8,          10.200.0.1,      true",
        "192.168.4.0/22,      192.168.7.255,   true",
        "192.168.4.0/22,      192.168.8.0,     false",
        "192.168.4.0/22,      192.168.3.255,   false",
        "10.0.0.6/31,         10.0.0.7,        true",
        "10.0.0.6/31,         10.0.0.8,        false",
        "10.0.0.7/32,         10.0.0.7,        true",
        "10.0.0.7/32,         10.0.0.6,        false",
        "0.0.0.0/0,           203.0.113.9,     true",
        "0.0.0.0/0,           ::1,             false",
        "fd00::/8,            fd12:3456::1,    true",
        "fd00::/8,            fe80::1,         false",
        "::1,                 ::1,             true",
        "::1,                 0:0:0:0:0:0:0:1, true",
        "::1,                 127.0.0.1,       false",
        "2001:db8::/33,       2001:db8:7fff::, true",
        "2001:db8::/33,       2001:db8:8000::, false",
        "fe80::/10,           fe80::1%2,       true",
        "10.0.0.0/8,          unknown,         false",
        "10.0.0.0/8,          '',              false",
        "10.0.0.0/8 ::1 a.b,  ::1,             true",
    })
    void aBlockHoldsItsAddressesAndNoOthers(String blocks, String peer, boolean trusted) {
        assertThat(new TrustedProxies(Arrays.asList(blocks.split(" ", -1))).contains(peer))
                .isEqualTo(trusted);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            nullValues = "-",
            value = {
                "10.0.0.1 | -                              | 10.0.0.1",
                "10.0.0.1 | 1.2.3.4                        | 1.2.3.4",
                "10.0.0.1 | 6.6.6.6, 1.2.3.4, 10.0.0.2     | 1.2.3.4",
                "10.0.0.1 | 6.6.6.6,1.2.3.4 , ,10.0.0.2    | 1.2.3.4",
                "10.0.0.1 | 10.0.0.3, 10.0.0.2             | 10.0.0.3",
                "10.0.0.1 | 1.2.3.4, nonsense              | nonsense",
                "8.8.8.8  | 1.2.3.4                        | 8.8.8.8",
            })
    void theClientIsTheLastWhoIsNoTrustedProxy(String peer, @Nullable String forwardedFor, String client) {
        TrustedProxies trusted = new TrustedProxies(List.of("10.0.0.0/8"));

        assertThat(trusted.client(peer, forwardedFor == null ? List.of() : List.of(forwardedFor)))
                .isEqualTo(client);
    }
}
