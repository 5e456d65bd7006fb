package io.penstock.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.proxy.ApiTable.Dialect;
import io.penstock.selection.Prompt;
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
        RequestTraits traits = read(body);

        assertThat(traits.model()).isEqualTo(model);
        assertThat(traits.stream()).isEqualTo(stream);
        assertThat(traits.bodyBytes()).isEqualTo(Buffer.buffer(body).length());
    }

    @ParameterizedTest
    @CsvSource({"512, true", "513, false", "20000, false", "3000000, false"})
    void aModelMayHaveSoManyCharacters(int length, boolean known) {
        RequestTraits traits = read("{\"stream\":true,\"model\":\"m\",\"model\":\"" + "ö".repeat(length) + "\"}");

        assertThat(traits.model()).isEqualTo(known ? "ö".repeat(length) : null);
        assertThat(traits.stream()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"a\\nb", "a\\r\\n{}", "\\u0000", "a\\u001b[31m", "\\u007f", "a\\u0085", "\\ud83d", "a\\ude00b"})
    void aModelThatNoLogCouldShowIsUnknown(String escaped) {
        assertThat(read("{\"model\":\"" + escaped + "\",\"stream\":true}"))
                .extracting(RequestTraits::model, RequestTraits::stream)
                .containsExactly(null, true);
    }

    @Test
    void aModelMayHaveCharactersBeyondTheFirstPlane() {
        assertThat(read("{\"model\":\"\\ud83d\\ude00-7b 😀\"}").model()).isEqualTo("😀-7b 😀");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            nullValues = "-",
            value = {
                "multipart/form-data; boundary=b           | whisper | true",
                "Multipart/Form-Data;Boundary=\"b\"        | whisper | true",
                "multipart/form-data                       | -       | false",
                "multipart/form-data; boundary=c           | -       | false",
                "application/json                          | -       | false",
                "-                                         | -       | false",
            })
    void aFormIsReadIfItSaysThatItIsOne(@Nullable String type, @Nullable String model, boolean stream) {
        String form = field("model", "tiny") + field("stream", "True") + field("model", "whisper") + "--b--\r\n";

        assertThat(read(Buffer.buffer(form), type))
                .isEqualTo(new RequestTraits(model, stream, form.length()).from("someone"));
    }

    @ParameterizedTest
    @CsvSource({"true, true", "1, true", "ON, true", "yes, true", "false, false", "0, false", "'', false", "x, false"})
    void aFormSaysTrueInVllmsWords(String value, boolean stream) {
        String form = field("stream", value) + "--b--\r\n";

        assertThat(read(Buffer.buffer(form), "multipart/form-data; boundary=b").stream())
                .isEqualTo(stream);
    }

    private static String field(String name, String value) {
        return "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n";
    }

    @Test
    void aBodyInBlocksIsReadLikeAnyOther() {
        Buffer whole = Buffer.buffer("{\"prompt\":\"" + "x".repeat(700_000) + "\",\"model\":\"m\",\"stream\":true}");
        BodyBlocks blocks = new BodyBlocks();
        blocks.append(whole, whole.length());

        assertThat(read(blocks.whole(), null)).isEqualTo(read(whole, null));
        assertThat(read(whole, null).model()).isEqualTo("m");
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

        assertThat(read(Buffer.buffer(bytes), null).model()).isEqualTo("größe");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{}                                                          | 0",
                "{\"max_tokens\":100}                                      | 100",
                "{\"max_completion_tokens\":50,\"max_tokens\":100}       | 50",
                "{\"max_completion_tokens\":null,\"max_tokens\":100}     | 100",
                "{\"max_output_tokens\":70}                                | 70",
                "{\"max_tokens\":100,\"n\":3}                            | 300",
                "{\"n\":null,\"max_tokens\":100}                         | 100",
                "{\"n\":0,\"max_tokens\":100}                            | 0",
                "{\"n\":2,\"max_tokens\":100,\"prompt\":[\"a\",\"b\",\"c\"]} | 600",
                "{\"max_tokens\":100,\"prompt\":[[1,2],[3]]}             | 200",
                "{\"max_tokens\":100,\"prompt\":[1,2,3]}                 | 100",
                "{\"max_tokens\":100,\"input\":[\"a\",\"b\"]}        | 100",
                "{\"max_tokens\":100,\"messages\":[[],[]]}               | 200",
                "{\"max_tokens\":16777216}                                 | 16777216",
                "{\"max_tokens\":16777217}                                 | 0",
                "{\"max_tokens\":16777216,\"n\":16777216}                | 0",
                "{\"max_tokens\":-1}                                       | 0",
                "{\"max_tokens\":1e3}                                      | 0",
                "{\"max_tokens\":\"100\"}                                | 0",
                "{\"max_tokens\":99999999999999999999}                     | 0",
                "{\"max_tokens\":[100]}                                    | 0",
            })
    void theLongestAnswerIsWhatTheyAllMayMake(String body, int tokens) {
        assertThat(read(body).longestAnswer()).isEqualTo(tokens);
    }

    @Test
    void aUserIsTheCallerUnlessThereIsAKey() {
        Buffer anna = Buffer.buffer("{\"user\":\"ben\",\"user\":\"anna\"}");
        Buffer same = Buffer.buffer("{ \"user\" : \"\\u0061nna\"}");
        Buffer ben = Buffer.buffer("{\"user\":\"ben\"}");
        Caller address = new Caller("here", false);

        String name = asked(anna, address, 7);
        assertThat(name).hasSize(16).doesNotContain("anna");
        assertThat(asked(same, address, 7)).isEqualTo(name);
        assertThat(asked(ben, address, 7)).isNotEqualTo(name);
        assertThat(asked(anna, address, 8)).isNotEqualTo(name);
        assertThat(asked(anna, new Caller("key", true), 7)).isEqualTo("key");
        assertThat(asked(Buffer.buffer("{\"user\":7}"), address, 7)).isEqualTo("here");
        assertThat(asked(Buffer.buffer("nonsense"), address, 7)).isEqualTo("here");
    }

    private static String asked(Buffer body, Caller caller, long seed) {
        return new BodyTraits(null, Dialect.ANTHROPIC, caller, seed, true)
                .read(body)
                .caller();
    }

    @Test
    void aPromptThatNobodyLooksAtIsNotRead() {
        Buffer body = Buffer.buffer("{\"messages\":[{\"role\":\"user\",\"content\":\"" + "word ".repeat(200)
                + "\"}],\"model\":\"m\",\"stream\":true,\"max_tokens\":7,\"user\":\"anna\"}");
        Caller address = new Caller("here", false);

        RequestTraits wanted = new BodyTraits(null, Dialect.OPENAI, address, 7, true).read(body);
        RequestTraits unwanted = new BodyTraits(null, Dialect.OPENAI, address, 7, false).read(body);

        assertThat(wanted.prompt().pieces()).isPositive();
        assertThat(unwanted).isEqualTo(new RequestTraits("m", true, body.length(), Prompt.UNKNOWN, 7, wanted.caller()));
    }

    @Test
    void theBodyIsLeftAsItWas() {
        Buffer body = Buffer.buffer("{\"model\":\"m\"}");
        read(body, null);
        read(body, null);

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
            assertThat(read(Buffer.buffer(bytes), null).bodyBytes()).isEqualTo(bytes.length);
        }
    }

    private static RequestTraits read(String body) {
        return read(Buffer.buffer(body), "application/json");
    }

    private static RequestTraits read(Buffer body, @Nullable String contentType) {
        return new BodyTraits(contentType, Dialect.OPENAI, new Caller("someone", false), 7, true).read(body);
    }
}
