package io.penstock;

import io.vertx.core.json.JsonObject;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code penstock undrain NAME}: lets a drained replica have work again, and waits until it gets some if told to. */
@Command(
        name = "undrain",
        mixinStandardHelpOptions = true,
        description = {
            "Lets a drained replica have work again, as soon as it passes its probes.",
            "With --wait after a restart, the next replica may be drained when this one is back:",
            "  penstock drain vllm0 --wait && docker compose restart vllm0 && penstock undrain vllm0 --wait"
        },
        exitCodeListHeading = "Exit codes:%n",
        exitCodeList = {
            "0:done (with --wait: it takes work)",
            "1:refused, or no such replica",
            "2:wrong usage",
            "3:the admin port cannot be reached",
            "4:it was not ready when the time was up"
        })
public final class UndrainCommand implements Callable<Integer> {

    private static final long POLL_MILLIS = 250;

    /** So many probes must pass from now on: what was seen before may be about the process that ran before. */
    private static final long FRESH_PROBES = 2;

    private final LongSupplier nanoClock;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Mixin
    private AdminAddress admin = new AdminAddress();

    @Parameters(paramLabel = "NAME", description = "The replica, as status names it.")
    private String name = "";

    @Option(names = "--wait", description = "Wait until it passes its probes and takes work.")
    private boolean wait;

    @Option(
            names = "--timeout",
            paramLabel = "TIME",
            defaultValue = "30m",
            converter = DurationArgument.class,
            description = "How long to wait at most, as in 90s or 30m (default: ${DEFAULT-VALUE}).")
    private Duration timeout = Duration.ofMinutes(30);

    @Option(names = "--json", description = "Print how the replica stands at the end, as JSON, and nothing else.")
    private boolean json;

    /**
     * Makes the command.
     *
     * @param nanoClock the time, in nanoseconds
     */
    public UndrainCommand(LongSupplier nanoClock) {
        this.nanoClock = nanoClock;
    }

    /**
     * Asks, waits if told to, and prints.
     *
     * @return the exit code
     * @throws InterruptedException if the waiting is interrupted; the replica is no longer drained
     */
    @Override
    public Integer call() throws InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        try {
            AdminClient client = admin.client();
            AdminClient.Answer answer = client.undrain(name);
            if (answer.status() != 200) {
                err.println(DrainCommand.refusal(name, answer));
                return 1;
            }
            if (wait) {
                return await(client, answer.body());
            }
            if (json) {
                out.println(answer.body().encodePrettily());
                return 0;
            }
            out.println(name
                    + (answer.body().getBoolean("usable", false)
                            ? ": takes work again"
                            : ": no longer drained, takes work once it is ready ("
                                    + answer.body().getString("reason") + ")"));
            return 0;
        } catch (AdminClient.Unreachable e) {
            err.println(e.getMessage());
            return 3;
        } finally {
            out.flush();
        }
    }

    private int await(AdminClient client, JsonObject first) throws AdminClient.Unreachable, InterruptedException {
        long start = nanoClock.getAsLong();
        long enough = first.getLong("passedProbes", 0L) + FRESH_PROBES;
        String told = "";
        while (true) {
            JsonObject replica =
                    DrainCommand.find(client.upstreams().getJsonArray("upstreams"), first.getString("id", name));
            if (replica == null) {
                spec.commandLine().getErr().println(name + ": no longer in the configuration");
                return 1;
            }
            if (replica.getBoolean("usable", false) && replica.getLong("passedProbes", 0L) >= enough) {
                spec.commandLine().getOut().println(json ? replica.encodePrettily() : name + ": takes work again");
                return 0;
            }
            told = tell(replica.getString("reason"), told);
            if (nanoClock.getAsLong() - start >= timeout.toNanos()) {
                spec.commandLine().getErr().println(name + ": not ready in time (" + replica.getString("reason") + ")");
                return 4;
            }
            Thread.sleep(POLL_MILLIS);
        }
    }

    /** Says what is waited for, once each time that it changes. */
    private String tell(@Nullable String reason, String told) {
        String now = reason == null ? "" : reason;
        if (!json && !now.equals(told)) {
            spec.commandLine().getOut().println(name + ": waiting (" + now + ")");
            spec.commandLine().getOut().flush();
        }
        return now;
    }
}
