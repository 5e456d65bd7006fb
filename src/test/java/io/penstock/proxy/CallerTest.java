package io.penstock.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.MultiMap;
import org.junit.jupiter.api.Test;

class CallerTest {

    private static final String KEY = "Bearer sk-secret";

    @Test
    void aKeyTellsWhoAsksWhereverItComesFrom() {
        Caller here = Caller.of(headers("Authorization", KEY), "10.0.0.1", 7);

        assertThat(here.byKey()).isTrue();
        assertThat(Caller.of(headers("authorization", KEY), "10.0.0.2", 7)).isEqualTo(here);
        assertThat(Caller.of(headers("authorization", KEY + "2"), "10.0.0.1", 7))
                .isNotEqualTo(here);
    }

    @Test
    void anthropicsHeaderCountsToo() {
        Caller caller = Caller.of(headers("X-Api-Key", "k").set("authorization", ""), "10.0.0.1", 7);

        assertThat(caller.byKey()).isTrue();
        assertThat(caller).isEqualTo(Caller.of(headers("x-api-key", "k"), "10.0.0.2", 7));
    }

    @Test
    void withoutAKeyItIsTheAddress() {
        Caller here = Caller.of(headers("x-api-key", ""), "10.0.0.1", 7);

        assertThat(here.byKey()).isFalse();
        assertThat(here).isEqualTo(Caller.of(headers("accept", "*/*"), "10.0.0.1", 7));
        assertThat(here).isNotEqualTo(Caller.of(headers("accept", "*/*"), "10.0.0.2", 7));
    }

    @Test
    void aNameSaysNothing() {
        String name = Caller.of(headers("authorization", KEY), "10.0.0.1", 7).name();

        assertThat(name).matches("[0-9a-f]{16}");
        assertThat(Caller.of(headers("authorization", KEY), "10.0.0.1", 8).name())
                .isNotEqualTo(name);
        assertThat(Caller.of(headers("accept", "x"), KEY, 7).name()).isNotEqualTo(name);
    }

    private static MultiMap headers(String name, String value) {
        return MultiMap.caseInsensitiveMultiMap().set(name, value);
    }
}
