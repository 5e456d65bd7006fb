package io.penstock;

import io.vertx.core.json.JsonObject;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code penstock status}: is it ready, and if not, why. */
@Command(
        name = "status",
        mixinStandardHelpOptions = true,
        description = {
            "Shows how the replicas of the running Penstock stand, and the state of its configuration.",
            "With --watch until Ctrl-C, through restarts of Penstock too; what changes meanwhile is listed below."
        },
        exitCodeListHeading = "Exit codes:%n",
        exitCodeList = {
            "0:every replica can take work and the configuration has no problem",
            "1:at least one replica cannot, or the configuration has problems",
            "2:wrong usage",
            "3:the admin port cannot be reached"
        })
public final class StatusCommand implements Callable<Integer> {

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Mixin
    private AdminAddress admin = new AdminAddress();

    @Option(
            names = "--json",
            description = "Print everything that is known, as JSON; with --watch as one line each time.")
    private boolean json;

    @Option(
            names = "--watch",
            arity = "0..1",
            paramLabel = "TIME",
            fallbackValue = "1s",
            converter = DurationArgument.class,
            description = "Look again and again, this long apart (${FALLBACK-VALUE} unless said).")
    private @Nullable Duration watch;

    private final BooleanSupplier terminal;

    /**
     * Makes the command.
     *
     * @param terminal whether standard output is a terminal, where lines can be written over
     */
    public StatusCommand(BooleanSupplier terminal) {
        this.terminal = terminal;
    }

    /**
     * Asks and prints.
     *
     * @return the exit code
     * @throws InterruptedException if it watches, and the thread is told to stop
     */
    @Override
    public Integer call() throws InterruptedException {
        return watch == null ? once() : watch(watch);
    }

    private int once() {
        PrintWriter out = spec.commandLine().getOut();
        try {
            JsonObject status = admin.client().upstreams();
            StatusTable table = new StatusTable(status);
            if (json) {
                out.println(status.encodePrettily());
            } else {
                table.lines().forEach(out::println);
            }
            return table.allWell() ? 0 : 1;
        } catch (AdminClient.Unreachable e) {
            spec.commandLine().getErr().println(e.getMessage());
            return 3;
        } finally {
            out.flush();
        }
    }

    private int watch(Duration pause) throws InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        Repaint screen = new Repaint(out, !json && terminal.getAsBoolean());
        StatusWatch seen = new StatusWatch();
        AdminClient client = admin.client();
        while (true) {
            try {
                JsonObject status = client.upstreams();
                if (json) {
                    out.println(status.encode());
                    out.flush();
                } else {
                    screen.show(seen.lines(status));
                }
            } catch (AdminClient.Unreachable e) {
                if (json) {
                    spec.commandLine().getErr().println(e.getMessage());
                } else {
                    screen.show(seen.unreachable(String.valueOf(e.getMessage())));
                }
            }
            Thread.sleep(pause.toMillis());
        }
    }
}
