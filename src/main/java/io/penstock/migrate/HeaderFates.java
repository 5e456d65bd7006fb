package io.penstock.migrate;

import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/** What becomes of {@code proxy_set_header}. Values are not shown: keys stand in them. */
final class HeaderFates {

    private static final String BY_ITSELF =
            "set without being told (Host is the replica's own name; the client's is in X-Forwarded-Host)";
    private static final String HOP = "connections are kept open, and headers about them end here, without being told";

    /** By name in lower case, the values that mean what Penstock does. */
    private static final Map<String, Set<String>> SAME = Map.of(
            "host", Set.of("$host", "$http_host", "$proxy_host", "$host:$server_port", "$host:$proxy_port"),
            "x-real-ip", Set.of("$remote_addr"),
            "x-forwarded-for", Set.of("$proxy_add_x_forwarded_for", "$remote_addr"),
            "x-forwarded-proto", Set.of("$scheme"),
            "x-forwarded-host", Set.of("$host", "$http_host", "$host:$server_port"),
            "x-request-id", Set.of("$request_id", "$http_x_request_id"),
            "authorization", Set.of("$http_authorization"));

    /** Port and server say nothing that vLLM reads; the others are about one connection. */
    private static final Set<String> HOPS = Set.of(
            "connection",
            "upgrade",
            "x-forwarded-port",
            "x-forwarded-server",
            "accept-encoding",
            "keep-alive",
            "te",
            "proxy-connection");

    private static final Pattern BRACED = Pattern.compile("\\$\\{(\\w+)}");

    private HeaderFates() {}

    /** nginx takes {@code ${host}} for {@code $host}. */
    private static String unbraced(String value) {
        return BRACED.matcher(value).replaceAll("\\$$1");
    }

    static void enter(Directive directive, Account account) {
        String name = directive.first().toLowerCase(Locale.ROOT);
        String subject = "proxy_set_header " + Plain.text(directive.first());
        int line = directive.line();
        Set<String> same = SAME.get(name);
        if (same != null && same.contains(unbraced(directive.last()))) {
            account.needless(subject, line, BY_ITSELF);
        } else if (HOPS.contains(name)) {
            account.needless(subject, line, HOP);
        } else if (name.equals("authorization")) {
            account.lost(
                    subject,
                    line,
                    "a key of the replicas goes to each entry of upstreams, as apiKey: ${env:VLLM_API_KEY}, and not"
                            + " into the file");
        } else if (same != null) {
            account.lost(subject, line, "set to something else than usual; Penstock sets its own value");
        } else {
            account.lost(subject, line, "no headers of one's own are added to requests");
        }
    }
}
