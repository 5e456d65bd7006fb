package io.penstock.config;

import java.util.List;

/**
 * Where the configuration stands, for the operator.
 *
 * @param source where it is read
 * @param current what is in force; its {@code listen} and {@code admin} are those of the start
 * @param hash of the content that is in force
 * @param appliedCount configurations that were put into force since the start, the first included
 * @param rejectedCount bad contents that were seen since the start, each once until it changes
 * @param problems what is wrong with the file as it is now; empty when it is in force
 * @param warnings what is allowed but will hurt, of the configuration in force
 * @param lastChange what the last change did to what was in force before, in words; empty before the first
 * @param pendingRestart what the file says and only a restart will bring
 */
public record ConfigState(
        String source,
        PenstockConfig current,
        String hash,
        long appliedCount,
        long rejectedCount,
        List<String> problems,
        List<String> warnings,
        List<String> lastChange,
        List<String> pendingRestart) {

    /** Copies the lists. */
    public ConfigState {
        problems = List.copyOf(problems);
        warnings = List.copyOf(warnings);
        lastChange = List.copyOf(lastChange);
        pendingRestart = List.copyOf(pendingRestart);
    }
}
