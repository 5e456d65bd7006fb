package io.penstock;

import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code penstock undrain NAME}: lets a drained replica have work again. */
@Command(
        name = "undrain",
        mixinStandardHelpOptions = true,
        description = "Lets a drained replica have work again, as soon as it passes its probes.",
        exitCodeListHeading = "Exit codes:%n",
        exitCodeList = {"0:done", "1:refused, or no such replica", "2:wrong usage", "3:the admin port cannot be reached"
        })
public final class UndrainCommand implements Callable<Integer> {

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Mixin
    private AdminAddress admin = new AdminAddress();

    @Parameters(paramLabel = "NAME", description = "The replica, as status names it.")
    private String name = "";

    /** Made by picocli or {@code Main}. */
    public UndrainCommand() {}

    /**
     * Asks and prints.
     *
     * @return the exit code
     */
    @Override
    public Integer call() {
        PrintWriter err = spec.commandLine().getErr();
        try {
            AdminClient.Answer answer = admin.client().undrain(name);
            if (answer.status() != 200) {
                err.println(DrainCommand.refusal(name, answer));
                return 1;
            }
            boolean usable = answer.body().getBoolean("usable", false);
            PrintWriter out = spec.commandLine().getOut();
            out.println(name
                    + (usable
                            ? ": takes work again"
                            : ": no longer drained, takes work once it is ready ("
                                    + answer.body().getString("reason") + ")"));
            out.flush();
            return 0;
        } catch (AdminClient.Unreachable e) {
            err.println(e.getMessage());
            return 3;
        }
    }
}
