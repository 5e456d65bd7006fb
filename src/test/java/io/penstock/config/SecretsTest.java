package io.penstock.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class SecretsTest {

    private static final String HIDDEN = "hunter2";

    private final FakeSurroundings world = new FakeSurroundings();

    @Test
    void aKeyComesFromTheEnvironmentOrAFile() {
        world.environment.put("VLLM_KEY", HIDDEN);
        world.file("/run/secrets/x", "file-" + HIDDEN + "\r\n");
        assertThat(keyOf("${env:VLLM_KEY}")).isEqualTo(HIDDEN);
        assertThat(keyOf("${file:/run/secrets/x}")).isEqualTo("file-" + HIDDEN);
        assertThat(read("${env:VLLM_KEY}").warnings()).isEmpty();
    }

    @Test
    void aKeyInTheFileWorksWithAWarningThatDoesNotShowIt() {
        assertThat(keyOf(HIDDEN)).isEqualTo(HIDDEN);
        assertThat(read(HIDDEN).warnings())
                .containsExactly("upstreams[0].apiKey: a key should not sit in this file;"
                        + " write ${env:NAME} or ${file:/run/secrets/NAME}");
    }

    @Test
    void theHashFollowsTheSecret() {
        world.environment.put("A", "1");
        String before = read("${env:A}").hash();
        assertThat(read("${env:A}").hash()).isEqualTo(before);
        world.environment.put("A", "2");
        assertThat(read("${env:A}").hash()).isNotEqualTo(before);
    }

    static Stream<Arguments> bad() {
        return Stream.of(
                arguments("${env:NOT_SET}", "the environment variable NOT_SET is not set (line 1)"),
                arguments("${env:not-a-name}", "want the name of an environment variable, got not-a-name (line 1)"),
                arguments("${env:EMPTY}", "${env:EMPTY} is empty (line 1)"),
                arguments("${env:SPACED}", "${env:SPACED} holds a character that no HTTP header can carry (line 1)"),
                arguments("hunter2\\n", "the key holds a character that no HTTP header can carry (line 1)"),
                arguments("", "the key is empty (line 1)"),
                arguments("${file:/none}", "the file /none gives no key: there is no such file (line 1)"),
                arguments("${file:/long}", "the file /long is longer than 8KiB (line 1)"),
                arguments("${file:near}", "want an absolute path in ${file:...}, got near (line 1)"),
                arguments("${file:/a\\0}", "want a path in ${file:...}: Nul character not allowed (line 1)"),
                arguments(
                        "Bearer ${env:SPACED}",
                        "want ${env:NAME} or ${file:/run/secrets/NAME} as the whole value (line 1)"),
                arguments("${vault:x}", "want ${env:NAME} or ${file:/run/secrets/NAME} as the whole value (line 1)"));
    }

    @ParameterizedTest
    @MethodSource("bad")
    void whatIsMissingIsNamedAndWhatIsThereIsNotShown(String written, String problem) {
        world.environment.put("EMPTY", "");
        world.environment.put("SPACED", "hunter2 hunter2");
        world.file("/long", HIDDEN.repeat(2000));
        Reading reading = read(written);
        assertThat(reading.problems()).singleElement().hasToString("upstreams[0].apiKey: " + problem);
        assertThat(reading.toString()).doesNotContain(HIDDEN);
    }

    @ParameterizedTest
    @ValueSource(strings = {"[hunter2]", "{hunter2: hunter2}", "!x hunter2", "~"})
    void whatIsNoTextIsRefusedUnseen(String yaml) {
        Reading reading = world.read("upstreams: [{url: http://a, apiKey: " + yaml + "}]");
        assertThat(reading.problems())
                .singleElement()
                .hasToString(
                        "upstreams[0].apiKey: want a reference such as ${env:NAME} or ${file:/run/secrets/NAME} (line 1)");
    }

    @Test
    void aGoodReadingDoesNotShowTheKey() {
        world.environment.put("A", HIDDEN);
        assertThat(read("${env:A}").toString()).doesNotContain(HIDDEN);
        assertThat(world.read("upstreams: [{url: http://a, apikey: hunter2}]").toString())
                .doesNotContain(HIDDEN);
        assertThat(world.read("upstreams: [{url: http://a, apiKey: \"hunter2}]").toString())
                .doesNotContain(HIDDEN);
    }

    private Reading read(String written) {
        return world.read("upstreams: [{url: http://a, apiKey: \"" + written + "\"}]");
    }

    private String keyOf(String written) {
        Reading reading = read(written);
        assertThat(reading.problems()).isEmpty();
        return Objects.requireNonNull(
                Objects.requireNonNull(reading.config()).upstreams().get(0).apiKey());
    }
}
