package io.penstock.migrate;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The limits and timeouts of nginx that have a key of ours. */
final class Settings {

    private static final long LARGEST_BODY_BYTES = 1L << 30;

    /** In the order of our file. */
    private static final List<Map.Entry<String, String>> TIMEOUTS = List.of(
            Map.entry("clientHead", "client_header_timeout"),
            Map.entry("clientBody", "client_body_timeout"),
            Map.entry("clientIdle", "keepalive_timeout"));

    private final Site site;
    private final Account account;

    Settings(Site site, Account account) {
        this.site = site;
        this.account = account;
    }

    void write(Page page) throws UnusableFile {
        List<String> timeouts = new ArrayList<>();
        for (Map.Entry<String, String> each : TIMEOUTS) {
            String line = timeout(each.getKey(), site.effective(each.getValue()));
            if (line != null) {
                timeouts.add(line);
            }
        }
        if (!timeouts.isEmpty()) {
            page.gap().line("timeouts:");
            timeouts.forEach(page::line);
        }
        body(page);
        Directive access = site.effective("access_log");
        if (access != null && access.first().equals("off")) {
            page.gap().line("log: {access: false}" + origin(access));
        }
    }

    private @Nullable String timeout(String key, @Nullable Directive directive) throws UnusableFile {
        if (directive == null) {
            return null;
        }
        long millis = NginxUnits.millis(directive.first());
        if (millis < 0) {
            throw new UnusableFile(directive.line(), "no time: " + directive.shown());
        }
        if (millis == 0) {
            account.needless(directive.shown(), directive.line(), "the default of timeouts." + key + " holds");
            return null;
        }
        String value = key + ": " + NginxUnits.duration(millis);
        String complaint = Trial.complaintOfKeys("timeouts: {" + value + "}");
        if (complaint != null) {
            account.lost(directive.shown(), directive.line(), "timeouts." + key + ": " + complaint);
            return null;
        }
        return "  " + value + origin(directive);
    }

    private void body(Page page) throws UnusableFile {
        Directive directive = site.effective("client_max_body_size");
        if (directive == null) {
            account.different("Bodies may have 64MiB (limits.body); nginx refuses more than 1m unless told otherwise.");
            return;
        }
        long bytes = NginxUnits.bytes(directive.first());
        if (bytes < 0) {
            throw new UnusableFile(directive.line(), "no size: " + directive.shown());
        }
        if (bytes == 0 || bytes > LARGEST_BODY_BYTES) {
            account.lost(directive.shown(), directive.line(), "1GiB is the most that limits.body takes");
            bytes = LARGEST_BODY_BYTES;
        }
        String value = "body: " + NginxUnits.size(bytes);
        String complaint = Trial.complaintOfKeys("limits: {" + value + "}");
        if (complaint != null) {
            account.lost(directive.shown(), directive.line(), "limits.body: " + complaint);
            return;
        }
        page.gap().line("limits:").line("  " + value + origin(directive));
    }

    static String origin(Directive directive) {
        return "   # nginx: " + directive.shown() + " (line " + directive.line() + ")";
    }
}
