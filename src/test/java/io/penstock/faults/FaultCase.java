package io.penstock.faults;

import io.penstock.faults.Strike.Cut;
import io.penstock.faults.Strike.Manner;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One thing that goes wrong with single requests, at one moment of their answers.
 *
 * @param phase when
 * @param name what
 * @param streamed how a streamed answer is struck; null if this cannot happen to one
 * @param whole how an answer that is no stream is struck; null if this cannot happen to one
 * @param extent how far it reaches
 */
record FaultCase(
        Phase phase,
        String name,
        @Nullable Strike streamed,
        @Nullable Strike whole,
        Extent extent) {

    /** How far a fault reaches. */
    enum Extent {
        /** The first try of two requests of twelve. */
        SINGLE,
        /** The same, and nothing ends the answer: the client gives up, and everything behind it must stop. */
        SILENCE,
        /** Every request at one replica, which says by it that it is dying; the other is well. */
        DYING
    }

    /** How far an answer has come when it is struck. */
    enum Phase {
        NEVER("no fault"),
        BEFORE_HEAD("before the head"),
        BEFORE_OUTPUT("after the head, before output"),
        FIRST_OUTPUT("after the first output"),
        MID_STREAM("in the middle"),
        END("at the end");

        final String label;

        Phase(String label) {
            this.label = label;
        }

        /** Whether nothing was shown yet, so that nothing may be lost. */
        boolean isBeforeOutput() {
            return this == BEFORE_HEAD || this == BEFORE_OUTPUT;
        }
    }

    /** Tokens of each answer in these cases; some of the faults count them. */
    static final int TOKENS = 8;

    /** The menu. */
    static List<FaultCase> all() {
        List<FaultCase> all = new ArrayList<>();
        all.add(new FaultCase(Phase.NEVER, "none", null, null, Extent.SINGLE));
        beforeHead(all);
        statuses(all);
        beforeOutput(all);
        later(all);
        return all;
    }

    private static void beforeHead(List<FaultCase> all) {
        both(all, Phase.BEFORE_HEAD, "FIN", Strike.wire(Cut.NOTHING, Manner.FIN));
        both(all, Phase.BEFORE_HEAD, "RST", Strike.wire(Cut.NOTHING, Manner.RESET));
        both(all, Phase.BEFORE_HEAD, "half a head, FIN", Strike.wire(Cut.HALF_HEAD, Manner.FIN));
        both(all, Phase.BEFORE_HEAD, "half a head, RST", Strike.wire(Cut.HALF_HEAD, Manner.RESET));
        Strike hold = Strike.sim("hold-before-head");
        all.add(new FaultCase(Phase.BEFORE_HEAD, "silence", hold, hold, Extent.SILENCE));
    }

    private static void statuses(List<FaultCase> all) {
        for (int status : List.of(501, 502, 503, 504, 429)) {
            both(all, Phase.BEFORE_HEAD, Integer.toString(status), Strike.sim("status:" + status));
        }
        for (String fault : List.of("status:500", "draining")) {
            String words = fault.equals("draining") ? "cannot schedule new futures" : "EngineCore encountered an issue";
            Strike strike = Strike.sim(fault);
            all.add(new FaultCase(Phase.BEFORE_HEAD, "500 \"" + words + "\"", strike, strike, Extent.DYING));
        }
    }

    private static void beforeOutput(List<FaultCase> all) {
        Phase phase = Phase.BEFORE_OUTPUT;
        both(all, phase, "FIN", Strike.wire(Cut.HEAD, Manner.FIN));
        both(all, phase, "RST", Strike.wire(Cut.HEAD, Manner.RESET));
        streamed(all, phase, "FIN in the first event", "fin-after:0");
        streamed(all, phase, "bad chunk", "malformed-chunk-after:0");
        streamed(all, phase, "clean end without an event", "end-after:0");
        streamed(all, phase, "in-band 503, [DONE]", "error-first");
        all.add(new FaultCase(phase, "in-band 500, [DONE]", Strike.sim("error-after:0"), null, Extent.DYING));
        all.add(new FaultCase(phase, "silence", Strike.sim("stall-before-first-token"), null, Extent.SILENCE));
        whole(all, phase, "half a body with a length, FIN", Strike.sim("short-body"));
        whole(all, phase, "half a body in chunks, FIN", Strike.wire(Cut.HALF_CHUNKED_BODY, Manner.FIN));
        whole(all, phase, "half a body in chunks, RST", Strike.wire(Cut.HALF_CHUNKED_BODY, Manner.RESET));
    }

    private static void later(List<FaultCase> all) {
        streamed(all, Phase.FIRST_OUTPUT, "FIN", "fin-after:1");
        streamed(all, Phase.FIRST_OUTPUT, "RST", "reset-after:1");
        streamed(all, Phase.FIRST_OUTPUT, "clean end", "end-after:1");
        streamed(all, Phase.MID_STREAM, "FIN", "fin-after:4");
        streamed(all, Phase.MID_STREAM, "RST", "reset-after:4");
        streamed(all, Phase.MID_STREAM, "bad chunk", "malformed-chunk-after:4");
        streamed(all, Phase.MID_STREAM, "clean end", "end-after:4");
        all.add(new FaultCase(
                Phase.MID_STREAM, "in-band 500, [DONE]", Strike.sim("error-after:4"), null, Extent.DYING));
        all.add(new FaultCase(Phase.MID_STREAM, "silence", Strike.sim("stall-after:4"), null, Extent.SILENCE));
        streamed(all, Phase.END, "FIN in place of the end marker", "fin-after:" + TOKENS);
        streamed(all, Phase.END, "clean end without the end marker", "no-done");
        streamed(all, Phase.END, "end marker in two pieces", "split-done");
        all.add(new FaultCase(
                Phase.END,
                "only the last chunk missing",
                Strike.wire(Cut.LAST_CHUNK, Manner.FIN),
                null,
                Extent.SINGLE));
    }

    private static void both(List<FaultCase> all, Phase phase, String name, Strike strike) {
        all.add(new FaultCase(phase, name, strike, strike, Extent.SINGLE));
    }

    private static void streamed(List<FaultCase> all, Phase phase, String name, String fault) {
        all.add(new FaultCase(phase, name, Strike.sim(fault), null, Extent.SINGLE));
    }

    private static void whole(List<FaultCase> all, Phase phase, String name, Strike strike) {
        all.add(new FaultCase(phase, name, null, strike, Extent.SINGLE));
    }

    /** Whether it can happen to such an answer. In the other APIs, vLLM does not tell overload from death. */
    boolean concerns(Api api, boolean stream) {
        boolean overload = name.startsWith("in-band 503");
        return phase == Phase.NEVER || (strike(stream) != null && (!overload || api.endsWithDone()));
    }

    /** Whether the client will give up, as nothing ends the answer. */
    boolean silence() {
        return extent == Extent.SILENCE;
    }

    /** Whether it is a replica's sign that it is dying. */
    boolean dying() {
        return extent == Extent.DYING;
    }

    /** How such an answer is struck, null for not at all. */
    @Nullable
    Strike strike(boolean stream) {
        return stream ? streamed : whole;
    }
}
