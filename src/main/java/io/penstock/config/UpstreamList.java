package io.penstock.config;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;

/** Reads the entries of {@code upstreams}, or of the command line in its place. Confined to the thread that reads. */
final class UpstreamList {

    private static final String KEY = "upstreams";
    private static final int MOST = 1000;
    private static final int MOST_IN_FLIGHT = 1_000_000;
    private static final int HEAVIEST = 100;
    /** It becomes a label of metrics and a segment of {@code /drain/NAME}. */
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9\\[][A-Za-z0-9._:\\[\\]-]{0,99}");

    private static final Pattern MODEL = Pattern.compile("[^\\p{Cntrl}]{1,256}");
    private static final Notation<String> NAMES = text(NAME, "up to 100 letters, digits or . _ : -", "a name of ");
    private static final Notation<String> MODELS = text(MODEL, "1 to 256 characters", "a model's name of ");
    private static final Notation<String> HOSTS = new Notation<>(
            "host name",
            "a name in the DNS",
            "a host name such as vllm",
            text -> text.indexOf(':') < 0 && HostPort.faultOf(text) == null ? HostPort.canonical(text) : null,
            text -> text);
    private static final Notation<Integer> PORTS = Notation.wholeNumber(1, 65535);

    private final Findings findings;
    private final Secrets secrets;
    private final List<Replica> replicas = new ArrayList<>();
    private final Map<String, String> pathsByName = new HashMap<>();
    private final Map<Endpoint, String> pathsByEndpoint = new HashMap<>();

    /** The schemes that {@code scheme} can name. */
    private enum Scheme {
        HTTP,
        HTTPS
    }

    UpstreamList(Findings findings, Secrets secrets) {
        this.findings = findings;
        this.secrets = secrets;
    }

    /** The good entries of the file. Without the key it is a problem, unless the command line has some. */
    List<Replica> fromFile(Section root, boolean needed) {
        findings.setting(KEY, "list", "1 to " + MOST + " replicas", "", "");
        List<Node> entries = root.list(KEY, "a list of replicas, " + ReplicaUrl.WANT + " each");
        if (entries == null) {
            if (needed && !root.has(KEY)) {
                findings.problem(KEY, 0, "missing; want a list of replicas, " + ReplicaUrl.WANT + " each");
            }
            return List.of();
        }
        if (entries.isEmpty() || entries.size() > MOST) {
            findings.problem(KEY, root.lineOf(KEY), "want 1 to " + MOST + " replicas, got " + entries.size());
            return List.of();
        }
        for (int i = 0; i < entries.size(); i++) {
            readEntry(KEY + "[" + i + "]", entries.get(i));
        }
        return replicas;
    }

    /** The good ones of the command line's URLs. */
    List<Replica> fromCommandLine(List<String> urls) {
        for (String text : urls) {
            readUrl(new Scalar("--upstream", text, 0));
        }
        return replicas;
    }

    private void readEntry(String path, Node entry) {
        if (entry instanceof MappingNode) {
            Section section = new Section(path, entry, findings);
            readMapping(section, path, Section.lineOf(entry));
            section.end();
            return;
        }
        Scalar found = Section.scalar(path, entry, ReplicaUrl.WANT + ", or a mapping with url or dns", findings);
        if (found != null) {
            readUrl(found);
        }
    }

    private void readUrl(Scalar found) {
        ReplicaUrl url = ReplicaUrl.parse(found, findings);
        if (url != null) {
            Endpoint endpoint = url.endpoint();
            add(
                    new Replica(endpoint.toString(), endpoint, url.tls(), false, 1, 0, Set.of(), null),
                    found.path(),
                    found.line());
        }
    }

    private void readMapping(Section section, String path, int line) {
        Scalar url = section.scalar("url", ReplicaUrl.WANT);
        Scalar dns = section.scalar("dns", HOSTS.want());
        int port = section.value("port", PORTS, 1);
        Scheme scheme = section.value("scheme", Notation.choice(Scheme.class), Scheme.HTTP);
        findings.setting(path + ".url", "URL", "http or https, host, port", "", "");
        findings.setting(path + ".dns", HOSTS.type(), HOSTS.bounds(), "", "");
        findings.setting(path + ".port", PORTS.type(), PORTS.bounds(), "", "");
        String name = text(section, "name", NAMES, "HOST:PORT; the name for dns");
        int weight = section.value("weight", Notation.wholeNumber(1, HEAVIEST), 1);
        int maxInFlight = section.value("maxInFlight", Notation.wholeNumber(0, MOST_IN_FLIGHT), 0);
        Set<String> models = new LinkedHashSet<>(section.texts("models", MODELS));
        String apiKey = apiKey(section);
        if (section.has("url") == section.has("dns")) {
            findings.problem(path, line, "want either url or dns" + (section.has("url") ? ", got both" : ""));
            return;
        }
        ReplicaUrl target = section.has("url") ? ofUrl(section, path, url) : ofName(section, path, dns, port, scheme);
        if (target != null) {
            String usual = section.has("dns")
                    ? target.endpoint().host()
                    : target.endpoint().toString();
            add(
                    new Replica(
                            name == null ? usual : name,
                            target.endpoint(),
                            target.tls(),
                            section.has("dns"),
                            weight,
                            maxInFlight,
                            models,
                            apiKey),
                    path,
                    line);
        }
    }

    private @Nullable ReplicaUrl ofUrl(Section section, String path, @Nullable Scalar url) {
        for (String key : List.of("port", "scheme")) {
            if (section.has(key)) {
                findings.problem(path + "." + key, section.lineOf(key), "belongs to dns; here it is a part of url");
            }
        }
        return url == null ? null : ReplicaUrl.parse(url, findings);
    }

    private @Nullable ReplicaUrl ofName(Section section, String path, @Nullable Scalar dns, int port, Scheme scheme) {
        if (!section.has("port")) {
            findings.problem(path + ".port", section.lineOf("dns"), "missing; want " + PORTS.want());
        }
        String host = dns == null ? null : findings.parse(dns, HOSTS);
        return host == null ? null : new ReplicaUrl(new Endpoint(host, port), scheme == Scheme.HTTPS);
    }

    private @Nullable String apiKey(Section section) {
        Scalar written = section.secret("apiKey");
        findings.setting(section.pathOf("apiKey"), "secret", "${env:NAME} or ${file:/path}", "the client's", "");
        return written == null ? null : secrets.resolve(written);
    }

    private @Nullable String text(Section section, String key, Notation<String> notation, String fallback) {
        findings.setting(section.pathOf(key), notation.type(), notation.bounds(), fallback, "");
        Scalar found = section.scalar(key, notation.want());
        return found == null ? null : findings.parse(found, notation);
    }

    private void add(Replica replica, String path, int line) {
        String sameAddress = pathsByEndpoint.putIfAbsent(replica.endpoint(), path);
        String sameName = pathsByName.putIfAbsent(replica.name(), path);
        if (sameAddress != null) {
            findings.problem(path, line, "the same address as " + sameAddress + ": " + replica.endpoint());
        } else if (sameName != null) {
            findings.problem(
                    path, line, "the same name as " + sameName + ": " + replica.name() + "; give it another name");
        }
        replicas.add(replica);
    }

    private static Notation<String> text(Pattern pattern, String bounds, String before) {
        return new Notation<>(
                "text", bounds, before + bounds, text -> pattern.matcher(text).matches() ? text : null, text -> text);
    }
}
