package io.penstock.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.selection.RequestTraits;
import io.vertx.core.buffer.Buffer;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BodyTraitsTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            nullValues = "-",
            value = {
                "{\"model\":\"m\",\"stream\":true}                               | m | true",
                "{ \"stream\" : true , \"x\":[1,{\"y\":null}], \"model\" : \"m\" }  | m | true",
                "{\"model\":\"m\"}                                               | m | false",
                "{\"stream\":false,\"model\":\"m\"}                              | m | false",
                "{}                                                              | - | false",
                // Of equal keys the last wins, as in Python.
                "{\"model\":\"a\",\"model\":\"b\"}                               | b | false",
                "{\"model\":\"a\",\"model\":null}                                | - | false",
                "{\"stream\":true,\"stream\":false,\"model\":\"m\"}              | m | false",
                // Only the top level counts.
                "{\"x\":{\"model\":\"nested\",\"stream\":true}}                  | - | false",
                "{\"x\":[{\"model\":\"nested\"}],\"model\":\"m\"}                | m | false",
                "{\"model\":{\"model\":\"nested\"},\"stream\":true}              | - | true",
                "{\"model\":[\"nested\"]}                                        | - | false",
                "{\"MODEL\":\"m\",\"Stream\":true}                               | - | false",
                "{\"x\":\"{\\\"model\\\":\\\"text\\\"}\",\"model\":\"m\"}        | m | false",
                // Escapes, in keys and in values.
                "{\"mod\\u0065l\":\"m\",\"\\u0073tream\":true}                   | m | true",
                "{\"model\":\"org\\/\\u006d\"}                                   | org/m | false",
                "{\"model\":\"größe\"}                                           | größe | false",
                // Other types say nothing.
                "{\"model\":7,\"stream\":\"true\"}                               | - | false",
                "{\"model\":true,\"stream\":1}                                   | - | false",
                "{\"model\":\"\"}                                                | - | false",
                // What was read before a mistake is as good as anything.
                "{\"model\":\"m\",\"stream\":true                                | m | true",
                "{\"model\":\"m\",\"stream\":tru                                 | m | false",
                "{\"model\":\"m\",\"messages\":[{\"content\":\"cut                | m | false",
                "{\"model\":\"m\" \"stream\":true}                               | m | false",
                "{\"model\":\"cut                                                | - | false",
                "{\"model\"                                                      | - | false",
                // Not an object, or not JSON.
                "[{\"model\":\"m\"}]                                             | - | false",
                "\"model\"                                                       | - | false",
                "null                                                            | - | false",
                "``                                                              | - | false",
                "model=m&stream=true                                             | - | false",
                "{'model':'m'}                                                   | - | false",
                "--boundary                                                      | - | false",
            })
    void theTopLevelIsRead(String body, @Nullable String model, boolean stream) {
        assertThat(read(body))
                .isEqualTo(new RequestTraits(model, stream, Buffer.buffer(body).length()));
    }

    @Test
    void aHugeStringIsNoObstacle() {
        String huge = "x".repeat(25 << 20);

        assertThat(read("{\"prompt\":\"" + huge + "\",\"model\":\"m\"}").model())
                .isEqualTo("m");
    }

    @Test
    void aPromptOfManyTokensIsNoObstacle() {
        assertThat(read("{\"prompt\":[" + "1234,".repeat(200_000) + "5],\"model\":\"m\"}")
                        .model())
                .isEqualTo("m");
    }

    @Test
    void nestingWithoutEndIsNoObstacle() {
        assertThat(read("{\"model\":\"m\",\"x\":" + "[".repeat(1_000_000)).model())
                .isEqualTo("m");
    }

    @ParameterizedTest
    @ValueSource(strings = {"UTF-8", "UTF-16LE", "UTF-16BE", "UTF-32LE"})
    void theEncodingsOfJsonAreRead(String charset) {
        byte[] bytes = "{\"model\":\"größe\"}".getBytes(java.nio.charset.Charset.forName(charset));

        assertThat(BodyTraits.read(Buffer.buffer(bytes)).model()).isEqualTo("größe");
    }

    @Test
    void theBodyIsLeftAsItWas() {
        Buffer body = Buffer.buffer("{\"model\":\"m\"}");
        BodyTraits.read(body);
        BodyTraits.read(body);

        assertThat(body).isEqualTo(Buffer.buffer("{\"model\":\"m\"}"));
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3})
    void noBytesMakeItThrow(long seed) {
        Random random = new Random(seed);
        byte[] good =
                "{\"model\":\"m\",\"stream\":true,\"x\":[1.5e3,{\"y\":\"\\u00e9\"}]}".getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < 20_000; i++) {
            byte[] bytes = good.clone();
            for (int n = random.nextInt(4); n >= 0; n--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
            }
            assertThat(BodyTraits.read(Buffer.buffer(bytes)).bodyBytes()).isEqualTo(bytes.length);
        }
    }

    private static RequestTraits read(String body) {
        return BodyTraits.read(Buffer.buffer(body));
    }
}
