package io.penstock;

import java.io.PrintWriter;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code penstock explain REQUEST_ID}: why did my request go there. */
@Command(
        name = "explain",
        mixinStandardHelpOptions = true,
        description = {
            "Shows why a request went to its replica: who could have had it, what was predicted, and what came true.",
            "Without an id: lists the latest requests.",
            "The newest 4096 requests are remembered. Their ids are the X-Request-Id of their answers and of the log."
        },
        exitCodeListHeading = "Exit codes:%n",
        exitCodeList = {
            "0:shown",
            "1:no request with this id is remembered",
            "2:wrong usage",
            "3:the admin port cannot be reached"
        })
public final class ExplainCommand implements Callable<Integer> {

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Mixin
    private AdminAddress admin = new AdminAddress();

    @Parameters(paramLabel = "REQUEST_ID", arity = "0..1", description = "The request's id.")
    private @Nullable String requestId;

    @Option(names = "--json", description = "Print everything that is known, as JSON.")
    private boolean json;

    /** Made by {@code Main}. */
    public ExplainCommand() {}

    /**
     * Asks and prints.
     *
     * @return the exit code
     */
    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        try {
            AdminClient client = admin.client();
            String id = requestId;
            AdminClient.Answer answer = id == null ? client.receipts() : client.explain(id);
            if (answer.status() != 200 || answer.body().getJsonArray(id == null ? "receipts" : "decisions") == null) {
                err.println((id == null ? "" : id + ": ") + answer.reason());
                return 1;
            }
            if (json) {
                out.println(answer.body().encodePrettily());
            } else if (id == null) {
                ReceiptText.list(answer.body()).forEach(out::println);
            } else {
                new ReceiptText(answer.body()).lines().forEach(out::println);
            }
            return 0;
        } catch (AdminClient.Unreachable e) {
            err.println(e.getMessage());
            return 3;
        } finally {
            out.flush();
        }
    }
}
