package io.penstock.migrate;

import java.util.List;

/**
 * One directive of an nginx configuration, with the block that it opens.
 *
 * @param name its first word
 * @param arguments the words after it, without quotes and escapes
 * @param block what stands between its braces; empty when it has none
 * @param line where it begins, from 1
 */
record Directive(String name, List<String> arguments, List<Directive> block, int line) {

    Directive {
        arguments = List.copyOf(arguments);
        block = List.copyOf(block);
    }

    /** The first argument; empty when there is none. */
    String first() {
        return arguments.isEmpty() ? "" : arguments.get(0);
    }

    /** The last argument; empty when there is none. */
    String last() {
        return arguments.isEmpty() ? "" : arguments.get(arguments.size() - 1);
    }

    /** The directives of this name in its block. */
    List<Directive> all(String wanted) {
        return block.stream().filter(each -> each.name().equals(wanted)).toList();
    }

    /** Name and arguments on one printable line, without end of line or brace. */
    String shown() {
        return Plain.text(arguments.isEmpty() ? name : name + " " + String.join(" ", arguments));
    }
}
