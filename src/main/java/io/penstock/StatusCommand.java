package io.penstock;

import io.vertx.core.json.JsonObject;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code penstock status}: is it ready, and if not, why. */
@Command(
        name = "status",
        mixinStandardHelpOptions = true,
        description = "Shows how the replicas of the running Penstock stand, and the state of its configuration.",
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

    @Option(names = "--json", description = "Print everything that is known, as JSON.")
    private boolean json;

    /** Made by picocli or {@code Main}. */
    public StatusCommand() {}

    /**
     * Asks and prints.
     *
     * @return the exit code
     */
    @Override
    public Integer call() {
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
}
