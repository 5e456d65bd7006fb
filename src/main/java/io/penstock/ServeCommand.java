package io.penstock;

import com.sun.management.UnixOperatingSystemMXBean;
import io.penstock.config.ConfigFile;
import io.penstock.config.Overrides;
import io.penstock.config.PenstockConfig;
import io.penstock.config.Reading;
import io.penstock.metrics.DroppingAppender;
import io.vertx.core.Vertx;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code penstock serve}: the proxy, until SIGTERM. */
@Command(
        name = "serve",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Runs the proxy until it is told to stop (SIGTERM or Ctrl-C), then drains.",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:stopped in order", "1:a port could not be opened", "2:the configuration is not good"},
        footer = {
            "",
            "Examples:",
            "  penstock serve",
            "  penstock serve --config /etc/penstock/penstock.yaml",
            "  penstock serve --upstream http://10.0.0.7:8000 --upstream http://10.0.0.8:8000"
        })
final class ServeCommand implements Callable<Integer> {

    private static final Logger LOG = LoggerFactory.getLogger(ServeCommand.class);
    /** Two per request in flight (client and replica), and some for everything else. */
    private static final int SPARE_DESCRIPTORS = 200;

    private final Chance chance;

    @Spec
    private @Nullable CommandSpec spec;

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "The configuration file; edits are picked up while it runs. Default: conf/penstock.yaml.")
    private @Nullable Path config;

    @Option(names = "--listen", paramLabel = "HOST:PORT", description = "Where clients connect; overrides the file.")
    private @Nullable String listen;

    @Option(
            names = "--admin",
            paramLabel = "HOST:PORT",
            description = "Where the operator connects; overrides the file.")
    private @Nullable String admin;

    @Option(
            names = "--share-port",
            description =
                    "Let another Penstock of the same user listen on the same port, so that one can take over from"
                            + " the other (SO_REUSEPORT; Linux). Give each its own --admin.")
    private boolean sharePort;

    @Option(
            names = "--upstream",
            paramLabel = "URL",
            description = "A vLLM server; may be repeated. Replaces the file's list, and needs no file.")
    private List<String> upstreams = new ArrayList<>();

    ServeCommand(Chance chance) {
        this.chance = chance;
    }

    @Override
    public Integer call() throws InterruptedException {
        ConfigFile file = ConfigFile.choose(config, new Overrides(listen, admin, upstreams));
        Reading first = file.read();
        first.warnings().forEach(warning -> LOG.warn("{}", warning));
        PenstockConfig initial = first.config();
        if (initial == null) {
            printProblems(first);
            return 2;
        }
        warnOfFewDescriptors(initial);
        Vertx vertx = Main.vertx();
        try {
            Penstock penstock = Penstock.start(vertx, file, first, chance, sharePort)
                    .toCompletionStage()
                    .toCompletableFuture()
                    .get();
            Runtime.getRuntime().addShutdownHook(new Thread(() -> goDown(penstock, initial), "penstock-drain"));
            new CountDownLatch(1).await();
            return 0;
        } catch (ExecutionException e) {
            LOG.error("cannot start: {}", reason(e));
            DroppingAppender.flushAndStop();
            return 1;
        }
    }

    /** What we have put into words ourselves needs no class name before it. */
    private static String reason(ExecutionException e) {
        Throwable cause = e.getCause();
        return cause instanceof IllegalStateException && cause.getMessage() != null
                ? cause.getMessage()
                : String.valueOf(cause);
    }

    private void printProblems(Reading first) {
        CommandSpec command = spec;
        if (command != null) {
            first.problems().forEach(problem -> command.commandLine().getErr().println(problem));
        }
    }

    /** Runs in the JVM's shutdown, on a thread of its own. */
    private static void goDown(Penstock penstock, PenstockConfig initial) {
        long most = initial.drain().lameDuck().plus(initial.drain().deadline()).toSeconds() + 5;
        try {
            penstock.drain().toCompletionStage().toCompletableFuture().get(most, TimeUnit.SECONDS);
            LOG.info("down");
        } catch (ExecutionException | TimeoutException e) {
            LOG.warn("went down the hard way: {}", String.valueOf(e));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        DroppingAppender.flushAndStop();
    }

    private static void warnOfFewDescriptors(PenstockConfig config) {
        if (ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean system) {
            long needed = 2L * config.limits().connections() + SPARE_DESCRIPTORS;
            if (system.getMaxFileDescriptorCount() < needed) {
                LOG.warn(
                        "the limit of open files is {}; {} connections need about {}: raise it (ulimit -n, or nofile in"
                                + " compose) or lower limits.connections",
                        system.getMaxFileDescriptorCount(),
                        config.limits().connections(),
                        needed);
            }
        }
    }
}
