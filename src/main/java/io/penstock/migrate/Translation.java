package io.penstock.migrate;

import java.util.List;

/**
 * A configuration that was made from another proxy's.
 *
 * @param yaml the text of a {@code penstock.yaml} that passes {@code penstock check}
 * @param lost what could not be carried over, each with its line; empty when the two are equivalent
 */
public record Translation(String yaml, List<String> lost) {

    /** Copies the list. */
    public Translation {
        lost = List.copyOf(lost);
    }
}
