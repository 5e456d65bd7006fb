package io.penstock.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FormFieldsTest {

    private static final String MODEL = "Content-Disposition: form-data; name=\"model\"\r\n\r\n";

    private static List<String> read(ByteBuf form, String boundary) {
        List<String> fields = new ArrayList<>();
        FormFields.read(form, boundary, (name, value) -> fields.add(name + "=" + value));
        return fields;
    }

    private static List<String> read(String form) {
        return read(Unpooled.copiedBuffer(form, StandardCharsets.UTF_8), "b");
    }

    /** In each, {@code ~} is a CRLF. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "--b~Content-Disposition: form-data; name=\"model\"~~m~--b--~                      | model=m",
                "--b~Content-Disposition: form-data; name=\"model\"~~m~--b--                       | model=m",
                "--b~Content-Disposition: form-data; name=model~~m~--b--~                          | model=m",
                "--b~content-disposition:form-data;NAME=\"model\"~~größe~--b--~                    | model=größe",
                "--b~Content-Type: text/plain~Content-Disposition: form-data; name=\"a\"~~1~--b--~ | a=1",
                "--b~Content-Disposition: form-data; x; name=\"a\"~~1~--b--~                       | a=1",
                "--b~Content-Disposition: form-data; name=\"a;\\\"b\"~~1~--b--~                    | a;\"b=1",
                // Empty values, and values with line breaks.
                "--b~Content-Disposition: form-data; name=\"a\"~~~--b--~                           | a=",
                "--b~Content-Disposition: form-data; name=\"a\"~~--b--~                            | a=",
                "--b~Content-Disposition: form-data; name=\"a\"~~1~2~--b--~                        | a=1~2",
                // What only begins like a delimiter.
                "--b~Content-Disposition: form-data; name=\"a\"~~1~--bx~--b--~                     | a=1~--bx",
                "--b~Content-Disposition: form-data; name=\"a\"~~1--b~--b--~                       | a=1--b",
                "--b~Content-Disposition: form-data; name=\"a\"~~1~--b-~--b--~                     | a=1~--b-",
                // Blanks after a delimiter; text before the first and after the last.
                "--b \t~Content-Disposition: form-data; name=\"a\"~~1~--b  ~~x~--b--~              | a=1",
                "hello~--b~Content-Disposition: form-data; name=\"a\"~~1~--b--~--b~more            | a=1",
                "~--b~Content-Disposition: form-data; name=\"a\"~~1~--b--                          | a=1",
                "--bx~--b~Content-Disposition: form-data; name=\"a\"~~1~--b--                      | a=1",
                // Files, and parts without a name or without headers.
                "--b~Content-Disposition: form-data; name=\"model\"; filename=\"f\"~~m~--b--~      | ``",
                "--b~Content-Disposition: form-data; name=\"a\"; filename*=utf-8''f~~m~--b--~      | ``",
                "--b~Content-Disposition: form-data; filename=\"model\"~~m~--b--~                  | ``",
                "--b~Content-Disposition: form-data~~m~--b--~                                      | ``",
                "--b~X: y~~m~--b--~                                                                | ``",
                "--b~~m~--b--~                                                                     | ``",
                "--b~--b~Content-Disposition: form-data; name=\"a\"~~1~--b--~                      | a=1",
                // Cut short, or no form at all.
                "--b~Content-Disposition: form-data; name=\"model\"~~m                             | ``",
                "--b~Content-Disposition: form-data; name=\"model\"~~m~--b                         | ``",
                "--b~Content-Disposition: form-data; name=\"model\"                                | ``",
                "--b~                                                                              | ``",
                "--b                                                                               | ``",
                "--b--                                                                             | ``",
                "--                                                                                | ``",
                "{\"model\":\"m\"}                                                                 | ``",
                "``                                                                                | ``",
            })
    void aFormIsRead(String form, String fields) {
        assertThat(String.join(" ", read(form.replace("~", "\r\n")))).isEqualTo(fields.replace("~", "\r\n"));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 4000, 4090, 4096, 8190, 65_530, 65_540, 70_000, 300_000, 3_000_000})
    void aFieldIsFoundOnEitherSideOfAFile(int size) {
        byte[] file = new byte[size];
        new Random(size).nextBytes(file);
        String boundary = "------------------------d74496d66958873e";
        ByteBuf form = Unpooled.wrappedBuffer(
                ascii("--" + boundary + "\r\n" + MODEL + "first\r\n--" + boundary
                        + "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\n"),
                file,
                ascii("\r\n--" + boundary + "\r\n" + MODEL + "last\r\n--" + boundary + "--\r\n"));

        assertThat(read(form, boundary)).containsExactly("model=first", "model=last");
        assertThat(form.readerIndex()).isZero();
    }

    @Test
    void longValuesAndLongHeadsAreLeftOut() {
        String form = "--b\r\n" + MODEL + "m".repeat(4096) + "\r\n--b\r\n" + MODEL + "m".repeat(4097) + "\r\n--b\r\nX: "
                + "x".repeat(5000) + "\r\n" + MODEL + "m\r\n--b--";

        assertThat(read(form)).containsExactly("model=" + "m".repeat(4096), "model=");
    }

    @ParameterizedTest
    @ValueSource(strings = {"\r\n--b\r\n\r\n", "\r\n--bx", "\r\n--b   ", "b", "\r\n--"})
    void aFormThatIsMadeToBeSlowIsGivenUp(String repeated) {
        String form = "--b\r\n" + MODEL + "m\r\n--b\r\n" + repeated.repeat(3_000_000 / repeated.length());
        long start = System.nanoTime();

        assertThat(read(form)).contains("model=m");
        assertThat(System.nanoTime() - start).isLessThan(2_000_000_000L);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            nullValues = "-",
            value = {
                "multipart/form-data; boundary=b                       | b",
                "multipart/form-data;charset=utf-8;  BOUNDARY=\"a b;c\" | a b;c",
                " Multipart/Form-Data ; boundary=b ; x=y               | b",
                "multipart/form-data; x=\"; boundary=no\"; boundary=b  | b",
                "multipart/form-data; boundary=                        | -",
                "multipart/form-data; boundary                         | -",
                "multipart/form-data                                   | -",
                "multipart/mixed; boundary=b                           | -",
                "multipart                                             | -",
                "application/json                                      | -",
                "-                                                     | -",
            })
    void theBoundaryIsInTheContentType(@Nullable String type, @Nullable String boundary) {
        assertThat(FormFields.boundary(type)).isEqualTo(boundary);
    }

    @Test
    void aBoundaryWithoutEndIsNone() {
        assertThat(FormFields.boundary("multipart/form-data; boundary=" + "b".repeat(200)))
                .hasSize(200);
        assertThat(FormFields.boundary("multipart/form-data; boundary=" + "b".repeat(201)))
                .isNull();
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3})
    void noBytesMakeItThrow(long seed) {
        Random random = new Random(seed);
        byte[] good = ascii("x\r\n--b\r\n" + MODEL + "m\r\n--b \r\nA: b\r\n\r\n\r\n--b--\r\n");
        for (int i = 0; i < 20_000; i++) {
            byte[] bytes = good.clone();
            for (int n = random.nextInt(6); n >= 0; n--) {
                bytes[random.nextInt(bytes.length)] = (byte) "\r\n-b:;=\"\\ ".charAt(random.nextInt(10));
            }
            ByteBuf form = Unpooled.wrappedBuffer(bytes, 0, random.nextInt(bytes.length + 1));
            assertThat(read(form, "b")).hasSizeLessThan(4);
        }
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
