package io.penstock.sim;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class StepEngineTest {

    private final VirtualTime time = new VirtualTime();
    private final List<String> trace = new ArrayList<>();

    @Test
    void stepsLastAsTheFormulaSays() {
        VirtualReplica replica = new VirtualReplica(EngineProfile.H100_8B, time);
        submit(replica, "a", 0, 1_600, 3);
        time.runAll();

        // 1600 tokens at 16,000 a second, then two decode steps with 1601 and 1602 tokens of context.
        assertThat(trace).containsExactly("a0@100000000", "a1@107184040", "a2@114368120");
    }

    private VirtualReplica.Call submit(VirtualReplica replica, String name, int group, int tokens, int output) {
        return replica.submit(
                pieces(group, tokens), tokens, output, index -> trace.add(name + index + "@" + time.getAsLong()));
    }

    static long[] pieces(int group, int tokens) {
        long[] pieces = new long[tokens / VirtualReplica.PIECE_TOKENS];
        for (int i = 0; i < pieces.length; i++) {
            pieces[i] = group * 1_000_003L + i;
        }
        return pieces;
    }
}
