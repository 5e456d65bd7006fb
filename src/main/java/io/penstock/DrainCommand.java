package io.penstock;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code penstock drain NAME}: no new work for a replica; with {@code --wait}, until nothing runs there any more and it
 * can be stopped without cutting anyone off.
 */
@Command(
        name = "drain",
        mixinStandardHelpOptions = true,
        description = {
            "Sends no new work to a replica; what runs there may finish. The mark stays through reloads, until undrain.",
            "Drain a replica before you stop it: vLLM cuts its streams when it is told to stop."
        },
        exitCodeListHeading = "Exit codes:%n",
        exitCodeList = {
            "0:drained (with --wait: nothing runs there any more)",
            "1:refused, no such replica, or no longer draining",
            "2:wrong usage",
            "3:the admin port cannot be reached",
            "4:requests were still running when the time was up; the replica stays drained"
        })
public final class DrainCommand implements Callable<Integer> {

    private static final long POLL_MILLIS = 250;

    private final LongSupplier nanoClock;
    private final BooleanSupplier terminal;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Mixin
    private AdminAddress admin = new AdminAddress();

    @Parameters(paramLabel = "NAME", description = "The replica, as status names it.")
    private String name = "";

    @Option(names = "--wait", description = "Wait until nothing runs there any more.")
    private boolean wait;

    @Option(
            names = "--timeout",
            paramLabel = "TIME",
            defaultValue = "10m",
            converter = DurationArgument.class,
            description = "How long to wait at most, as in 30s or 10m (default: ${DEFAULT-VALUE}).")
    private Duration timeout = Duration.ofMinutes(10);

    @Option(names = "--json", description = "Print how the replica stands at the end, as JSON, and nothing else.")
    private boolean json;

    /**
     * Makes the command.
     *
     * @param nanoClock the time, in nanoseconds
     * @param terminal whether standard output is a terminal, where a line can be written over
     */
    public DrainCommand(LongSupplier nanoClock, BooleanSupplier terminal) {
        this.nanoClock = nanoClock;
        this.terminal = terminal;
    }

    /**
     * Asks, waits if told to, and prints.
     *
     * @return the exit code
     * @throws InterruptedException if the waiting is interrupted; the replica stays drained
     */
    @Override
    public Integer call() throws InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        AdminClient client = admin.client();
        try {
            AdminClient.Answer answer = client.drain(name);
            if (answer.status() != 200) {
                err.println(refusal(name, answer));
                return 1;
            }
            if (wait) {
                return await(client, answer.body());
            }
            out.println(
                    json
                            ? answer.body().encodePrettily()
                            : name + ": draining, " + answer.body().getInteger("inFlight", 0) + " in flight");
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
        JsonObject replica = first;
        while (replica.getInteger("inFlight", 0) > 0) {
            int inFlight = replica.getInteger("inFlight", 0);
            long waited = nanoClock.getAsLong() - start;
            showProgress(inFlight, waited);
            if (waited >= timeout.toNanos()) {
                return failed(
                        4,
                        "still " + inFlight + " in flight; it stays drained: wait again, or stop the replica and"
                                + " cut them off");
            }
            Thread.sleep(POLL_MILLIS);
            replica = find(client.upstreams().getJsonArray("upstreams"), first.getString("id", name));
            if (replica == null) {
                return failed(1, "no longer in the configuration; what runs there is not known any more");
            }
            if (!replica.getBoolean("draining", false)) {
                return failed(1, "someone else let it have work again, or Penstock was restarted");
            }
        }
        endProgress();
        spec.commandLine()
                .getOut()
                .println(json ? replica.encodePrettily() : name + ": drained, nothing runs there any more");
        return 0;
    }

    private int failed(int exitCode, String message) {
        endProgress();
        spec.commandLine().getErr().println(name + ": " + message);
        return exitCode;
    }

    private void showProgress(int inFlight, long waitedNanos) {
        if (showsProgress()) {
            PrintWriter out = spec.commandLine().getOut();
            // Spaces for digits that went: the line is written over.
            out.print("\r" + name + ": " + inFlight + " in flight, "
                    + Duration.ofNanos(waitedNanos).toSeconds() + " s    ");
            out.flush();
        }
    }

    private void endProgress() {
        if (showsProgress()) {
            spec.commandLine().getOut().println();
        }
    }

    private boolean showsProgress() {
        return !json && terminal.getAsBoolean();
    }

    /** One of a listing, null if it is not there. */
    static @Nullable JsonObject find(JsonArray replicas, String id) {
        for (int i = 0; i < replicas.size(); i++) {
            if (id.equals(replicas.getJsonObject(i).getString("id"))) {
                return replicas.getJsonObject(i);
            }
        }
        return null;
    }

    /** What to tell the user about an answer other than 200. */
    static String refusal(String name, AdminClient.Answer answer) {
        JsonArray known = answer.body().getJsonArray("replicas");
        return name + ": " + answer.reason()
                + (known == null || known.isEmpty() ? "" : "; there are " + String.join(", ", names(known)));
    }

    private static String[] names(JsonArray known) {
        return known.stream().map(String::valueOf).toArray(String[]::new);
    }
}
