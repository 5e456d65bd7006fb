package io.penstock;

import io.penstock.config.ConfigFile;
import io.penstock.config.Overrides;
import io.penstock.config.PenstockConfig;
import io.penstock.config.Reading;
import io.penstock.config.Surroundings;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code penstock check FILE}: says everything that is wrong with a configuration file, as a reload would. */
@Command(
        name = "check",
        description = "Checks a configuration file and prints every problem and warning.",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:the file is good (warnings may be printed)", "2:it has problems, or cannot be read"})
public final class CheckCommand implements Callable<Integer> {

    private static final int GOOD = 0;
    private static final int BAD = 2;

    private final Surroundings surroundings;

    @Parameters(paramLabel = "FILE", description = "The file, for example conf/penstock.yaml.")
    private @Nullable Path file;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help.")
    @SuppressWarnings("UnusedVariable") // picocli reads it
    private boolean help;

    @Spec
    private @Nullable CommandSpec spec;

    /** Checks with this process's environment and this machine's files. */
    public CheckCommand() {
        this(Surroundings.REAL);
    }

    /**
     * Checks in other surroundings.
     *
     * @param surroundings where the file and its secrets are
     */
    CheckCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() {
        if (file == null || spec == null) {
            throw new IllegalStateException("picocli sets both");
        }
        Reading reading = new ConfigFile(file, Overrides.NONE, surroundings).read();
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        reading.problems().forEach(problem -> err.println("problem: " + problem));
        reading.warnings().forEach(warning -> err.println("warning: " + warning));
        PenstockConfig config = reading.config();
        if (config == null) {
            err.println(file + " is not usable, problems: " + reading.problems().size());
            return BAD;
        }
        out.println(file + " is good, upstreams: " + config.upstreams().size());
        return GOOD;
    }
}
