package io.penstock.proxy;

import io.penstock.selection.RequestTraits;
import io.vertx.core.buffer.Buffer;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** What reading a body for routing costs, on one thread. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class BodyTraitsBenchmark {

    /** Which body. */
    @Param({"chat-220k", "newlines-220k", "escaped-220k", "chat-2k", "chat-900k", "tools-60k", "ids-40000"})
    public String kind = "";

    /** Whether its prompt is read, too. */
    @Param({"true", "false"})
    public boolean prompts;

    private Buffer body = Buffer.buffer();

    /** Makes the body. */
    @Setup
    public void prepare() {
        body = switch (kind) {
            case "chat-220k" -> Bodies.blocks(Bodies.chat(220_000, " ", 1));
            case "newlines-220k" -> Bodies.blocks(Bodies.chat(220_000, "\\n", 1));
            case "escaped-220k" -> Bodies.blocks(Bodies.escaped(220_000));
            case "chat-2k" -> Bodies.blocks(Bodies.chat(2_000, " ", 1));
            case "chat-900k" -> Bodies.blocks(Bodies.chat(900_000, " ", 1));
            case "tools-60k" -> Bodies.blocks(Bodies.tools(60_000));
            case "ids-40000" -> Bodies.blocks(Bodies.ids(40_000));
            default -> throw new IllegalArgumentException(kind);
        };
    }

    /** Reads it. */
    @Benchmark
    public RequestTraits read() {
        return Bodies.traits(body, prompts);
    }
}
