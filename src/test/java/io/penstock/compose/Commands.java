package io.penstock.compose;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Commands with an environment, each with an end. */
record Commands(Map<String, String> environment) {

    /** How a command ended, with both of its outputs as one text. */
    record Result(List<String> command, int exit, String output) {

        /** The output, without white space at its ends, of a command that must succeed. */
        String text() {
            if (exit != 0) {
                throw new IllegalStateException(String.join(" ", command) + ": exit code " + exit + "\n" + output);
            }
            return output.strip();
        }
    }

    /** Runs a command to its end, or kills it after a time: exit code 124. */
    Result run(Duration limit, List<String> command) throws IOException, InterruptedException {
        Path output = Files.createTempFile("penstock-command", ".log");
        try {
            ProcessBuilder builder = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectInput(
                            ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                    .redirectOutput(output.toFile());
            builder.environment().putAll(environment);
            Process process = builder.start();
            try {
                int exit = process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS) ? process.exitValue() : 124;
                return new Result(command, exit, Files.readString(output, StandardCharsets.UTF_8));
            } finally {
                process.destroyForcibly();
            }
        } finally {
            Files.delete(output);
        }
    }
}
