package io.penstock.sim;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one request will say, all of it known before its first token.
 *
 * @param tokens the pieces of text, at least one
 * @param stop the stop sequence that ended it, or null if it ran into its length limit
 */
record Completion(List<String> tokens, @Nullable String stop) {

    /** Copies the tokens. */
    Completion {
        tokens = List.copyOf(tokens);
    }

    /** Writes the answer to a prompt: up to a number of tokens, or to where a stop sequence would begin. */
    static Completion of(String prompt, int limit, List<String> stops) {
        long seed = SimText.seedOf(prompt);
        List<String> tokens = new ArrayList<>();
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < limit; i++) {
            String token = SimText.token(seed, i);
            text.append(token);
            for (String stop : stops) {
                int found = text.indexOf(stop, Math.max(0, text.length() - token.length() - stop.length()));
                if (!stop.isEmpty() && found >= 0) {
                    // What was streamed before cannot be taken back, so the last piece may be empty.
                    int begun = text.length() - token.length();
                    tokens.add(found > begun ? text.substring(begun, found) : "");
                    return new Completion(tokens, stop);
                }
            }
            tokens.add(token);
        }
        return new Completion(tokens, null);
    }

    int size() {
        return tokens.size();
    }

    String text() {
        return String.join("", tokens);
    }

    String finishReason() {
        return stop == null ? "length" : "stop";
    }
}
