package io.penstock.compose;

import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The engine that the tests run on, and the image that they run. */
final class DockerEngine {

    private static final Commands COMMANDS = new Commands(Map.of());
    private static @Nullable String image;

    private DockerEngine() {}

    /**
     * The image's name: {@code PENSTOCK_IMAGE} from the environment as it is, or one that is built from this directory
     * the first time. Skips the test, with the reason, where there is no engine.
     */
    static synchronized String image() throws IOException, InterruptedException {
        need("a running Docker engine", List.of("docker", "version", "--format", "{{.Server.Version}}"));
        need("Docker Compose 2 or newer", List.of("docker", "compose", "version"));
        String found = image;
        if (found == null) {
            found = System.getenv("PENSTOCK_IMAGE");
            if (found == null || found.isEmpty()) {
                found = "penstock:compose-test";
                new Commands(Map.of("PENSTOCK_IMAGE", found))
                        .run(
                                Duration.ofMinutes(15),
                                List.of("docker", "compose", "--profile", "sim", "build", "penstock-sim"))
                        .text();
            }
            image = found;
        }
        return found;
    }

    private static void need(String what, List<String> command) throws IOException, InterruptedException {
        String reason;
        try {
            Commands.Result result = COMMANDS.run(Duration.ofSeconds(20), command);
            if (result.exit() == 0) {
                return;
            }
            reason = result.output().strip();
        } catch (IOException e) {
            reason = String.valueOf(e.getMessage());
        }
        String message = "skipped: this needs " + what + ", but " + String.join(" ", command) + " says: " + reason;
        // Surefire shows no reason on the terminal by itself.
        System.err.println(message);
        abort(message);
    }
}
