package io.penstock;

import io.penstock.config.Surroundings;
import io.penstock.migrate.NginxImport;
import io.penstock.migrate.Translation;
import io.penstock.migrate.UnusableFile;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code penstock import FILE}: prints the configuration that takes the place of an nginx's. */
@Command(
        name = "import",
        description = {
            "Reads an nginx configuration, as vLLM's guide has it, and prints the penstock.yaml that takes its place.",
            "What has no meaning any more stands in comments. Problems are repeated on standard error.",
            "  penstock import nginx_conf/nginx.conf > conf/penstock.yaml"
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:the printed file does what the old one did",
            "1:the file is printed, but something could not be carried over",
            "2:nothing is printed: the file is unreadable, malformed, or passes requests to nobody"
        })
final class ImportCommand implements Callable<Integer> {

    private static final int EQUIVALENT = 0;
    private static final int SOMETHING_LOST = 1;
    private static final int UNUSABLE = 2;
    private static final int LIMIT_BYTES = 1 << 20;
    private static final String STANDARD_INPUT = "-";

    private final InputStream input;

    @Parameters(paramLabel = "FILE", description = "The nginx configuration; - for standard input.")
    private @Nullable String file;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help.")
    @SuppressWarnings("UnusedVariable") // picocli reads it
    private boolean help;

    @Spec
    private @Nullable CommandSpec spec;

    /**
     * The command.
     *
     * @param input what {@code -} reads; left open
     */
    ImportCommand(InputStream input) {
        this.input = input;
    }

    @Override
    public Integer call() {
        if (file == null || spec == null) {
            throw new IllegalStateException("picocli sets both");
        }
        PrintWriter err = spec.commandLine().getErr();
        String source = file.equals(STANDARD_INPUT) ? "standard input" : file;
        try {
            Translation translation = NginxImport.translate(text(file), source);
            PrintWriter out = spec.commandLine().getOut();
            out.print(translation.yaml());
            out.flush();
            translation.lost().forEach(each -> err.println("not carried over: " + each));
            return translation.lost().isEmpty() ? EQUIVALENT : SOMETHING_LOST;
        } catch (UnusableFile fault) {
            err.println(source + ": " + fault.getMessage());
        } catch (NoSuchFileException fault) {
            err.println(source + ": there is no such file");
        } catch (IOException fault) {
            err.println(source + ": cannot be read: " + fault.getMessage());
        }
        return UNUSABLE;
    }

    private String text(String name) throws IOException {
        byte[] bytes = name.equals(STANDARD_INPUT)
                ? input.readNBytes(LIMIT_BYTES + 1)
                : Surroundings.REAL.files().read(Path.of(name), LIMIT_BYTES + 1);
        if (bytes.length > LIMIT_BYTES) {
            throw new IOException("it is longer than 1MiB");
        }
        // Leniently: comments in old encodings are no reason to refuse a file.
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
