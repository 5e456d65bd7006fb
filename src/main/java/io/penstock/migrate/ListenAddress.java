package io.penstock.migrate;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** From a server's {@code listen} lines to the one address at which Penstock listens. */
final class ListenAddress {

    private static final Pattern PORT = Pattern.compile("\\d{1,5}");
    private static final Pattern PORTS = Pattern.compile("\\d+-\\d+");
    private static final Pattern ADDRESS = Pattern.compile("(\\[[0-9A-Fa-f:.]+]|[A-Za-z0-9._-]+|\\*)(?::(\\d{1,5}))?");
    private static final String EVERY_IPV4 = "0.0.0.0:";
    private static final String EVERY_IPV6 = "[::]:";
    /** Where the operator's port is unless it is set. */
    private static final String ADMIN_PORT = ":8090";

    private final Account account;

    /** One line that can be used. */
    private record Usable(String address, Directive directive) {}

    ListenAddress(Account account) {
        this.account = account;
    }

    void write(@Nullable Directive server, Page page) {
        List<Directive> lines = server == null ? List.of() : server.all("listen");
        List<Usable> usable = new ArrayList<>();
        for (Directive line : lines) {
            String address = address(line);
            if (address != null) {
                usable.add(new Usable(address, line));
            }
        }
        page.gap();
        if (!usable.isEmpty()) {
            write(usable, page);
        } else if (lines.isEmpty() && server != null) {
            page.comment("nginx: no listen line, which means port 80. " + published("80"))
                    .line("listen: " + EVERY_IPV4 + "80");
        } else {
            page.comment("Penstock's own default, since nothing in the file could be used.")
                    .line("listen: " + EVERY_IPV4 + "8000");
        }
    }

    private void write(List<Usable> usable, Page page) {
        Usable first = usable.get(0);
        String port = portOf(first.address());
        String chosen = first.address();
        StringBuilder origin = new StringBuilder(origin(first.directive()));
        for (Usable other : usable.subList(1, usable.size())) {
            // Both families at one port: on the systems that have IPv6, [::] takes IPv4 as well.
            if (List.of(EVERY_IPV4 + port, EVERY_IPV6 + port).containsAll(List.of(chosen, other.address()))) {
                chosen = EVERY_IPV6 + port;
                origin.append(", ").append(origin(other.directive()));
            } else {
                account.lost(other.directive().shown(), other.directive().line(), "Penstock listens at one address");
            }
        }
        page.comment("nginx: " + origin + ". " + published(port));
        page.line("listen: " + (chosen.startsWith("[") ? "\"" + chosen + "\"" : chosen));
        if (chosen.endsWith(ADMIN_PORT)) {
            page.line("admin: 127.0.0.1:8091   # the usual 8090 is taken by listen; tell penstock status --admin");
        }
    }

    private static String origin(Directive listen) {
        return listen.shown() + " (line " + listen.line() + ")";
    }

    private static String published(String port) {
        return "In a container: publish this port, as in -p 8000:" + port + ".";
    }

    private static String portOf(String address) {
        return address.substring(address.lastIndexOf(':') + 1);
    }

    /** Our spelling of it; null after saying why there is none. */
    private @Nullable String address(Directive listen) {
        if (listen.arguments().contains("ssl") || listen.arguments().contains("quic")) {
            account.lost(
                    listen.shown(),
                    listen.line(),
                    "TLS for clients is not ended here: leave something in front that does");
            return null;
        }
        String address = spelled(listen.first());
        String complaint = address == null
                ? "Penstock listens at a TCP address"
                : Trial.complaintOfKeys("listen: \"" + address + "\"\nadmin: 127.0.0.1:0");
        if (complaint != null) {
            account.lost(listen.shown(), listen.line(), complaint);
            return null;
        }
        if (listen.arguments().contains("proxy_protocol")) {
            account.lost(listen.shown(), listen.line(), "the PROXY protocol is not understood");
        }
        return address;
    }

    private static @Nullable String spelled(String text) {
        if (PORT.matcher(text).matches()) {
            return EVERY_IPV4 + Integer.parseInt(text);
        }
        Matcher address = ADDRESS.matcher(text);
        if (!address.matches() || PORTS.matcher(text).matches()) {
            return null;
        }
        String host = address.group(1).equals("*") ? "0.0.0.0" : address.group(1);
        return host + ":" + (address.group(2) == null ? "80" : address.group(2));
    }
}
