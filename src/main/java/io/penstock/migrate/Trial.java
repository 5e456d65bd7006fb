package io.penstock.migrate;

import io.penstock.config.ConfigFile;
import io.penstock.config.Overrides;
import io.penstock.config.Reading;
import io.penstock.config.Surroundings;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Asks the configuration's own reader whether it would take a text, so that no rule of it stands here again. */
final class Trial {

    private static final Path ITSELF = Path.of("penstock.yaml");

    private Trial() {}

    /** What is wrong with a whole file, in the reader's words; null when it is good. */
    static @Nullable String complaint(String yaml) {
        Surroundings onlyThis = new Surroundings(name -> null, (path, limit) -> {
            if (!path.equals(ITSELF)) {
                throw new NoSuchFileException(path.toString());
            }
            return yaml.getBytes(StandardCharsets.UTF_8);
        });
        Reading reading = new ConfigFile(ITSELF, Overrides.NONE, onlyThis).read();
        return reading.problems().isEmpty() ? null : reading.problems().get(0).message();
    }

    /** What is wrong with some keys; null when nothing is. They must not be {@code upstreams}. */
    static @Nullable String complaintOfKeys(String yaml) {
        return complaint("upstreams: [\"http://a\"]\n" + yaml + "\n");
    }
}
