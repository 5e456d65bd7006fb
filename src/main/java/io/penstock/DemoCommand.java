package io.penstock;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import io.penstock.config.ConfigFile;
import io.penstock.config.Overrides;
import io.penstock.config.Reading;
import io.penstock.sim.SimFleet;
import io.penstock.sim.SimOptions;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code penstock demo}: simulated replicas, the proxy, and a table that updates in place. Nothing else is needed. */
@Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Starts simulated vLLM replicas and Penstock in front of them, and shows what happens.",
            "Needs no GPU, no model and no network. Ctrl-C ends all of it."
        })
final class DemoCommand implements Callable<Integer> {

    private final Chance chance;

    @Spec
    private @Nullable CommandSpec spec;

    @Option(
            names = "--replicas",
            paramLabel = "N",
            defaultValue = "3",
            description = "How many simulated replicas. Default: ${DEFAULT-VALUE}.")
    private int replicas;

    @Option(
            names = "--port",
            paramLabel = "PORT",
            defaultValue = "8000",
            description = "Where clients connect; 0 picks a free port. Default: ${DEFAULT-VALUE}.")
    private int port;

    @Option(
            names = "--admin-port",
            paramLabel = "PORT",
            defaultValue = "8090",
            description = "The operator's port; 0 picks a free one. Default: ${DEFAULT-VALUE}.")
    private int adminPort;

    @Option(
            names = "--traffic",
            paramLabel = "RATE",
            defaultValue = "3",
            description = "Requests per second that the demo makes itself; 0 for none. Default: ${DEFAULT-VALUE}.")
    private double perSecond;

    DemoCommand(Chance chance) {
        this.chance = chance;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        CommandSpec command = spec;
        if (command == null) {
            throw new IllegalStateException("run through picocli");
        }
        PrintWriter out = command.commandLine().getOut();
        quietLog();
        Path directory = Files.createTempDirectory("penstock-demo");
        Path file = directory.resolve("penstock.yaml");
        Vertx vertx = Main.vertx();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> deleteQuietly(file, directory), "penstock-demo-end"));
        try {
            SimFleet fleet = SimFleet.start(vertx, simulators(), "127.0.0.1", 0)
                    .toCompletionStage()
                    .toCompletableFuture()
                    .get();
            Files.writeString(file, configuration(fleet), StandardCharsets.UTF_8);
            ConfigFile source = ConfigFile.choose(file, Overrides.NONE);
            Reading first = source.read();
            Penstock penstock = Penstock.start(vertx, source, first, chance)
                    .toCompletionStage()
                    .toCompletableFuture()
                    .get();
            DemoTraffic traffic = null;
            if (perSecond > 0) {
                traffic = new DemoTraffic(penstock.port(), perSecond, chance.random());
                vertx.deployVerticle(traffic);
            }
            new DemoScreen(penstock, fleet, file, vertx, traffic, out).run();
            return 0;
        } catch (ExecutionException e) {
            command.commandLine().getErr().println("cannot start: " + e.getCause());
            command.commandLine().getErr().println("another port: penstock demo --port 0 --admin-port 0");
            return 1;
        }
    }

    /** The screen tells what the log would, in a better place. */
    private static void quietLog() {
        if (LoggerFactory.getILoggerFactory() instanceof LoggerContext logback) {
            logback.getLogger(Logger.ROOT_LOGGER_NAME).setLevel(Level.OFF);
            logback.getLogger("io.penstock").setLevel(Level.OFF);
        }
    }

    private List<SimOptions> simulators() {
        List<SimOptions> options = new ArrayList<>();
        for (int i = 0; i < replicas; i++) {
            options.add(SimOptions.standard(chance.nanoClock(), chance.epochMillis())
                    .withName("vllm" + i)
                    .withSeed(i));
        }
        return options;
    }

    private String configuration(SimFleet fleet) {
        StringBuilder yaml = new StringBuilder("# Edit and save: Penstock follows within a second or two.\n");
        yaml.append("listen: 127.0.0.1:").append(port).append('\n');
        yaml.append("admin: 127.0.0.1:").append(adminPort).append('\n');
        yaml.append("upstreams:\n");
        for (int i = 0; i < fleet.replicas().size(); i++) {
            yaml.append("  - {url: \"http://127.0.0.1:")
                    .append(fleet.replicas().get(i).port())
                    .append("\", name: vllm")
                    .append(i)
                    .append("}\n");
        }
        return yaml.append("drain: {lameDuck: 0s, deadline: 1s}\nlog: {access: false}\n")
                .toString();
    }

    private static void deleteQuietly(Path... paths) {
        for (Path path : paths) {
            try {
                Files.deleteIfExists(path);
            } catch (IOException e) {
                // It lies in the temporary directory; the system cleans up.
            }
        }
    }
}
