package io.penstock;

import io.penstock.config.Endpoint;
import io.penstock.sim.EngineProfile;
import io.penstock.sim.RatedFault;
import io.penstock.sim.SimFleet;
import io.penstock.sim.SimOptions;
import io.penstock.sim.Simulator;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code penstock sim}: simulated vLLM servers, until it is killed. */
@Command(
        name = "sim",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Runs simulated vLLM servers on consecutive ports, until it is killed.",
            "They answer the OpenAI, Anthropic and vLLM paths as vLLM 0.32 does, byte for byte in form, with made-up"
                    + " words and no GPU.",
            "Faults come from --fault, from a request's x-sim-fault header, from POST /sim/fault on a replica's port,"
                    + " and from POST /replicas/N/fault on the control port."
        },
        footerHeading = "%nFaults (n: tokens, 1 unless given; ms: also as 2s):%n",
        footer = {
            "  refuse[:ms]                     the port is closed; running streams go on",
            "  slow-start[:ms]                 the port opens late after a start (5 s)",
            "  black-hole                      accepts and never answers anything",
            "  hold-before-head[:ms]           no head for a time, or for ever",
            "  stall-before-first-token[:ms]   the head, then silence",
            "  stall-after[:n]                 silence after n tokens",
            "  reset-after[:n]                 TCP reset after n tokens",
            "  fin-after[:n]                   after n tokens, half a chunk and the end",
            "  end-after[:n]                   a clean last chunk, no end marker",
            "  no-done                         a whole stream without its end marker",
            "  error-first                     200, then an error (503) as first event",
            "  error-after[:n]                 as when the engine dies in a stream",
            "  malformed-chunk-after[:n]       a chunk size that is no number",
            "  split-done[:ms]                 the end marker in two chunks",
            "  trickle[:ms]                    one byte every 2 ms",
            "  slow[:times]                    10 times slower",
            "  hang                            no tokens, /health 200, metrics frozen",
            "  health-503, health-hang         /health says 503, or nothing",
            "  draining                        /health 200, every generation 500",
            "  status[:code]                   an error before output: 500, 503, 429 ...",
            "  short-body                      half of an answer that is not streamed",
            "  reset-before-head               TCP reset in place of an answer",
            "  close-before-head               the end of the connection without a byte",
            "",
            "Examples:",
            "  penstock sim --port 8001 --replicas 3",
            "  penstock sim --port 8001 --replicas 4 --profile 8b-h100",
            "  penstock sim --port 8001 --fault reset-after:5@0.02 --fault slow-start:10s",
            "  curl -X POST 'http://127.0.0.1:8000/replicas/0/fault?name=hang'"
        })
public final class SimCommand implements Callable<Integer> {

    private final LongSupplier nanoClock;
    private final LongSupplier wallClockMillis;

    @Spec
    private @Nullable CommandSpec spec;

    @Option(
            names = "--port",
            paramLabel = "PORT",
            defaultValue = "8001",
            description = "The first replica's port; the others follow. 0 gives every replica a free one."
                    + " Default: ${DEFAULT-VALUE}.")
    private int port;

    @Option(
            names = "--replicas",
            paramLabel = "N",
            defaultValue = "1",
            description = "How many servers. Default: ${DEFAULT-VALUE}.")
    private int replicas;

    @Option(
            names = "--host",
            paramLabel = "ADDRESS",
            defaultValue = "127.0.0.1",
            description = "The address to listen on. Default: ${DEFAULT-VALUE}.")
    private String host = "127.0.0.1";

    @Option(
            names = "--control",
            paramLabel = "PORT",
            description = "The port that stops, starts and breaks replicas: GET /replicas, and POST"
                    + " /replicas/N/stop|start|fault|clear. Default: the port before the first replica's;"
                    + " always on the loopback interface.")
    private @Nullable Integer control;

    @Option(
            names = "--model",
            paramLabel = "NAME",
            defaultValue = "demo",
            description = "The model that all of them serve. Default: ${DEFAULT-VALUE}.")
    private String model = "demo";

    @Option(
            names = "--profile",
            paramLabel = "NAME",
            description = "Works in steps with batches and a prefix cache, as fast as a model on a machine: 8b-h100,"
                    + " 70b-tp8-h100, small-l40s (guessed) or tiny-cpu. Default: none, a fixed pace whatever the load.")
    private @Nullable String profile;

    @Option(
            names = "--speed",
            paramLabel = "FACTOR",
            defaultValue = "1",
            description = "How many times faster than its profile. Default: ${DEFAULT-VALUE}.")
    private double speed = 1;

    @Option(
            names = "--enable-prompt-tokens-details",
            description = "Answers tell how many prompt tokens were cached, as vLLM's do with the option of this name.")
    private boolean promptTokensDetails;

    @Option(
            names = "--first-token",
            paramLabel = "MILLISECONDS",
            defaultValue = "50",
            description = "Without a profile: from a request to its first token. Default: ${DEFAULT-VALUE}.")
    private long firstTokenMillis;

    @Option(
            names = "--step",
            paramLabel = "MILLISECONDS",
            defaultValue = "20",
            description = "Without a profile: between two tokens of a request. Default: ${DEFAULT-VALUE}.")
    private long stepMillis;

    @Option(
            names = "--seed",
            paramLabel = "NUMBER",
            defaultValue = "1",
            description = "Decides ids and which requests a fault with a rate hits. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(
            names = "--fault",
            paramLabel = "NAME[:ARG][@RATE]",
            description = "What goes wrong on every replica: for a share of the requests (@0.05), or always."
                    + " May be repeated.")
    private List<String> faults = new ArrayList<>();

    @Option(
            names = "--shutdown-timeout",
            paramLabel = "SECONDS",
            defaultValue = "0",
            description = "On SIGTERM, how long running requests may go on; new ones get vLLM's 500 meanwhile, and"
                    + " /health says 200. Ends with its last request, where vLLM itself would wait for the time to be"
                    + " over. 0 cuts them, as vLLM's default does. Default: ${DEFAULT-VALUE}.")
    private int shutdownTimeoutSeconds;

    @Option(
            names = "--api-key",
            paramLabel = "KEY",
            description = "The key that paths under /v1 ask for. Default: none.")
    private @Nullable String apiKey;

    /**
     * Makes the command.
     *
     * @param nanoClock time for durations, in nanoseconds
     * @param wallClockMillis time for dates, in milliseconds since 1970
     */
    public SimCommand(LongSupplier nanoClock, LongSupplier wallClockMillis) {
        this.nanoClock = nanoClock;
        this.wallClockMillis = wallClockMillis;
    }

    /**
     * Runs until the process is killed or the calling thread is interrupted.
     *
     * @return 0, or 1 if a port could not be opened
     * @throws InterruptedException never; an interrupt ends it
     */
    @Override
    public Integer call() throws InterruptedException {
        List<SimOptions> options = options();
        Vertx vertx = Vertx.vertx();
        try {
            int controlPort = control != null ? control : Math.max(0, port - 1);
            Future<SimFleet> starting = SimFleet.start(vertx, options, "127.0.0.1", controlPort);
            starting.await();
            finishOnTermination(starting.result());
            announce(starting.result());
            Thread.currentThread().join();
        } catch (InterruptedException e) {
            return 0;
        } catch (Exception e) {
            spec().commandLine().getErr().println("penstock sim: " + e.getMessage());
            return 1;
        } finally {
            vertx.close().await();
        }
        return 0;
    }

    private List<SimOptions> options() {
        if (replicas < 1 || replicas > 1_000) {
            throw new ParameterException(spec().commandLine(), "--replicas: want 1 to 1000, got " + replicas);
        }
        if (shutdownTimeoutSeconds < 0) {
            throw new ParameterException(
                    spec().commandLine(), "--shutdown-timeout: want 0 or more, got " + shutdownTimeoutSeconds);
        }
        try {
            List<RatedFault> rated = faults.stream().map(RatedFault::parse).toList();
            List<SimOptions> options = new ArrayList<>();
            for (int i = 0; i < replicas; i++) {
                options.add(paced(SimOptions.standard(nanoClock, wallClockMillis))
                        .withName("sim-" + i)
                        .withAddress(host, port == 0 ? 0 : port + i)
                        .withModel(model)
                        .withPromptTokensDetails(promptTokensDetails)
                        .withSeed(seed + i)
                        .withRates(rated)
                        .withApiKey(apiKey));
            }
            return options;
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec().commandLine(), String.valueOf(e.getMessage()), e);
        }
    }

    private SimOptions paced(SimOptions plain) {
        String name = profile;
        if (name == null) {
            refuse("--speed", "says how much faster than a --profile, and there is none");
            return plain.withPace(Duration.ofMillis(firstTokenMillis), Duration.ofMillis(stepMillis));
        }
        refuse("--first-token", "is a fixed pace, and --profile " + name + " has its own");
        refuse("--step", "is a fixed pace, and --profile " + name + " has its own");
        return plain.withProfile(EngineProfile.named(name), speed);
    }

    private void refuse(String option, String reason) {
        if (spec().commandLine().getParseResult().hasMatchedOption(option)) {
            throw new ParameterException(spec().commandLine(), option + " " + reason);
        }
    }

    /** The process ends when this hook does. */
    private void finishOnTermination(SimFleet fleet) {
        if (shutdownTimeoutSeconds > 0) {
            Duration timeout = Duration.ofSeconds(shutdownTimeoutSeconds);
            Runtime.getRuntime()
                    .addShutdownHook(new Thread(() -> fleet.shutDown(timeout).await(), "sim-shutdown"));
        }
    }

    private void announce(SimFleet fleet) {
        PrintWriter out = spec().commandLine().getOut();
        for (Simulator replica : fleet.replicas()) {
            out.println(replica.name() + " http://" + new Endpoint(host, replica.port()) + " " + model);
        }
        out.println("control http://127.0.0.1:" + fleet.controlPort() + "/replicas");
        out.flush();
    }

    private CommandSpec spec() {
        CommandSpec found = spec;
        if (found == null) {
            throw new IllegalStateException("run by picocli only");
        }
        return found;
    }
}
