package io.penstock.health;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelListTest {

    @Test
    void readsTheIdsAndNothingElse() {
        ModelList list = of("""
                {"object": "list", "data": [
                  {"id": "demo", "object": "model", "permission": [{"id": "modelperm-1"}], "root": null},
                  {"object": "model", "id": "lora-1", "parent": {"id": "demo"}},
                  {"id": 7}, "odd", [{"id": "nested"}]
                ], "usage": {"data": [{"id": "inner"}]}}""");

        assertThat(list.answered()).isTrue();
        assertThat(list.ids()).containsExactlyInAnyOrder("demo", "lora-1");
    }

    @Test
    void anEmptyListIsAList() {
        assertThat(of("{\"data\": []}").ids()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "[]",
                "{}",
                "{\"data\": {\"id\": \"demo\"}}",
                "{\"data\": [{\"id\": \"demo\"}",
                "{\"data\": [{\"id\": \"demo\"",
                "{\"data\": [",
                "{\"error\":\"Unauthorized\"}",
                "<html>"
            })
    void whatIsNotAListIsUnreadable(String body) {
        assertThat(of(body)).isEqualTo(ModelList.UNREADABLE);
    }

    private static ModelList of(String body) {
        return ModelList.of(body.getBytes(UTF_8));
    }
}
