package io.penstock.migrate;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** From an upstream's {@code server} lines to entries of {@code upstreams}. */
final class ReplicaList {

    private static final Pattern ADDRESS = Pattern.compile("(\\[[0-9A-Fa-f:.]+]|[A-Za-z0-9._-]+)(?::(\\d{1,5}))?");
    private static final Pattern NUMBER = Pattern.compile("\\d{1,9}");
    private static final Pattern IP = Pattern.compile("\\[.*|[0-9.]+");
    private static final int HEAVIEST = 100;
    private static final int MOST_IN_FLIGHT = 1_000_000;
    private static final String HTTP_PORT = "80";

    private final Account account;
    private final boolean tls;
    // By address, in the order of the file.
    private final Map<String, Entry> entries = new LinkedHashMap<>();
    private final List<String> commentedOut = new ArrayList<>();

    /** One replica, or all replicas behind one name. */
    private record Entry(String host, String port, boolean everyAddress, int weight, int maxInFlight) {}

    ReplicaList(Account account, boolean tls) {
        this.account = account;
        this.tls = tls;
    }

    /** Takes the {@code server} lines of an upstream. */
    void addAll(Directive upstream) throws UnusableFile {
        for (Directive server : upstream.all("server")) {
            if (server.arguments().isEmpty()) {
                throw new UnusableFile(server.line(), "server without an address");
            }
            add(server);
        }
        if (entries.isEmpty()) {
            throw new UnusableFile(
                    upstream.line(), "no server in " + upstream.shown() + " that can be used" + reasons());
        }
    }

    /** Takes a host that stood in a {@code proxy_pass} itself. */
    void addHost(String authority, Directive pass) throws UnusableFile {
        String withPort = authority.matches(".*[^:]:\\d+") ? authority : authority + (tls ? ":443" : ":80");
        add(new Directive("server", List.of(withPort), List.of(), pass.line()));
        if (entries.isEmpty()) {
            throw new UnusableFile(pass.line(), "no replica that can be used" + reasons());
        }
    }

    private String reasons() {
        return account.lost().isEmpty() ? "" : ": " + String.join("; ", account.lost());
    }

    private void add(Directive server) throws UnusableFile {
        Matcher address = ADDRESS.matcher(server.first());
        if (!address.matches()) {
            account.lost(
                    server.shown(),
                    server.line(),
                    server.first().startsWith("unix:")
                            ? "replicas are reached by TCP: let vLLM listen at a port"
                            : "the address cannot be read");
            commentedOut.add("#  - " + Plain.text(server.first()) + "   # line " + server.line());
            return;
        }
        Parameters parameters = parameters(server);
        String port = address.group(2) == null ? HTTP_PORT : address.group(2);
        // A name that is resolved as it changes stands for every address behind it; one IP is one replica.
        boolean every = parameters.resolve() && !IP.matcher(address.group(1)).matches();
        Entry entry = new Entry(
                address.group(1).toLowerCase(Locale.ROOT), port, every, parameters.weight(), parameters.maxConns());
        String complaint = Trial.complaint("upstreams:\n" + String.join("\n", lines(entry, 1)) + "\n");
        String reason = complaint != null ? complaint : parameters.out();
        if (complaint != null) {
            account.lost(server.shown(), server.line(), complaint);
        }
        if (reason != null) {
            List<String> lines = lines(entry, entry.weight());
            commentedOut.add("#" + lines.get(0) + "   # line " + server.line() + ": " + reason);
            lines.subList(1, lines.size()).forEach(line -> commentedOut.add("#" + line));
        } else {
            entries.merge(entry.host() + ":" + port, entry, (one, other) -> twice(one, other, server));
        }
    }

    /** nginx takes each line as a server of its own, so an address that stands there twice gets both shares. */
    private Entry twice(Entry one, Entry other, Directive server) {
        account.needless(server.shown(), server.line(), "the same address again; its weight is added");
        boolean limited = one.maxInFlight() > 0 && other.maxInFlight() > 0;
        return new Entry(
                one.host(),
                one.port(),
                one.everyAddress() || other.everyAddress(),
                one.weight() + other.weight(),
                limited ? Math.min(one.maxInFlight() + other.maxInFlight(), MOST_IN_FLIGHT) : 0);
    }

    /** What stands after the address; {@code out} says why the entry is commented out, null when it is not. */
    private record Parameters(
            int weight,
            int maxConns,
            boolean resolve,
            @Nullable String out) {}

    private Parameters parameters(Directive server) throws UnusableFile {
        int weight = 1;
        int maxConns = 0;
        boolean resolve = false;
        String out = null;
        for (String each : server.arguments().subList(1, server.arguments().size())) {
            String key = each.substring(0, each.indexOf('=') < 0 ? each.length() : each.indexOf('='));
            switch (key) {
                case "weight" -> weight = number(each, server);
                case "max_conns" -> maxConns = Math.min(number(each, server), MOST_IN_FLIGHT);
                case "resolve" -> resolve = true;
                case "down", "drain" -> out = key + " in nginx: take the # away when it is back";
                case "backup" -> {
                    out = "backup in nginx: take the # away and it works like the others";
                    account.lost(
                            server.shown(),
                            server.line(),
                            "no equivalent for a replica that works only when all others are gone; it is commented out");
                }
                case "max_fails", "fail_timeout" ->
                    account.needless(
                            Plain.text(each),
                            server.line(),
                            "replicas are probed every 2s: out within seconds, back within seconds of recovery (probe)");
                case "slow_start" ->
                    account.lost(Plain.text(each), server.line(), "a replica that is back gets its full share at once");
                default -> account.lost("server ... " + Plain.text(each), server.line(), "no equivalent");
            }
        }
        if (weight == 0) {
            throw new UnusableFile(server.line(), "weight=0 is nothing that nginx takes");
        }
        return new Parameters(weight, maxConns, resolve, out);
    }

    private static int number(String parameter, Directive server) throws UnusableFile {
        String value = parameter.substring(parameter.indexOf('=') + 1);
        if (!NUMBER.matcher(value).matches()) {
            throw new UnusableFile(server.line(), "want a number in " + Plain.text(parameter));
        }
        return Integer.parseInt(value);
    }

    /** Whether some replica has a name, behind which there may be several addresses. */
    boolean hasNames() {
        return entries.values().stream()
                .anyMatch(
                        each -> !each.everyAddress() && !IP.matcher(each.host()).matches());
    }

    void write(Page page, Directive origin) {
        page.line("upstreams:");
        int divisor = 0;
        int heaviest = 0;
        for (Entry each : entries.values()) {
            divisor = gcd(each.weight(), divisor);
            heaviest = Math.max(heaviest, each.weight());
        }
        boolean exact = heaviest <= HEAVIEST || heaviest / divisor <= HEAVIEST;
        for (Entry each : entries.values()) {
            int weight = heaviest <= HEAVIEST
                    ? each.weight()
                    : exact
                            ? each.weight() / divisor
                            : (int) Math.max(1, Math.round((double) each.weight() * HEAVIEST / heaviest));
            lines(each, weight).forEach(page::line);
        }
        if (!exact) {
            account.lost(
                    "weights above 100", origin.line(), "brought to 1 to 100, in proportion as near as that allows");
        }
        commentedOut.forEach(page::line);
    }

    private List<String> lines(Entry entry, int weight) {
        String scheme = tls ? "https" : "http";
        List<String> lines = new ArrayList<>();
        if (entry.everyAddress()) {
            lines.add("  - dns: " + entry.host());
            lines.add("    port: " + entry.port());
            if (tls) {
                lines.add("    scheme: https");
            }
        } else {
            boolean alone = weight == 1 && entry.maxInFlight() == 0;
            lines.add("  - " + (alone ? "" : "url: ") + scheme + "://" + entry.host() + ":" + entry.port());
        }
        if (weight != 1) {
            lines.add("    weight: " + weight);
        }
        if (entry.maxInFlight() > 0) {
            lines.add("    maxInFlight: " + entry.maxInFlight());
        }
        return lines;
    }

    private static int gcd(int a, int b) {
        return b == 0 ? a : gcd(b, a % b);
    }
}
