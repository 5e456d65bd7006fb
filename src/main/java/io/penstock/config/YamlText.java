package io.penstock.config;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.ReaderException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.Tag;
import org.snakeyaml.engine.v2.schema.CoreSchema;

/**
 * Turns the file's bytes into nodes that know their lines. YAML 1.2 with the core schema, so {@code no} is a text and
 * {@code 0123} no octal number. Nothing is constructed, so no tag can make an object.
 */
final class YamlText {

    private YamlText() {}

    /** The top node; null after noting why there is none. */
    static @Nullable Node compose(byte[] bytes, String source, Findings findings) {
        String text = text(bytes, source, findings);
        return text == null ? null : compose(text, source, findings);
    }

    private static @Nullable String text(byte[] bytes, String source, Findings findings) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException fault) {
            findings.problem(source, 0, "want text in UTF-8");
            return null;
        }
    }

    private static @Nullable Node compose(String text, String source, Findings findings) {
        LoadSettings settings = LoadSettings.builder()
                .setSchema(new CoreSchema())
                .setLabel(source)
                .build();
        try {
            Node node = new Compose(settings)
                    .composeString(stripByteOrderMark(text))
                    .orElse(null);
            if (node == null || node.getTag().equals(Tag.NULL)) {
                findings.problem(source, 0, "the file is empty; want at least upstreams");
                return null;
            }
            if (!(node instanceof MappingNode)) {
                findings.problem(
                        source,
                        Section.lineOf(node),
                        "want keys and values (upstreams: ...), got " + Section.describe(node));
                return null;
            }
            return node;
        } catch (MarkedYamlEngineException fault) {
            findings.problem(atMark(fault, text, source));
        } catch (ReaderException fault) {
            findings.problem(
                    source, 0, "no YAML: it holds the character U+" + String.format("%04X", fault.getCodePoint()));
        } catch (YamlEngineException fault) {
            findings.problem(source, 0, "no YAML: it uses too many or endless aliases");
        } catch (StackOverflowError fault) {
            // Composing recurses; a megabyte of brackets is deeper than any stack, and no reason to die.
            findings.problem(source, 0, "no YAML: nested too deeply");
        }
        return null;
    }

    /** Without the library's snippet of the text, in which a key may stand. */
    private static Problem atMark(MarkedYamlEngineException fault, String text, String source) {
        int line = fault.getProblemMark().map(mark -> mark.getLine() + 1).orElse(0);
        int column = fault.getProblemMark().map(mark -> mark.getColumn() + 1).orElse(0);
        String reason = fault.getProblem() == null ? "syntax error" : fault.getProblem();
        boolean reference =
                text.lines().skip(Math.max(0, line - 1)).findFirst().orElse("").contains("${");
        String hint = reference ? "; inside { } or [ ], put quotes around \"${...}\"" : "";
        return new Problem(source, "no YAML: " + reason + hint, line, column);
    }

    private static String stripByteOrderMark(String text) {
        return text.startsWith("\uFEFF") ? text.substring(1) : text;
    }
}
