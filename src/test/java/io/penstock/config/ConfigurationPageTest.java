package io.penstock.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Holds {@code docs/configuration.md} and the shipped file to what the code does. */
class ConfigurationPageTest {

    private static final Pattern ROW =
            Pattern.compile("\\| `([a-zA-Z.\\[\\]]+)` \\| ([^|]+) \\| (?:`([^`]+)`)? ?\\| ([^|]+) \\| ([^|]+) \\|");
    private static final Pattern YAML = Pattern.compile("```yaml\\n(.*?)```", Pattern.DOTALL);

    private final FakeSurroundings world = new FakeSurroundings();

    @Test
    void thePageListsEveryKeyWithItsTypeDefaultAndBoundsInOrder() throws IOException {
        // One mapping makes every key of an entry known.
        List<Setting> known = world.read("upstreams: [{url: http://a}]").settings();
        Map<String, List<String>> expected = new LinkedHashMap<>();
        for (Setting setting : known) {
            expected.put(setting.path(), List.of(setting.type(), setting.fallback(), setting.bounds()));
        }
        Map<String, List<String>> written = new LinkedHashMap<>();
        for (String line : page().lines().toList()) {
            Matcher row = ROW.matcher(line);
            if (row.matches()) {
                String fallback = row.group(3) == null ? "" : row.group(3);
                written.put(row.group(1), List.of(row.group(2), fallback, row.group(4)));
            }
        }
        assertThat(written).containsExactlyInAnyOrderEntriesOf(expected);
        assertThat(withoutEntries(written)).isEqualTo(withoutEntries(expected));
    }

    @Test
    void everyExampleOnThePageIsGood() throws IOException {
        world.environment.put("VLLM_API_KEY", "k");
        world.file("/run/secrets/vllm", "k\n");
        List<String> examples =
                YAML.matcher(page()).results().map(match -> match.group(1)).toList();
        assertThat(examples).hasSize(2);
        for (String example : examples) {
            Reading reading = world.read(example);
            assertThat(reading.problems()).isEmpty();
            assertThat(reading.warnings()).isEmpty();
        }
    }

    @Test
    void theShippedFileIsGoodWithAndWithoutEachHint() throws IOException {
        String shipped = Files.readString(ConfigFile.USUAL_PATH);
        assertThat(world.read(shipped).problems()).isEmpty();
        world.environment.put("VLLM_API_KEY", "k");
        String hints = shipped.lines()
                .filter(line -> line.startsWith("# ") && !Character.isUpperCase(line.charAt(2)))
                .map(line -> line.substring(2))
                .reduce("", (text, line) -> text + line + "\n");
        Reading reading = world.read(hints);
        assertThat(reading.problems()).isEmpty();
        assertThat(reading.config()).isNotNull();
        assertThat(hints).contains("selection:", "dns:", "trust:");
    }

    private static List<String> withoutEntries(Map<String, List<String>> rows) {
        return rows.keySet().stream().filter(path -> !path.contains("[]")).toList();
    }

    private static String page() throws IOException {
        return Files.readString(Path.of("docs/configuration.md"));
    }
}
