package io.penstock.admission;

import io.penstock.config.PenstockConfig.Policy;
import io.penstock.proxy.Bodies;
import io.penstock.selection.RequestTraits;
import io.penstock.upstream.Fleet;
import io.penstock.upstream.Lease;
import io.penstock.upstream.LiveUpstreams;
import io.penstock.upstream.Outcome;
import io.penstock.upstream.Upstream;
import io.penstock.upstream.UpstreamState;
import io.vertx.core.buffer.Buffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
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
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What one request costs the waiting room, from its choice among sixteen replicas to its end, with a prompt of 220 KB. All
 * threads share one room. Of a hundred requests that each thread has sent, all but the newest are being answered.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class DecisionBenchmark {

    private static final int REPLICAS = 16;
    private static final int PROMPT_BYTES = 220_000;
    /** More than all replicas together remember. */
    private static final int PROMPTS = 1_024;

    private static final String CONTENT = "\"content\":\"";
    private static final int ANSWERED = 100;
    private static final long STEP_NANOS = 20_000_000;

    /** The room that all threads share. */
    @State(Scope.Benchmark)
    public static class Room {

        /** Who decides. */
        @Param({"predicted_delay", "least_in_flight", "round_robin"})
        public String policy = "";

        /** Whether nobody has read any part of a prompt lately, or everybody all but its last 4 KB. */
        @Param({"new", "known"})
        public String prompts = "";

        private final AtomicLong now = new AtomicLong();
        private final AtomicInteger callers = new AtomicInteger();
        private final List<RequestTraits> requests = new ArrayList<>();
        private final LiveUpstreams live = Fleet.live(replicas());
        private WaitingRoom room = room(Policy.LEAST_IN_FLIGHT);

        private static Upstream[] replicas() {
            Upstream[] replicas = new Upstream[REPLICAS];
            for (int i = 0; i < REPLICAS; i++) {
                replicas[i] = Fleet.upstream("vllm" + i);
            }
            return replicas;
        }

        private WaitingRoom room(Policy by) {
            return new WaitingRoom(live, WaitingRoomTest.config(by, 4_096), now::get);
        }

        /** Makes the prompts. If they are known, all begin alike, and everybody has seen the first one. */
        @Setup
        public void prepare() {
            room = room(Policy.valueOf(policy.toUpperCase(Locale.ROOT)));
            boolean known = prompts.equals("known");
            StringBuilder body =
                    new StringBuilder(Bodies.chat(PROMPT_BYTES, " ", 1).toString());
            int at = known ? body.lastIndexOf(CONTENT) : body.indexOf(CONTENT);
            for (int i = 0; i < PROMPTS; i++) {
                String own =
                        new StringBuilder(body).insert(at + CONTENT.length(), i).toString();
                requests.add(Bodies.traits(Buffer.buffer(own), /* prompts= */ true));
            }
            for (UpstreamState only : known ? live.current().members() : List.<UpstreamState>of()) {
                Lease lease = room.lease(requests.get(0), allBut(only));
                Objects.requireNonNull(lease).end(Outcome.COMPLETED);
            }
        }

        private Tried allBut(UpstreamState only) {
            Tried others = Tried.NOBODY;
            for (UpstreamState each : live.current().members()) {
                others = each == only ? others : others.forGood(each);
            }
            return others;
        }
    }

    /** One event loop. */
    @State(Scope.Thread)
    public static class Loop {

        private final Deque<Lease> answered = new ArrayDeque<>();
        private int next;

        /** Begins where no other thread does. */
        @Setup
        public void begin(Room shared) {
            next = shared.callers.getAndIncrement() * shared.requests.size() / 8;
        }
    }

    /** One event loop alone. */
    @Benchmark
    @Threads(1)
    public Lease oneThread(Room shared, Loop mine) {
        return request(shared, mine);
    }

    /** Eight of them; the time is that of each. */
    @Benchmark
    @Threads(8)
    public Lease eightThreads(Room shared, Loop mine) {
        return request(shared, mine);
    }

    private static Lease request(Room shared, Loop mine) {
        RequestTraits traits = shared.requests.get(mine.next++ % shared.requests.size());
        Lease lease = Objects.requireNonNull(shared.room.lease(traits, Tried.NOBODY), "nobody waits here");
        lease.output(shared.now.addAndGet(STEP_NANOS));
        mine.answered.add(lease);
        if (mine.answered.size() > ANSWERED) {
            mine.answered.remove().end(Outcome.COMPLETED);
        }
        return lease;
    }
}
