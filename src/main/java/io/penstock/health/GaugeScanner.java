package io.penstock.health;

import io.penstock.upstream.EngineGauges;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Reads along while a replica's {@code /metrics} comes in (Prometheus text format 0.0.4) and keeps the few numbers that
 * {@link EngineGauges} has. Holds one line at a time; what it cannot read it skips. One use.
 */
final class GaugeScanner {

    /** vLLM's lines have some 150 bytes; one that is longer is not ours. */
    private static final int LONGEST_LINE = 8 << 10;

    private static final int MOST_ENGINES = 256;
    /** Below these the replica's own mean of its prefill speed says little. */
    private static final double ENOUGH_TOKENS = 20_000;

    private static final double ENOUGH_SECONDS = 1;

    private static final String CACHE_CONFIG = "vllm:cache_config_info";
    private static final String PROCESS_START = "process_start_time_seconds";
    private static final String COMPUTED = "vllm:prompt_tokens_by_source_total";
    private static final String PREFILL_SECONDS = "vllm:request_prefill_time_seconds_sum";

    /** The series that are kept per engine, by their place in the array of an engine. */
    private static final Map<String, Integer> SERIES = Map.ofEntries(
            Map.entry("vllm:num_requests_running", 0),
            Map.entry("vllm:num_requests_waiting", 1),
            Map.entry("vllm:kv_cache_usage_perc", 2),
            Map.entry("vllm:gpu_cache_usage_perc", 2), // Its name before vLLM 0.10, and so below.
            Map.entry("vllm:generation_tokens_total", 3),
            Map.entry("vllm:prompt_tokens_total", 4),
            Map.entry("vllm:request_success_total", 5),
            Map.entry("vllm:prefix_cache_queries_total", 6),
            Map.entry("vllm:gpu_prefix_cache_queries_total", 6),
            Map.entry("vllm:prefix_cache_hits_total", 7),
            Map.entry("vllm:gpu_prefix_cache_hits_total", 7),
            Map.entry("vllm:num_preemptions_total", 8));

    private static final int KEPT = 9;

    private static final int CACHE_USAGE = 2;

    private final Map<String, double[]> engines = new TreeMap<>();
    private byte[] line = new byte[512];
    private int length;
    private boolean tooLong;
    private double processStart = Double.NaN;
    private long cacheTokens;
    private double computedTokens;
    private double prefillSeconds;

    /** Takes the next bytes in. */
    void feed(byte[] bytes) {
        int start = 0;
        for (int i = 0; i < bytes.length; i++) {
            if (bytes[i] == '\n') {
                keep(bytes, start, i);
                lineEnds();
                start = i + 1;
            }
        }
        keep(bytes, start, bytes.length);
    }

    /** What was read, with the moment of reading; null if no engine was in it. */
    @Nullable
    EngineGauges end(long nowNanos, long validNanos) {
        lineEnds();
        if (engines.isEmpty()) {
            return null;
        }
        List<EngineGauges.Engine> read = new ArrayList<>(engines.size());
        engines.forEach((label, v) ->
                read.add(new EngineGauges.Engine(label, v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8])));
        boolean enough = computedTokens >= ENOUGH_TOKENS && prefillSeconds >= ENOUGH_SECONDS;
        double speed = enough ? computedTokens / prefillSeconds : Double.NaN;
        return new EngineGauges(read, processStart, speed, cacheTokens, nowNanos, validNanos);
    }

    private void keep(byte[] bytes, int start, int end) {
        int added = end - start;
        if (tooLong || length + added > LONGEST_LINE) {
            tooLong = true;
            return;
        }
        if (length + added > line.length) {
            line = Arrays.copyOf(line, Math.max(length + added, 2 * line.length));
        }
        System.arraycopy(bytes, start, line, length, added);
        length += added;
    }

    private void lineEnds() {
        if (!tooLong && length > 0 && (line[0] == 'v' || line[0] == 'p')) {
            sample(new String(line, 0, length, StandardCharsets.UTF_8));
        }
        length = 0;
        tooLong = false;
    }

    /** {@code name{label="value",…} number} and perhaps a time. */
    private void sample(String text) {
        int nameEnd = 0;
        while (nameEnd < text.length() && text.charAt(nameEnd) != '{' && text.charAt(nameEnd) > ' ') {
            nameEnd++;
        }
        String name = text.substring(0, nameEnd);
        Integer place = SERIES.get(name);
        boolean wanted = place != null
                || name.equals(PROCESS_START)
                || name.equals(COMPUTED)
                || name.equals(PREFILL_SECONDS)
                || name.equals(CACHE_CONFIG);
        int labelsEnd = wanted ? labelsEnd(text, nameEnd) : -1;
        if (labelsEnd < 0) {
            return;
        }
        String labels = text.substring(nameEnd, labelsEnd);
        double value = number(text.substring(labelsEnd));
        if (!Double.isFinite(value)) {
            return;
        }
        if (place != null) {
            note(label(labels, "engine"), place, value);
        } else if (name.equals(PROCESS_START)) {
            processStart = value;
        } else if (name.equals(PREFILL_SECONDS)) {
            prefillSeconds += value;
        } else if (name.equals(CACHE_CONFIG)) {
            cacheTokens += count(label(labels, "num_gpu_blocks")) * count(label(labels, "block_size"));
        } else if ("local_compute".equals(label(labels, "source"))) {
            computedTokens += value;
        }
    }

    private void note(@Nullable String label, int place, double value) {
        // Before it could have several engines, vLLM had no such label.
        String engine = label == null ? "0" : label;
        if (engines.size() >= MOST_ENGINES && !engines.containsKey(engine)) {
            return;
        }
        double[] numbers = engines.computeIfAbsent(engine, e -> {
            double[] none = new double[KEPT];
            Arrays.fill(none, Double.NaN);
            return none;
        });
        double was = numbers[place];
        if (Double.isNaN(was)) {
            numbers[place] = value;
        } else {
            // Several models, or several ways to finish: they add up, but for a share of what they have in common.
            numbers[place] = place == CACHE_USAGE ? Math.max(was, value) : was + value;
        }
    }

    /** A label that is a number of things; 0 if it is none. */
    private static long count(@Nullable String value) {
        // Nine digits at most: nobody has that many blocks, and products stay products.
        return value != null && value.matches("[0-9]{1,9}") ? Long.parseLong(value) : 0;
    }

    /** Where the labels end that begin there; the same place if there are none, −1 if they do not end. */
    private static int labelsEnd(String text, int start) {
        if (start >= text.length() || text.charAt(start) != '{') {
            return start;
        }
        boolean quoted = false;
        for (int i = start + 1; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\\' && quoted) {
                i++;
            } else if (c == '"') {
                quoted = !quoted;
            } else if (c == '}' && !quoted) {
                return i + 1;
            }
        }
        return -1;
    }

    /** A label's value as it is written; null if it is not there. */
    private static @Nullable String label(String labels, String name) {
        int at = 1;
        while (at < labels.length()) {
            int equals = labels.indexOf("=\"", at);
            if (equals < 0) {
                return null;
            }
            int end = equals + 2;
            while (end < labels.length() && labels.charAt(end) != '"') {
                end += labels.charAt(end) == '\\' ? 2 : 1;
            }
            if (labels.substring(at, equals).strip().equals(name)) {
                return labels.substring(equals + 2, Math.min(end, labels.length()));
            }
            at = labels.indexOf(',', end) + 1;
            if (at == 0) {
                return null;
            }
        }
        return null;
    }

    private static double number(String text) {
        String stripped = text.strip();
        int end = 0;
        while (end < stripped.length() && stripped.charAt(end) > ' ') {
            end++;
        }
        try {
            return Double.parseDouble(stripped.substring(0, end));
        } catch (NumberFormatException notANumber) {
            return Double.NaN;
        }
    }
}
