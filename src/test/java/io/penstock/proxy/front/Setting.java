package io.penstock.proxy.front;

import io.penstock.config.Endpoint;
import io.penstock.config.PenstockConfig;
import io.penstock.config.Replica;
import io.penstock.proxy.ExchangeTracer;
import io.penstock.upstream.Discovery;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What a test wants a {@link Stage} to be like. Everything else is as in production, but for short times. */
public final class Setting {

    private static final Duration MANY = Duration.ofSeconds(60);

    private final List<Replica> replicas = new ArrayList<>();
    Discovery.Resolver resolver = host -> List.of("127.0.0.1");
    long bodyMemory = 256L << 20;
    int readyReplicas = -1;
    double chance = 0.5;
    private Duration probeInterval = Duration.ofMillis(100);
    private int maxWaiting = 100;
    private Duration maxWait = Duration.ofSeconds(20);
    private Duration targetInterToken = Duration.ZERO;
    private PenstockConfig.Progress progress = PenstockConfig.Progress.DEFAULT;
    private PenstockConfig.Ejection ejection = PenstockConfig.Ejection.DEFAULT;
    private PenstockConfig.Retry retry = PenstockConfig.Retry.DEFAULT;
    private PenstockConfig.Heartbeat heartbeat = new PenstockConfig.Heartbeat(MANY, MANY);
    private Duration connect = Duration.ofMillis(300);
    private Duration firstOutput = Duration.ZERO;
    private Duration total = Duration.ZERO;
    private Duration clientHead = MANY;
    private Duration clientBody = MANY;
    private Duration clientIdle = MANY;
    private Duration slowReader = MANY;
    private Duration stall = MANY;
    private Duration upstreamIdle = Duration.ofSeconds(3);
    private PenstockConfig.Limits limits = PenstockConfig.Limits.DEFAULT;
    private Set<String> allow = Set.of();
    private List<String> trusted = List.of();
    // These tests have to know who is chosen next. Those about predictions say so, and the fault suite runs the
    // default.
    private PenstockConfig.Policy policy = PenstockConfig.Policy.LEAST_IN_FLIGHT;
    private boolean explained;
    ExchangeTracer tracer = ExchangeTracer.OFF;

    private Setting() {}

    /** With these replicas, named a, b, c, … */
    public static Setting with(ScriptedReplica... scripted) {
        Setting setting = new Setting();
        for (ScriptedReplica each : scripted) {
            setting.replica("127.0.0.1", each.port(), null, 0);
        }
        return setting;
    }

    /** Adds a replica. */
    public Setting replica(String host, int port, @Nullable String apiKey, int maxInFlight) {
        String name = String.valueOf((char) ('a' + replicas.size()));
        replicas.add(new Replica(name, new Endpoint(host, port), false, false, 1, maxInFlight, Set.of(), apiKey));
        return this;
    }

    /** How often replicas are probed, and how long a probe may take. */
    public Setting probes(Duration every) {
        probeInterval = every;
        return this;
    }

    /** How many replicas must be ready before the test begins; all of them unless said. */
    public Setting ready(int count) {
        readyReplicas = count;
        return this;
    }

    /** Who resolves names. */
    public Setting resolver(Discovery.Resolver by) {
        resolver = by;
        return this;
    }

    /** How many may wait for a replica and how long. */
    public Setting waiting(int most, Duration longest) {
        maxWaiting = most;
        maxWait = longest;
        return this;
    }

    /** From token to token at most; one request more gets 429. */
    public Setting target(Duration interToken) {
        targetInterToken = interToken;
        return this;
    }

    /** Signs of life after this, and then as often. */
    public Setting heartbeat(Duration after) {
        heartbeat = new PenstockConfig.Heartbeat(after, after);
        return this;
    }

    /** How long an engine may be silent before it is suspected, and how long after that before it is out. */
    public Setting progress(Duration suspect, Duration stalled) {
        progress = new PenstockConfig.Progress(suspect, stalled);
        return this;
    }

    /** How often one request, and how many of all, are retried. */
    public Setting retries(int max, int budgetPercent, int floor) {
        retry = new PenstockConfig.Retry(max, budgetPercent, floor);
        return this;
    }

    /** When a replica that fails requests is left alone, and how long first. */
    public Setting ejection(int consecutive, Duration base) {
        PenstockConfig.Ejection usual = PenstockConfig.Ejection.DEFAULT;
        ejection = new PenstockConfig.Ejection(
                consecutive, usual.window(), usual.sharePercent(), usual.minimum(), base, usual.max());
        return this;
    }

    /** Pauses before retries are longer than any test. */
    public Setting slowly() {
        chance = 10_000;
        return this;
    }

    /** How long a replica that is out of rotation may be silent. */
    public Setting stall(Duration longest) {
        stall = longest;
        return this;
    }

    /** How long a client may take nothing of its answer. */
    public Setting slowReader(Duration longest) {
        slowReader = longest;
        return this;
    }

    /** How long connecting may take. */
    public Setting connect(Duration most) {
        connect = most;
        return this;
    }

    /** How long the first output, and how long all of it, may take. */
    public Setting answers(Duration first, Duration whole) {
        firstOutput = first;
        total = whole;
        return this;
    }

    /** How long clients may take: for a head, in a body, between requests. */
    public Setting clients(Duration head, Duration body, Duration idle) {
        clientHead = head;
        clientBody = body;
        clientIdle = idle;
        return this;
    }

    /** How long a replica's connection is kept between requests. */
    public Setting upstreamIdle(Duration most) {
        upstreamIdle = most;
        return this;
    }

    /** The largest body, and the memory for all bodies. */
    public Setting bodies(long one, long all) {
        limits = new PenstockConfig.Limits(one, 25, limits.headerBytes(), limits.requestLineBytes(), 16384);
        bodyMemory = all;
        return this;
    }

    /** How many clients may be connected. */
    public Setting connections(int most) {
        limits = new PenstockConfig.Limits(
                limits.bodyBytes(), 25, limits.headerBytes(), limits.requestLineBytes(), most);
        return this;
    }

    /** Opens paths. */
    public Setting allow(String... paths) {
        allow = Set.of(paths);
        return this;
    }

    /** Believes proxies. */
    public Setting trust(String... proxies) {
        trusted = List.of(proxies);
        return this;
    }

    /** Chooses replicas like that. */
    public Setting policy(PenstockConfig.Policy by) {
        policy = by;
        return this;
    }

    /** Follows its requests. */
    public Setting traced(ExchangeTracer by) {
        tracer = by;
        return this;
    }

    /** Tells clients where their answers come from, and why. */
    public Setting explained() {
        explained = true;
        return this;
    }

    PenstockConfig config() {
        return new PenstockConfig(
                new Endpoint("127.0.0.1", 0),
                new PenstockConfig.Admin(new Endpoint("127.0.0.1", 0), null),
                replicas,
                new PenstockConfig.Selection(policy),
                new PenstockConfig.Admission(maxWaiting, maxWait, targetInterToken),
                new PenstockConfig.Probe(
                        probeInterval,
                        probeInterval.compareTo(Duration.ofMillis(500)) < 0 ? Duration.ofMillis(500) : probeInterval,
                        3,
                        1,
                        Duration.ofSeconds(30)),
                progress,
                ejection,
                retry,
                heartbeat,
                new PenstockConfig.Timeouts(
                        connect,
                        firstOutput,
                        total,
                        clientHead,
                        clientBody,
                        clientIdle,
                        slowReader,
                        stall,
                        upstreamIdle),
                limits,
                PenstockConfig.Drain.DEFAULT,
                new PenstockConfig.Routes(allow),
                new PenstockConfig.Trust(trusted),
                PenstockConfig.Log.DEFAULT,
                PenstockConfig.Tracing.DEFAULT,
                new PenstockConfig.Explain(explained));
    }

    /** Starts it, and waits for the replicas. */
    public Stage open() {
        return new Stage(this);
    }
}
