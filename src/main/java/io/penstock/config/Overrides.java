package io.penstock.config;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the command line says in place of the file, as it was typed: checked by the same rules, with the option as path.
 * It holds at the start and after every reload.
 *
 * @param listen {@code --listen}; null leaves the file's
 * @param admin {@code --admin}; null leaves the file's
 * @param upstreams each {@code --upstream}; empty leaves the file's
 */
public record Overrides(@Nullable String listen, @Nullable String admin, List<String> upstreams) {

    /** Nothing: the file rules. */
    public static final Overrides NONE = new Overrides(null, null, List.of());

    /** Copies the list. */
    public Overrides {
        upstreams = List.copyOf(upstreams);
    }
}
