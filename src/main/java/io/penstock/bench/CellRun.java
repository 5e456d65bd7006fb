package io.penstock.bench;

import io.penstock.admission.Tried;
import io.penstock.admission.WaitingRoom;
import io.penstock.config.Endpoint;
import io.penstock.config.PenstockConfig;
import io.penstock.config.PenstockConfig.Policy;
import io.penstock.config.Replica;
import io.penstock.selection.PredictionTerms;
import io.penstock.selection.Prompt;
import io.penstock.selection.RequestTraits;
import io.penstock.sim.EngineReading;
import io.penstock.sim.VirtualReplica;
import io.penstock.sim.VirtualTime;
import io.penstock.upstream.EngineGauges;
import io.penstock.upstream.Lease;
import io.penstock.upstream.LiveUpstreams;
import io.penstock.upstream.Outcome;
import io.penstock.upstream.Standing;
import io.penstock.upstream.Upstream;
import io.penstock.upstream.UpstreamState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** One run of one cell under one policy, in virtual time: the same seed is the same run. One use, one thread. */
public final class CellRun {

    private static final double SECONDS = 150;
    private static final double WARM_UP_SECONDS = 30;
    /** Whoever has no answer by then gets none. */
    private static final double LAST_SECONDS = 300;

    private static final double TROUBLE_FROM = 60;
    private static final double TROUBLE_UNTIL = 120;
    private static final Duration NETWORK = Duration.ofNanos(500_000);
    private static final Duration TICK = Duration.ofMillis(10);

    private final Cell cell;
    private final Told told;
    private final VirtualTime time = new VirtualTime();
    private final LiveUpstreams live = new LiveUpstreams(time);
    private final WaitingRoom room;
    private final List<VirtualReplica> engines = new ArrayList<>();
    private final Map<UpstreamState, Integer> places = new HashMap<>();
    private final int[] got;
    private final List<BenchCall> calls;
    private final long[] firstNanos;
    private final long[] lastNanos;
    private final boolean[] refused;
    private boolean ticking;

    /**
     * Prepares it.
     *
     * @param cell what happens
     * @param policy who decides
     * @param terms what predictions take into account, if it makes any
     * @param seed of the workload
     */
    public CellRun(Cell cell, Policy policy, PredictionTerms terms, long seed) {
        this(cell, policy, terms, PenstockConfig.Admission.DEFAULT, seed);
    }

    /**
     * Prepares it where some may be refused.
     *
     * @param cell what happens
     * @param policy who decides
     * @param terms what predictions take into account, if it makes any
     * @param admission who is refused
     * @param seed of the workload
     */
    public CellRun(Cell cell, Policy policy, PredictionTerms terms, PenstockConfig.Admission admission, long seed) {
        this(cell, policy, terms, admission, Told.TRUTH, seed);
    }

    /** As above, where {@code told} is all that whoever decides knows. */
    CellRun(Cell cell, Policy policy, PredictionTerms terms, Told told, long seed) {
        this(cell, policy, terms, PenstockConfig.Admission.DEFAULT, told, seed);
    }

    private CellRun(
            Cell cell, Policy policy, PredictionTerms terms, PenstockConfig.Admission admission, Told told, long seed) {
        this.cell = cell;
        this.told = told;
        this.got = new int[cell.replicas()];
        this.calls = cell.workload().calls(SECONDS, seed);
        this.firstNanos = new long[calls.size()];
        this.lastNanos = new long[calls.size()];
        this.refused = new boolean[calls.size()];
        List<Upstream> upstreams = new ArrayList<>();
        List<Replica> replicas = new ArrayList<>();
        for (int i = 0; i < cell.replicas(); i++) {
            String name = "vllm" + i;
            Replica replica = new Replica(name, new Endpoint(name, 8000), false, false, 1, 0, Set.of(), null);
            replicas.add(replica);
            upstreams.add(new Upstream(name, name, replica, List.of("192.0.2." + (i + 1))));
            engines.add(new VirtualReplica(cell.profile(), time));
        }
        for (UpstreamState member : live.apply(upstreams).members()) {
            member.judge(Standing.READY, "ready");
            if (told.cacheTimes() > 0) {
                member.engine().learnGauges(gauges());
            }
            places.put(member, places.size());
        }
        this.room = new WaitingRoom(live, config(policy, admission, replicas), time, terms);
    }

    private EngineGauges gauges() {
        long tokens = (long) cell.profile().cacheBlocks() * cell.profile().blockTokens();
        return new EngineGauges(List.of(), Double.NaN, Double.NaN, (long) (told.cacheTimes() * tokens), 0, 0);
    }

    private static PenstockConfig config(Policy policy, PenstockConfig.Admission admission, List<Replica> replicas) {
        return new PenstockConfig(
                PenstockConfig.DEFAULT_LISTEN,
                PenstockConfig.Admin.DEFAULT,
                replicas,
                new PenstockConfig.Selection(policy),
                admission,
                PenstockConfig.Probe.DEFAULT,
                PenstockConfig.Progress.DEFAULT,
                PenstockConfig.Ejection.DEFAULT,
                PenstockConfig.Retry.DEFAULT,
                PenstockConfig.Heartbeat.DEFAULT,
                PenstockConfig.Timeouts.DEFAULT,
                PenstockConfig.Limits.DEFAULT,
                PenstockConfig.Drain.DEFAULT,
                PenstockConfig.Routes.DEFAULT,
                PenstockConfig.Trust.DEFAULT,
                PenstockConfig.Log.DEFAULT,
                PenstockConfig.Tracing.DEFAULT,
                PenstockConfig.Explain.DEFAULT);
    }

    /**
     * Runs it.
     *
     * @return what became of the requests
     */
    public Score run() {
        beat();
        trouble();
        arrive(0);
        time.runUntil(nanos(LAST_SECONDS));
        return score();
    }

    private void beat() {
        live.turned();
        time.after(Duration.ofSeconds(1), this::beat);
    }

    private void trouble() {
        VirtualReplica first = engines.get(0);
        switch (cell.trouble()) {
            case SLOW -> first.slow(3);
            case HANGS -> {
                time.at(nanos(TROUBLE_FROM), first::freeze);
                time.at(nanos(TROUBLE_UNTIL), first::thaw);
            }
            case NONE -> {}
        }
    }

    private void arrive(int number) {
        if (number < calls.size()) {
            time.at(calls.get(number).arrivalNanos(), () -> {
                seek(number);
                arrive(number + 1);
            });
        }
    }

    private void seek(int number) {
        BenchCall call = calls.get(number);
        Prompt prompt = told.of(call);
        RequestTraits traits = new RequestTraits(null, true, 4 * prompt.tokens(), prompt, 0, call.caller());
        Lease lease = room.lease(traits, Tried.NOBODY);
        if (lease != null) {
            send(number, lease);
        } else {
            refused[number] = room.await(
                            traits, Tried.NOBODY, /* front= */ false, Runnable::run, granted -> send(number, granted))
                    == null;
            tick();
        }
    }

    private void tick() {
        if (!ticking && room.predicts() && room.waiting() > 0) {
            ticking = true;
            time.after(TICK, () -> {
                ticking = false;
                room.wake();
                tick();
            });
        }
    }

    private void send(int number, Lease lease) {
        BenchCall call = calls.get(number);
        int place = places.getOrDefault(lease.upstream(), 0);
        if (call.arrivalNanos() >= nanos(WARM_UP_SECONDS)) {
            got[place]++;
        }
        time.after(
                NETWORK,
                () -> engines.get(place)
                        .submit(
                                call.pieces(),
                                call.promptTokens(),
                                call.outputTokens(),
                                token -> token(number, lease, token)));
    }

    private void token(int number, Lease lease, int token) {
        long now = time.getAsLong();
        if (token == 0) {
            firstNanos[number] = now;
        }
        lease.output(now);
        if (token + 1 == calls.get(number).outputTokens()) {
            lastNanos[number] = now;
            lease.end(Outcome.COMPLETED);
        }
    }

    private Score score() {
        List<Double> all = new ArrayList<>();
        List<Double> quiet = new ArrayList<>();
        int good = 0;
        int turnedAway = 0;
        for (int i = 0; i < calls.size(); i++) {
            BenchCall call = calls.get(i);
            if (call.arrivalNanos() < nanos(WARM_UP_SECONDS)) {
                continue;
            }
            long first = firstNanos[i] == 0 ? nanos(LAST_SECONDS) : firstNanos[i] + NETWORK.toNanos();
            double waited = (first - call.arrivalNanos()) / 1e9;
            double step =
                    call.outputTokens() == 1 ? 0 : (lastNanos[i] - firstNanos[i]) / 1e9 / (call.outputTokens() - 1);
            good += lastNanos[i] != 0 && waited <= cell.firstTokenSeconds() && step <= cell.interTokenSeconds() ? 1 : 0;
            turnedAway += refused[i] ? 1 : 0;
            all.add(waited);
            if (call.caller().equals(Workload.QUIET)) {
                quiet.add(waited);
            }
        }
        double mean = Arrays.stream(got).average().orElse(1);
        return new Score(
                (double) good / all.size(),
                (double) turnedAway / all.size(),
                quantile(all, 0.5),
                quantile(all, 0.99),
                quantile(quiet, 0.99),
                hits(),
                Arrays.stream(got).max().orElse(0) / mean,
                Arrays.stream(got).min().orElse(0) / mean);
    }

    private double hits() {
        long asked = 0;
        long found = 0;
        for (VirtualReplica engine : engines) {
            EngineReading reading = engine.reading();
            asked += reading.prefixQueries();
            found += reading.prefixHits();
        }
        return asked == 0 ? 0 : (double) found / asked;
    }

    static double quantile(List<Double> values, double share) {
        List<Double> sorted = values.stream().sorted().toList();
        return sorted.isEmpty() ? 0 : sorted.get((int) Math.min(sorted.size() - 1L, Math.round(share * sorted.size())));
    }

    private static long nanos(double seconds) {
        return Math.round(seconds * 1e9);
    }
}
