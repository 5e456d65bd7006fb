package io.penstock.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.proxy.ApiTable.Dialect;
import io.penstock.selection.Prompt;
import io.penstock.selection.RequestTraits;
import io.vertx.core.buffer.Buffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class PromptReaderTest {

    private static final String LONG = words(1, 2000);
    private static final String LATER = words(2, 2000);
    private static final String TOOLS =
            "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"read\",\"description\":" + "\"" + words(3, 1000)
                    + "\",\"parameters\":{\"type\":\"object\",\"x\":[1,2.5,true,null]}}}]";

    // ---- what must be the same --------------------------------------------------------------------------------------

    static Stream<List<String>> same() {
        String messages = "\"messages\":[" + user(LONG) + "]";
        String parts = "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"" + LONG + "\"},{\"text\":\""
                + LATER + "\",\"type\":\"text\"}]}";
        return Stream.of(
                List.of( // Where other keys stand, and which.
                        "{\"model\":\"m\",\"stream\":true," + messages + "}",
                        "{" + messages + ",\"temperature\":0.5,\"stop\":[\"a\",{\"b\":[]}],\"model\":\"m\"}",
                        "{\"seed\":null , " + messages + "\n, \"max_tokens\" : 7, \"model\":\"m\", \"user\":\"u\"}"),
                List.of( // Members of a message.
                        "{\"messages\":[" + user(LONG) + "]}",
                        "{\"messages\":[{\"content\":\"" + LONG + "\",\"role\":\"user\"}]}",
                        "{\"messages\":[{\"id\":\"msg_1\",\"content\":\"" + LONG
                                + "\",\"refusal\":null,\"tool_calls\":null,\"name\":null,\"role\":\"user\"}]}",
                        "{\"messages\":[{\"tool_calls\":[],\"content\":[{\"type\":\"text\",\"text\":\"" + LONG
                                + "\",\"cache_control\":{\"type\":\"ephemeral\"}}],\"role\":\"user\"}]}"),
                List.of( // Tools before and after the messages.
                        "{" + TOOLS + "," + messages + "}", "{" + messages + "," + TOOLS.replace(":", " : ") + "}"),
                List.of( // Parts of text are lines.
                        "{\"messages\":[" + parts + "]}", "{\"messages\":[" + user(LONG + "\\n" + LATER) + "]}"),
                List.of( // What is said beside the content stands where it likes.
                        "{\"messages\":[{\"role\":\"assistant\",\"content\":null,\"name\":\"n\",\"tool_calls\":[{\"f\":\""
                                + LONG + "\"}]}]}",
                        "{\"messages\":[{\"tool_calls\":[{\"f\":\"" + LONG
                                + "\"}],\"role\":\"assistant\",\"name\":\"n\"}]}"),
                List.of( // Of equal keys the last counts.
                        "{" + messages + "}",
                        "{\"messages\":[" + system(LATER) + "]," + TOOLS + "," + messages + ",\"tools\":null}"),
                List.of( // The same conversation, for three APIs.
                        "{\"messages\":[" + system(LATER) + "," + user(LONG) + "]," + TOOLS + "}",
                        "{" + TOOLS + ",\"messages\":[" + user(LONG) + "],\"system\":\"" + LATER + "\"}",
                        "{\"messages\":[" + user(LONG) + "],\"system\":[{\"type\":\"text\",\"text\":\"" + LATER
                                + "\"}]," + TOOLS + "}",
                        "RESPONSES{\"input\":\"" + LONG + "\"," + TOOLS + ",\"instructions\":\"" + LATER + "\"}",
                        "RESPONSES{\"input\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\""
                                + LONG + "\"}]}],\"instructions\":\"" + LATER + "\"," + TOOLS + "}"),
                List.of( // Several prompts: the first gives the pieces.
                        "{\"prompt\":\"" + LONG + "\"}", "{\"prompt\":[\"" + LONG + "\",\"" + LATER + "\"]}"),
                List.of(
                        "{\"prompt\":[" + numbers(0, 500) + "]}",
                        "{\"prompt\":[[" + numbers(0, 500) + "],[" + numbers(7, 90) + "]]}",
                        "{\"token_ids\":[" + numbers(0, 500) + "]}"),
                List.of("{" + messages + "}", "{\"messages\":[[" + user(LONG) + "],[" + user(LATER) + "]]}"));
    }

    @ParameterizedTest
    @MethodSource("same")
    void equalPromptsHaveEqualPieces(List<String> bodies) {
        List<Long> first = pieces(bodies.get(0));

        assertThat(first).hasSizeGreaterThan(5);
        for (String body : bodies) {
            assertThat(pieces(body)).as(body).isEqualTo(first);
        }
    }

    // ---- what must not be the same ----------------------------------------------------------------------------------

    private static final List<String> BEGINNINGS = List.of(
            "\"messages\":[{\"role\":\"user\",\"content\":\"$\"}]",
            "\"messages\":[{\"role\":\"system\",\"content\":\"$\"}]",
            "\"messages\":[{\"role\":7,\"content\":\"$\"}]",
            "\"messages\":[{\"content\":\"$\"}]",
            "\"messages\":[{\"role\":\"user\",\"content\":\"+$\"}]",
            "\"messages\":[{\"role\":\"user\",\"content\":\"\"},{\"role\":\"user\",\"content\":\"$\"}]",
            "\"messages\":[{\"role\":\"user\",\"name\":\"n\"},{\"role\":\"user\",\"content\":\"$\"}]",
            "\"messages\":[{\"role\":\"user\",\"name\":\"\\u006e2\"},{\"role\":\"user\",\"content\":\"$\"}]",
            "\"prompt\":\"$\"",
            "\"model\":\"m\",\"prompt\":\"$\"",
            "\"model\":\"n\",\"prompt\":\"$\"",
            "\"cache_salt\":\"a\",\"prompt\":\"$\"",
            "\"cache_salt\":\"b\",\"prompt\":\"$\"",
            "\"chat_template\":\"a\",\"prompt\":\"$\"",
            "\"tools\":[\"a\",\"b\"],\"messages\":[{\"role\":\"user\",\"content\":\"$\"}]",
            "\"tools\":[[\"a\"],\"b\"],\"messages\":[{\"role\":\"user\",\"content\":\"$\"}]",
            "\"tools\":[\"ab\"],\"messages\":[{\"role\":\"user\",\"content\":\"$\"}]",
            "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":\"a\"}},"
                    + "{\"type\":\"text\",\"text\":\"$\"}]}]",
            "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":\"b\"}},"
                    + "{\"type\":\"text\",\"text\":\"$\"}]}]");

    @Test
    void everyBeginningHasPiecesOfItsOwn() {
        Map<Long, String> owners = new HashMap<>();
        for (String members : BEGINNINGS) {
            List<Long> own = pieces("{" + members.replace("$", LONG) + "}");

            assertThat(own).hasSizeGreaterThan(5);
            for (long piece : own) {
                assertThat(owners.put(piece, members)).as(members).isNull();
            }
        }
    }

    @Test
    void aPromptThatDiffersLaterSharesItsBeginning() {
        List<Long> one = pieces(chat(system(LONG), user(LATER + "x")));
        List<Long> other = pieces(chat(system(LONG), user(LATER + "y")));
        List<Long> third = pieces(chat(system(LONG), user("z" + LATER)));

        assertThat(shared(one, other)).isBetween(14, 15);
        assertThat(shared(one, third)).isEqualTo(7);
        assertThat(shared(one, pieces(chat(system(LATER), user(LONG))))).isZero();
    }

    @Test
    void systemWordsAreChainedBeforeTools() {
        List<Long> without = pieces(chat(system(LONG), user(LATER)));
        List<Long> with = pieces("{" + TOOLS + ",\"messages\":[" + system(LONG) + "," + user(LATER) + "]}");

        assertThat(shared(without, with)).isEqualTo(7);
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3})
    void anotherTurnExtendsThePieces(long seed) {
        Random random = new Random(seed);
        for (int round = 0; round < 100; round++) {
            List<String> turns = new ArrayList<>();
            List<Long> before = List.of();
            long bytes = 0;
            for (int turn = 0; turn < 12; turn++) {
                String text =
                        words(random.nextLong(), random.nextInt(4) == 0 ? random.nextInt(3000) : random.nextInt(90));
                turns.add(random.nextInt(5) > 0 ? user(text) : callOf(text));
                bytes += text.length();
                List<Long> now = pieces(chat(turns.toArray(String[]::new)));
                assertThat(shared(before, now)).isEqualTo(before.size());
                assertThat((long) now.size()).isBetween(bytes / 256 - 1, bytes / 256 + 5);
                before = now;
            }
        }
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3})
    void itDoesNotMatterHowCharactersAreWritten(long seed) {
        Random random = new Random(seed);
        for (int round = 0; round < 200; round++) {
            StringBuilder raw = new StringBuilder();
            StringBuilder escaped = new StringBuilder();
            for (int i = random.nextInt(6000); i > 0; i--) {
                int c = SOME_CHARACTERS[random.nextInt(SOME_CHARACTERS.length)];
                String unit = Character.toString(c);
                raw.append(c < ' ' || c == '"' || c == '\\' ? shortEscape(c) : unit);
                escaped.append(
                        random.nextInt(3) > 0
                                ? unicodeEscape(unit)
                                : c < ' ' || c == '"' || c == '\\' ? shortEscape(c) : unit);
            }
            Prompt prompt = read("{\"prompt\":\"" + raw + "\"}").prompt();

            assertThat(read("{\"prompt\":\"" + escaped + "\"}").prompt()).isEqualTo(prompt);
            assertThat(read("{\"prompt\":\"" + raw + "!\"}").prompt().tokens()).isGreaterThanOrEqualTo(prompt.tokens());
        }
    }

    private static final int[] SOME_CHARACTERS =
            "abc xyz\n\t\r\b\f\"\\/äé你好😀𝄞".codePoints().toArray();

    private static String shortEscape(int c) {
        return switch (c) {
            case '\n' -> "\\n";
            case '\t' -> "\\t";
            case '\r' -> "\\r";
            case '\b' -> "\\b";
            case '\f' -> "\\f";
            default -> "\\" + (char) c;
        };
    }

    private static String unicodeEscape(String character) {
        return character
                .chars()
                .mapToObj(c -> String.format(c % 2 == 0 ? "\\u%04x" : "\\u%04X", c))
                .collect(Collectors.joining());
    }

    @Test
    void aBodyInBlocksHasTheSamePrompt() {
        Buffer whole = Buffer.buffer(chat(user((words(5, 3000) + "\\u00e9\\ud83d\\ude00\\n").repeat(300))));
        BodyBlocks blocks = new BodyBlocks();
        blocks.append(whole, whole.length());

        assertThat(read(blocks.whole(), Dialect.OPENAI).prompt())
                .isEqualTo(read(whole, Dialect.OPENAI).prompt());
        assertThat(read(whole, Dialect.OPENAI).prompt().pieces()).isGreaterThan(3500);
    }

    @Test
    void aMarkAtTheBeginningOfTheBodyIsNoObstacle() {
        assertThat(pieces("\ufeff" + chat(user(LONG)))).isEqualTo(pieces(chat(user(LONG))));
    }

    @Test
    void anotherSeedMakesOtherPieces() {
        Buffer body = Buffer.buffer(chat(user(LONG)));
        Caller caller = new Caller("someone", false);
        Prompt one =
                new BodyTraits(null, Dialect.OPENAI, caller, 1, true).read(body).prompt();
        Prompt other =
                new BodyTraits(null, Dialect.OPENAI, caller, 2, true).read(body).prompt();

        assertThat(one.pieces()).isEqualTo(other.pieces());
        assertThat(one.piece(0)).isNotEqualTo(other.piece(0));
    }

    @Test
    void aPromptHasNoMorePiecesThanAnyModelReads() {
        assertThat(read("{\"prompt\":\"" + "x".repeat(20 << 20) + "\"}").prompt())
                .extracting(Prompt::pieces, Prompt::tokens)
                .containsExactly(1 << 14, 5 << 20);
    }

    // ---- how long it is ---------------------------------------------------------------------------------------------

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{}                                                                     | 0",
                "[]                                                                     | 0",
                "{\"prompt\":\"12345678\"}                                          | 2",
                "{\"prompt\":\"123456789\"}                                         | 3",
                "{\"prompt\":\"\\u00e9\\n\\n\"}                               | 1",
                "{\"prompt\":[\"12345678\",\"12345678\"]}                         | 4",
                "{\"prompt\":[1,2,3]}                                                 | 3",
                "{\"prompt\":[1,-2,12345678901234567890,null,[],3]}                   | 4",
                "{\"prompt\":[[1,2,3],[4,5],[]]}                                      | 5",
                "{\"prompt\":[null,true,{\"a\":[1]},\"1234\"]}                    | 1",
                "{\"prompt\":[]}                                                      | 0",
                "{\"prompt\":7}                                                       | 0",
                "{\"input\":[\"12345678\",\"1234\"]}                              | 3",
                "{\"input\":[[1,2],[3]]}                                              | 3",
                "{\"text_1\":\"1234\",\"text_2\":[\"1234\",\"1234\"]}         | 3",
                "{\"query\":\"1234\",\"documents\":[\"12345\"]}                 | 3",
                "{\"messages\":[{\"role\":\"user\",\"content\":\"1234\"}]}    | 5",
                "{\"messages\":[{\"content\":[{\"image_url\":{\"url\":\"x\"}}]}]} | 1004",
                "{\"messages\":[{\"content\":[{\"image_url\":null},\"1234\",7]}]}   | 5",
                "{\"messages\":[{\"content\":{\"text\":\"1234\"}}]}             | 5",
                "{\"messages\":[{\"content\":7}, 7, \"x\"]}                       | 4",
                "{\"messages\":[[{\"content\":\"1234\"}],[{\"content\":\"1234\"}]]} | 10",
                "{\"messages\":\"1234\"}                                            | 5",
                "{\"messages\":{}}                                                    | 0",
                "{\"messages\":[],\"system\":null}                                  | 0",
                "{\"model\":\"m\",\"prompt\":\"12345678                          | 2",
            })
    void tokensAreEstimated(String body, int tokens) {
        assertThat(read(body).prompt().tokens()).isEqualTo(tokens);
    }

    @Test
    void anImageHasPiecesOfItsOwn() {
        String image = "{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:$\"}}]}";
        List<Long> one = pieces(chat(system(LONG), image.replace("$", "a")));
        List<Long> other = pieces(chat(system(LONG), image.replace("$", "b")));

        assertThat(one).hasSizeGreaterThan(20).doesNotHaveDuplicates();
        assertThat(shared(one, other)).isEqualTo(7);
    }

    @Test
    void textsToEmbedHaveNoPieces() {
        assertThat(pieces("{\"input\":\"" + LONG + "\"}")).isEmpty();
        assertThat(pieces("{\"input\":[\"" + LONG + "\"]}")).isEmpty();
    }

    @Test
    void resultsOfToolsBelongToTheMessage() {
        String result =
                "{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"t\",\"content\":$}]}";
        String use =
                "{\"role\":\"assistant\",\"content\":[{\"type\":\"tool_use\",\"name\":\"n\",\"input\":{\"a\":\"$\"}}]}";
        List<Long> text = pieces(chat(result.replace("$", "\"" + LONG + "\""), user(LATER)));

        assertThat(text).isEqualTo(pieces(chat(result.replace("$", "[{\"text\":\"" + LONG + "\"}]"), user(LATER))));
        assertThat(shared(text, pieces(chat(result.replace("$", "\"" + LATER + "\""), user(LATER)))))
                .isZero();
        assertThat(shared(pieces(chat(use.replace("$", LONG))), pieces(chat(use.replace("$", LATER)))))
                .isZero();
    }

    // ---- garbage ----------------------------------------------------------------------------------------------------

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3})
    void noBytesMakeItThrow(long seed) {
        Random random = new Random(seed);
        List<byte[]> good = same().flatMap(List::stream)
                .map(body -> body.replace("RESPONSES", "")
                        .replace(LONG, "x\\ud83d\\ude00")
                        .replace(LATER, "\\n"))
                .map(body -> body.getBytes(StandardCharsets.UTF_8))
                .toList();
        for (int i = 0; i < 30_000; i++) {
            byte[] bytes = good.get(random.nextInt(good.size())).clone();
            for (int n = random.nextInt(4); n >= 0; n--) {
                bytes[random.nextInt(bytes.length)] = (byte)
                        (random.nextBoolean() ? random.nextInt(256) : "\"\\u[]{},:0n".charAt(random.nextInt(11)));
            }
            Buffer body =
                    Buffer.buffer(bytes).slice(0, random.nextInt(3) > 0 ? bytes.length : random.nextInt(bytes.length));
            Dialect dialect = random.nextBoolean() ? Dialect.OPENAI : Dialect.RESPONSES;

            assertThat(read(body, dialect).bodyBytes()).isEqualTo(body.length());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"UTF-16LE", "UTF-32BE"})
    void inOtherEncodingsOnlyTheShapeIsSeen(String charset) {
        byte[] bytes = chat(user(LONG)).getBytes(java.nio.charset.Charset.forName(charset));

        assertThat(read(Buffer.buffer(bytes), Dialect.OPENAI).prompt().tokens()).isEqualTo(4);
    }

    // ---- bodies -----------------------------------------------------------------------------------------------------

    private static String words(long seed, int length) {
        Random random = new Random(seed);
        return IntStream.range(0, length)
                .mapToObj(i -> i % 7 == 6 ? " " : String.valueOf((char) ('a' + random.nextInt(26))))
                .collect(Collectors.joining());
    }

    private static String numbers(int from, int count) {
        return IntStream.range(from, from + count).mapToObj(String::valueOf).collect(Collectors.joining(", "));
    }

    private static String user(String text) {
        return "{\"role\":\"user\",\"content\":\"" + text + "\"}";
    }

    private static String system(String text) {
        return "{\"role\":\"system\",\"content\":\"" + text + "\"}";
    }

    private static String callOf(String text) {
        return "{\"role\":\"assistant\",\"tool_calls\":[{\"arguments\":\"" + text + "\"}]}";
    }

    private static String chat(String... messages) {
        return "{\"messages\":[" + String.join(",", messages) + "]}";
    }

    private static int shared(List<Long> one, List<Long> other) {
        int count = 0;
        while (count < Math.min(one.size(), other.size()) && one.get(count).equals(other.get(count))) {
            count++;
        }
        return count;
    }

    private static List<Long> pieces(String body) {
        boolean responses = body.startsWith("RESPONSES");
        Prompt prompt = read(
                        Buffer.buffer(body.replace("RESPONSES", "")), responses ? Dialect.RESPONSES : Dialect.OPENAI)
                .prompt();
        return IntStream.range(0, prompt.pieces()).mapToObj(prompt::piece).toList();
    }

    private static RequestTraits read(String body) {
        return read(Buffer.buffer(body), Dialect.OPENAI);
    }

    private static RequestTraits read(Buffer body, Dialect dialect) {
        return new BodyTraits("application/json", dialect, new Caller("someone", false), 7, true).read(body);
    }
}
