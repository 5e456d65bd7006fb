package io.penstock.upstream;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * What the engine of one replica has to do for us, and what it shows of it: the requests in flight that came with
 * something to work on, its last output, and what it says about itself. Any thread may read it.
 */
public final class EngineActivity {

    /**
     * Of one request no more than this counts as prompt: 128k tokens of text, which is the longest context of most models.
     * What is longer holds images or sound, which are far fewer tokens than bytes.
     */
    private static final int LONGEST_PROMPT_BYTES = 512 << 10;

    /**
     * Why it is believed to stand still.
     *
     * @param standing {@link Standing#SUSPECT} or {@link Standing#STALLED}
     * @param reason the evidence, in one phrase for people
     */
    public record Suspicion(Standing standing, String reason) {}

    private final UpstreamState state;
    // Added and removed by every event loop, through Lease only.
    private final Set<Lease> work = ConcurrentHashMap.newKeySet();
    // Written by the event loop whose request is the first one after a time without.
    private volatile long workingSinceNanos;
    // Written by every event loop that relays for it; 0 until the first output.
    private volatile long lastOutputNanos;
    // Written by the probe verticle only.
    private volatile @Nullable EngineGauges gauges;
    private volatile @Nullable Suspicion suspicion;

    EngineActivity(UpstreamState state) {
        this.state = state;
    }

    void taken(Lease lease) {
        if (lease.promptBytes() > 0) {
            if (work.isEmpty()) {
                workingSinceNanos = lease.startNanos();
            }
            work.add(lease);
        }
    }

    void ended(Lease lease) {
        work.remove(lease);
    }

    void restarted() {
        suspicion = null;
        gauges = null;
    }

    void madeOutput(long nanos) {
        lastOutputNanos = nanos;
    }

    /**
     * When it last showed that it works: its last output if attempts tell output apart ({@link Lease#output}), else the
     * last bytes of any answer.
     *
     * @return nanoseconds of the injected clock, 0 if there was nothing yet
     */
    public long lastOutputNanos() {
        long output = lastOutputNanos;
        return output != 0 ? output : state.lastProgressNanos();
    }

    /**
     * Requests in flight that give it something to do: those that came with a body.
     *
     * @return zero or more
     */
    public int working() {
        return work.size();
    }

    /**
     * Since when it has had something to do without a break, be it for requests that were given up meanwhile: clients that
     * lose their patience do not make a silent engine less silent.
     *
     * @param otherwise what to return if it has nothing to do
     * @return nanoseconds of the injected clock
     */
    public long workingSinceNanos(long otherwise) {
        return work.isEmpty() ? otherwise : workingSinceNanos;
    }

    /**
     * When the oldest of the requests that {@link #working} counts got its lease.
     *
     * @param otherwise what to return if there is none
     * @return nanoseconds of the injected clock
     */
    public long oldestWorkNanos(long otherwise) {
        long oldest = otherwise;
        boolean found = false;
        for (Lease lease : work) {
            if (!found || lease.startNanos() - oldest < 0) {
                oldest = lease.startNanos();
                found = true;
            }
        }
        return oldest;
    }

    /**
     * Length of the prompts that were sent there by a moment and for which there is no output yet: what may keep it silent
     * after that moment. Later ones do not, since vLLM takes requests in the order of their arrival.
     *
     * @param nanos the moment, in nanoseconds of the injected clock
     * @return bytes
     */
    public long unansweredBytes(long nanos) {
        long bytes = 0;
        for (Lease lease : work) {
            if (!lease.hasOutput() && lease.startNanos() - nanos <= 0) {
                bytes += Math.min(lease.promptBytes(), LONGEST_PROMPT_BYTES);
            }
        }
        return bytes;
    }

    /**
     * Whether it is believed to stand still.
     *
     * @return why; null if it is not
     */
    public @Nullable Suspicion suspicion() {
        return suspicion;
    }

    /**
     * Says whether it is believed to stand still. For the probe verticle only.
     *
     * @param belief why; null if it is not
     */
    public void suspect(@Nullable Suspicion belief) {
        suspicion = belief;
    }

    /**
     * What it last said about itself.
     *
     * @return the reading, however old; null if there is none of the process that runs now
     */
    public @Nullable EngineGauges gauges() {
        return gauges;
    }

    /**
     * How many tokens its KV cache holds, as far as it said so.
     *
     * @return tokens; 0 if it is not known
     */
    public long cacheTokens() {
        EngineGauges last = gauges;
        return last == null ? 0 : last.cacheTokens();
    }

    /**
     * Notes what it says about itself. For the probe verticle only.
     *
     * @param reading the reading; null to forget the last one
     */
    public void learnGauges(@Nullable EngineGauges reading) {
        gauges = reading;
    }
}
