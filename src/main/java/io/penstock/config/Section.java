package io.penstock.config;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.nodes.Tag;

/**
 * A cursor over one mapping of the file. It notes every problem with full path, rule and value found, knows which keys
 * were asked for, and at its {@link #end()} refuses all others. Confined to the thread that reads.
 */
final class Section {

    private static final Set<Tag> PLAIN = Set.of(Tag.STR, Tag.INT, Tag.FLOAT, Tag.BOOL, Tag.ENV_TAG);

    private final String path;
    private final Findings findings;
    private final Map<String, NodeTuple> entries = new LinkedHashMap<>();
    private final Set<String> known = new LinkedHashSet<>();

    /**
     * Stands before a mapping.
     *
     * @param path its full path; empty for the whole file
     * @param node the mapping; null for an absent one, in which every key has its default
     * @param findings where problems go
     */
    Section(String path, @Nullable Node node, Findings findings) {
        this.path = path;
        this.findings = findings;
        if (node instanceof MappingNode mapping && mapping.getTag().equals(Tag.MAP)) {
            mapping.getValue().forEach(this::add);
        } else if (node != null) {
            findings.problem(path, lineOf(node), "want a mapping (key: value), got " + describe(node));
        }
    }

    private void add(NodeTuple entry) {
        Node key = entry.getKeyNode();
        if (!(key instanceof ScalarNode scalar)) {
            findings.problem(
                    path.isEmpty() ? "file" : path, lineOf(key), "want keys that are names, got " + describe(key));
            return;
        }
        NodeTuple first = entries.putIfAbsent(scalar.getValue(), entry);
        if (first != null) {
            findings.problem(
                    shown(scalar.getValue()),
                    lineOf(key),
                    "duplicate key, first seen on line " + lineOf(first.getKeyNode()));
        }
    }

    /** Whether the key was written, whatever its value. */
    boolean has(String key) {
        return entries.containsKey(key);
    }

    /** The key's line, or 0. */
    int lineOf(String key) {
        NodeTuple entry = entries.get(key);
        return entry == null ? 0 : lineOf(entry.getKeyNode());
    }

    String pathOf(String key) {
        return path.isEmpty() ? key : path + "." + key;
    }

    /** The key's value, or the fallback when it is absent or bad. */
    <T> T value(String key, Notation<T> notation, T fallback) {
        Scalar found = scalar(key, notation.want());
        T parsed = found == null ? null : findings.parse(found, notation);
        T value = parsed == null ? fallback : parsed;
        findings.setting(
                pathOf(key),
                notation.type(),
                notation.bounds(),
                notation.show().apply(fallback),
                notation.show().apply(value));
        return value;
    }

    /** The key's text, or null when it is absent or, after noting it, no text at all. */
    @Nullable
    Scalar scalar(String key, String want) {
        Node node = node(key);
        return node == null ? null : scalar(pathOf(key), node, want, findings);
    }

    /** Like {@link #scalar(String, String)} for a value that must not be shown, and may be a reference. */
    @Nullable
    Scalar secret(String key) {
        Node node = node(key);
        if (node == null) {
            return null;
        }
        if (node instanceof ScalarNode scalar && PLAIN.contains(scalar.getTag())) {
            return new Scalar(pathOf(key), scalar.getValue(), lineOf(node));
        }
        findings.problem(
                pathOf(key), lineOf(node), "want a reference such as ${env:NAME} or ${file:/run/secrets/NAME}");
        return null;
    }

    /** The key's list of texts, without those that are none, which are noted; null when the key is absent. */
    @Nullable
    List<Scalar> scalars(String key, String want) {
        List<Node> nodes = list(key, "a list, " + want + " each");
        if (nodes == null) {
            return null;
        }
        List<Scalar> found = new ArrayList<>();
        for (int i = 0; i < nodes.size(); i++) {
            Scalar scalar = scalar(pathOf(key) + "[" + i + "]", nodes.get(i), want, findings);
            if (scalar != null) {
                found.add(scalar);
            }
        }
        return found;
    }

    /** A mapping from names that obey a rule to values that must not be shown. Bad entries are noted and left out. */
    Map<String, String> secrets(String key, Notation<String> names, Secrets by) {
        findings.setting(pathOf(key), "mapping", names.bounds() + " to ${env:NAME} or ${file:/path}", "{}", "");
        return section(key, inner -> {
            Map<String, String> good = new LinkedHashMap<>();
            for (String name : inner.entries.keySet()) {
                Scalar written = inner.secret(name);
                boolean named = findings.parse(new Scalar(inner.path, name, inner.lineOf(name)), names) != null;
                String value = written == null ? null : by.resolveText(written);
                if (named && value != null) {
                    good.put(name, value);
                }
            }
            return good;
        });
    }

    /** A list whose entries each obey a rule. Bad entries are noted and left out. */
    List<String> texts(String key, Notation<String> each) {
        List<Scalar> found = scalars(key, each.want());
        List<String> good = new ArrayList<>();
        for (Scalar scalar : found == null ? List.<Scalar>of() : found) {
            String value = findings.parse(scalar, each);
            if (value != null && good.contains(value)) {
                findings.problem(scalar.path(), scalar.line(), "stands there twice: " + scalar.shown());
            } else if (value != null) {
                good.add(value);
            }
        }
        findings.setting(pathOf(key), "list", each.bounds(), "[]", good.toString());
        return good;
    }

    /** The key's list; null when it is absent or, after noting it, no list. */
    @Nullable
    List<Node> list(String key, String want) {
        Node node = node(key);
        if (node == null) {
            return null;
        }
        if (node instanceof SequenceNode sequence) {
            return sequence.getValue();
        }
        findings.problem(pathOf(key), lineOf(node), "want " + want + ", got " + describe(node));
        return null;
    }

    /** What the reader makes of the mapping under a key, which is empty when the key is absent. */
    <T> T section(String key, Function<Section, T> reader) {
        Section section = new Section(pathOf(key), node(key), findings);
        T value = reader.apply(section);
        section.end();
        return value;
    }

    /** The node under a key, noted as known; null when it is absent. */
    @Nullable
    Node node(String key) {
        known.add(key);
        NodeTuple entry = entries.get(key);
        return entry == null ? null : entry.getValueNode();
    }

    /** Refuses every key that nobody asked for. */
    void end() {
        for (String key : entries.keySet()) {
            if (!known.contains(key)) {
                String near = Suggestion.nearest(key, known);
                String hint = near == null
                        ? "; known here: " + known.stream().collect(Collectors.joining(", "))
                        : ", did you mean " + near + "?";
                findings.problem(shown(key), lineOf(key), "unknown key" + hint);
            }
        }
    }

    /** The path of a key that may be anything. */
    private String shown(String key) {
        return pathOf(new Scalar("", key, 0).shown());
    }

    static @Nullable Scalar scalar(String path, Node node, String want, Findings findings) {
        if (!(node instanceof ScalarNode scalar) || !PLAIN.contains(scalar.getTag())) {
            findings.problem(path, lineOf(node), "want " + want + ", got " + describe(node));
            return null;
        }
        if (scalar.getValue().contains("${")) {
            // Everything but a key ends up in logs and status pages, so no secret may get in there.
            findings.problem(
                    path,
                    lineOf(node),
                    "want " + want + ", got a reference: only keys and tracing.headers may hold one");
            return null;
        }
        return new Scalar(path, scalar.getValue(), lineOf(node));
    }

    static int lineOf(Node node) {
        return node.getStartMark().map(mark -> mark.getLine() + 1).orElse(0);
    }

    /** What stands there, for a message. */
    static String describe(Node node) {
        if (node.getTag().equals(Tag.NULL)) {
            return "nothing";
        }
        return switch (node.getNodeType()) {
            case MAPPING -> "a mapping";
            case SEQUENCE -> "a list";
            case ANCHOR, SCALAR ->
                PLAIN.contains(node.getTag())
                        ? new Scalar("", ((ScalarNode) node).getValue(), 0).shown()
                        : "the tag " + new Scalar("", node.getTag().getValue(), 0).shown();
        };
    }
}
