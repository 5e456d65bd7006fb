package io.penstock.migrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class NginxTextTest {

    @Test
    void blocksNestAndKnowTheirLines() throws UnusableFile {
        assertThat(NginxText.parse("a 1;\nb {\n c 2 3;\n d { }\n}\n"))
                .containsExactly(
                        new Directive("a", List.of("1"), List.of(), 1),
                        new Directive(
                                "b",
                                List.of(),
                                List.of(
                                        new Directive("c", List.of("2", "3"), List.of(), 3),
                                        new Directive("d", List.of(), List.of(), 4)),
                                2));
    }

    /** Written with | for a line break. */
    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '`',
            delimiter = '~',
            value = {
                "a b c;~ b/c",
                "a  b\t|c ;~ b/c",
                "a 'b c' \"d;{}\";~ b c/d;{}",
                "a 'it\\'s' \"x\\\\y\";~ it's/x\\y",
                "a b#c # d;|e;~ b#c/e",
                "a b\\;c;~ b\\;c",
                "a ^/v1\\.;~ ^/v1\\.",
                "a b\\ c;~ b\\ c",
                "a x'y' z\"w;~ x'y'/z\"w",
                "a ${host}/x $b;~ ${host}/x/$b",
                "a x} y;~ x}/y",
                "a 'b\\tc';~ b\tc",
                "a \"\" b;~ /b",
            })
    void wordsEndWhereNginxEndsThem(String text, String words) throws UnusableFile {
        String file = text.replace('|', '\n');
        List<Directive> parsed = NginxText.parse(file);

        assertThat(parsed).hasSize(1);
        assertThat(String.join("/", parsed.get(0).arguments())).isEqualTo(words);
    }

    @Test
    void aByteOrderMarkAndLinesOfWindowsAreTaken() throws UnusableFile {
        assertThat(NginxText.parse("\uFEFFa b;\r\n# c\r\nd;\r\n"))
                .containsExactly(
                        new Directive("a", List.of("b"), List.of(), 1), new Directive("d", List.of(), List.of(), 3));
    }

    @Test
    void aQuotedTextMayHaveSeveralLines() throws UnusableFile {
        assertThat(NginxText.parse("a 'b\nc';\nd;").get(1).line()).isEqualTo(3);
    }

    @ParameterizedTest
    @MethodSource("malformed")
    void aMalformedFileIsRefusedWithItsLine(String text, String message) {
        assertThatThrownBy(() -> NginxText.parse(text))
                .isInstanceOf(UnusableFile.class)
                .hasMessageContaining(message);
    }

    static List<Arguments> malformed() {
        return List.of(
                of("a;\nb c", "line 2: the file ends inside the directive that begins in line 2"),
                of("a {\nb;\n", "line 3: the file ends inside the block that begins in line 1"),
                of("a {\nb c\n}", "line 3: unexpected \"}\"; want \";\" before it"),
                of("a;\n}", "line 2: unexpected \"}\""),
                of("\n;", "line 2: unexpected \";\""),
                of("\n\n{ }", "line 3: unexpected \"{\""),
                of("a\n'b", "line 2: the file ends inside the quoted text that begins in line 2"),
                of("a 'b'c;", "line 1: unexpected \"c\" after a quoted text"),
                of("a\n\"b\"# c;", "line 2: unexpected \"#\" after a quoted text"),
                of("a b\\", "line 1: the file ends inside the directive"),
                of("a{".repeat(100_000), "line 1: more than 64 blocks"));
    }

    private static Arguments of(String text, String message) {
        return Arguments.of(text, message);
    }
}
