package io.penstock.config;

import io.netty.util.NetUtil;
import io.penstock.config.PenstockConfig.Admin;
import io.penstock.config.PenstockConfig.Admission;
import io.penstock.config.PenstockConfig.Drain;
import io.penstock.config.PenstockConfig.Ejection;
import io.penstock.config.PenstockConfig.Explain;
import io.penstock.config.PenstockConfig.Heartbeat;
import io.penstock.config.PenstockConfig.Limits;
import io.penstock.config.PenstockConfig.Log;
import io.penstock.config.PenstockConfig.Policy;
import io.penstock.config.PenstockConfig.Probe;
import io.penstock.config.PenstockConfig.Progress;
import io.penstock.config.PenstockConfig.Retry;
import io.penstock.config.PenstockConfig.Routes;
import io.penstock.config.PenstockConfig.Selection;
import io.penstock.config.PenstockConfig.Timeouts;
import io.penstock.config.PenstockConfig.Tracing;
import io.penstock.config.PenstockConfig.Trust;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.nodes.ScalarNode;

/** Every key of the file in its order, with its bounds. The defaults stand in {@link PenstockConfig}. */
final class FileLayout {

    private static final Duration MS_1 = Duration.ofMillis(1);
    private static final Duration MS_10 = Duration.ofMillis(10);
    private static final Duration MS_100 = Duration.ofMillis(100);
    private static final Duration MINUTE = Duration.ofSeconds(60);
    private static final Duration MINUTES_10 = Duration.ofMinutes(10);
    private static final Duration HOUR = Duration.ofHours(1);
    private static final Duration DAY = Duration.ofHours(24);
    private static final int MILLION = 1_000_000;
    private static final long KIB = 1L << 10;
    private static final long MIB = 1L << 20;
    private static final long GIB = 1L << 30;

    /** vLLM's server closes a connection that was idle for this long. */
    private static final Duration REPLICA_CLOSES_IDLE = Duration.ofSeconds(5);

    private static final Notation<String> PATHS = new Notation<>(
            "list",
            "exact absolute paths",
            "an exact absolute path such as /tokenize, without query, escapes, wildcards, // and ..",
            text -> Pattern.matches("/|(?:/(?!\\.{1,2}(?:/|$))[A-Za-z0-9._~!$&'()+,;=:@-]+)+/?", text) ? text : null,
            text -> text);
    private static final Notation<String> BLOCKS = new Notation<>(
            "list",
            "IP addresses or CIDR blocks",
            "an IP address or a CIDR block (such as 10.0.0.0/8 or fd00::/8)",
            text -> isBlock(text) ? text : null,
            text -> text);

    private static final Notation<Endpoint> ADDRESS = Notation.endpoint();
    /** Nothing slows down whoever guesses. */
    private static final int SHORTEST_KEY = 16;

    private static final Notation<Integer> IN_A_ROW = Notation.wholeNumber(0, 1000);
    private static final Notation<Integer> SHARE = Notation.percent(0, 100);
    private static final Notation<String> OFF = new Notation<>(
            "choice",
            "off",
            "a mapping (key: value) or the word off",
            text -> text.equals("off") ? text : null,
            text -> text);

    private static final Pattern URL = Pattern.compile("https?://([^/?#@\\s]+)((?:/[^/?#@\\s]+)*)/?");
    private static final Notation<String> COLLECTOR = new Notation<>(
            "URL",
            "http or https, host, port, path",
            "the URL of an OTLP receiver over HTTP, such as http://collector:4318",
            FileLayout::collector,
            text -> text);
    private static final Notation<String> SERVICE = Notation.text("[^\\p{Cntrl}]{1,256}", "1 to 256 characters");
    private static final Notation<String> HEADERS =
            Notation.text("[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}", "names of HTTP headers");

    private final Section root;
    private final Overrides overrides;
    private final Findings findings;
    private final Secrets secrets;

    FileLayout(Section root, Overrides overrides, Findings findings, Secrets secrets) {
        this.root = root;
        this.overrides = overrides;
        this.findings = findings;
        this.secrets = secrets;
    }

    /** The whole value; meaningless when problems were noted. */
    PenstockConfig read() {
        Endpoint fallback = PenstockConfig.DEFAULT_LISTEN;
        Endpoint written = root.value("listen", ADDRESS, fallback);
        Endpoint listen = typed("listen", written, fallback, "--listen", overrides.listen());
        Admin admin = admin();
        if (collide(listen, admin.listen())) {
            String path = overrides.admin() == null ? "admin" : "--admin";
            findings.problem(
                    path,
                    root.lineOf("admin"),
                    "want another port than listen (" + listen + "), got " + admin.listen());
        }
        PenstockConfig config = new PenstockConfig(
                listen,
                admin,
                upstreams(),
                selection(),
                root.section("admission", FileLayout::admission),
                root.section("probe", FileLayout::probe),
                root.section("progress", FileLayout::progress),
                ejection(),
                root.section("retry", FileLayout::retry),
                root.section("heartbeat", FileLayout::heartbeat),
                root.section("timeouts", this::timeouts),
                root.section("limits", FileLayout::limits),
                root.section("drain", FileLayout::drain),
                root.section("routes", FileLayout::routes),
                root.section("trust", this::trust),
                root.section("log", FileLayout::log),
                root.section("tracing", this::tracing),
                root.section("explain", FileLayout::explain));
        root.end();
        warnOfIdleTarget(config.admission(), config.selection().policy());
        return config;
    }

    private void warnOfIdleTarget(Admission admission, Policy policy) {
        if (!admission.targetInterToken().isZero() && policy != Policy.PREDICTED_DELAY) {
            findings.warning(
                    "admission.targetInterToken",
                    "nobody is refused for it under " + Notation.spelled(policy)
                            + ": only selection: predicted_delay learns how fast replicas make tokens");
        }
    }

    /** What the command line says in place of what was written, if it says anything. */
    private Endpoint typed(String path, Endpoint written, Endpoint fallback, String option, @Nullable String typed) {
        Endpoint replaced = typed == null ? null : findings.parse(new Scalar(option, typed, 0), ADDRESS);
        if (replaced == null) {
            return written;
        }
        address(path, fallback, replaced);
        return replaced;
    }

    private void address(String path, Endpoint fallback, Endpoint value) {
        findings.setting(path, ADDRESS.type(), ADDRESS.bounds(), fallback.toString(), value.toString());
    }

    /** A mapping, or the address alone. */
    private Admin admin() {
        Endpoint fallback = Admin.DEFAULT.listen();
        boolean addressAlone = root.node("admin") instanceof ScalarNode;
        Section section = new Section("admin", addressAlone ? null : root.node("admin"), findings);
        Endpoint written = section.value("listen", ADDRESS, fallback);
        Scalar alone = addressAlone ? root.scalar("admin", ADDRESS.want()) : null;
        Endpoint parsed = alone == null ? null : findings.parse(alone, ADDRESS);
        if (parsed != null) {
            written = parsed;
            address("admin.listen", fallback, written);
        }
        Endpoint listen = typed("admin.listen", written, fallback, "--admin", overrides.admin());
        Admin admin = new Admin(listen, adminKey(section));
        section.end();
        return admin;
    }

    private @Nullable String adminKey(Section section) {
        Scalar written = section.secret("key");
        findings.setting("admin.key", "secret", "${env:NAME} or ${file:/path}", "", "");
        String key = written == null ? null : secrets.resolve(written);
        if (written != null && key != null && key.length() < SHORTEST_KEY) {
            findings.problem(written.path(), written.line(), "want a key of at least " + SHORTEST_KEY + " characters");
        }
        return key;
    }

    private List<Replica> upstreams() {
        boolean typed = !overrides.upstreams().isEmpty();
        List<Replica> written = new UpstreamList(findings, secrets).fromFile(root, !typed);
        return typed ? new UpstreamList(findings, secrets).fromCommandLine(overrides.upstreams()) : written;
    }

    private Selection selection() {
        Notation<Policy> policies = Notation.choice(Policy.class);
        Policy fallback = Selection.DEFAULT.policy();
        if (root.node("selection") instanceof ScalarNode) {
            Scalar found = root.scalar("selection", policies.want());
            Policy chosen = found == null ? null : findings.parse(found, policies);
            Policy value = chosen == null ? fallback : chosen;
            findings.setting(
                    "selection.policy",
                    policies.type(),
                    policies.bounds(),
                    Notation.spelled(fallback),
                    Notation.spelled(value));
            return new Selection(value);
        }
        return root.section("selection", section -> new Selection(section.value("policy", policies, fallback)));
    }

    private static Admission admission(Section section) {
        return new Admission(
                section.value("maxWaiting", Notation.wholeNumber(0, MILLION), Admission.DEFAULT.maxWaiting()),
                section.value("maxWait", Notation.duration(MS_100, DAY), Admission.DEFAULT.maxWait()),
                section.value(
                        "targetInterToken",
                        Notation.durationOrNone(MS_1, Duration.ofSeconds(10)),
                        Admission.DEFAULT.targetInterToken()));
    }

    private static Probe probe(Section section) {
        Notation<Integer> inARow = Notation.wholeNumber(1, 100);
        return new Probe(
                section.value("interval", Notation.duration(MS_100, MINUTES_10), Probe.DEFAULT.interval()),
                section.value("timeout", Notation.duration(MS_10, MINUTE), Probe.DEFAULT.timeout()),
                section.value("fall", inARow, Probe.DEFAULT.fall()),
                section.value("rise", inARow, Probe.DEFAULT.rise()),
                section.value("modelsInterval", Notation.duration(MS_100, DAY), Probe.DEFAULT.modelsInterval()));
    }

    private static Progress progress(Section section) {
        Notation<Duration> orNever = Notation.durationOrNone(MS_100, HOUR);
        return new Progress(
                section.value("suspect", orNever, Progress.DEFAULT.suspect()),
                section.value("stalled", orNever, Progress.DEFAULT.stalled()));
    }

    private Ejection ejection() {
        if (!(root.node("ejection") instanceof ScalarNode)) {
            return root.section("ejection", this::ejection);
        }
        Ejection usual = ejection(new Section("ejection", null, findings));
        Scalar word = root.scalar("ejection", OFF.want());
        if (word == null || findings.parse(word, OFF) == null) {
            return usual;
        }
        findings.setting("ejection.consecutive", IN_A_ROW.type(), IN_A_ROW.bounds(), "5", "0");
        findings.setting("ejection.share", SHARE.type(), SHARE.bounds(), "50%", "0%");
        return new Ejection(0, usual.window(), 0, usual.minimum(), usual.base(), usual.max());
    }

    private Ejection ejection(Section section) {
        Ejection usual = Ejection.DEFAULT;
        Ejection read = new Ejection(
                section.value("consecutive", IN_A_ROW, usual.consecutive()),
                section.value("window", Notation.duration(Duration.ofSeconds(1), MINUTES_10), usual.window()),
                section.value("share", SHARE, usual.sharePercent()),
                section.value("minimum", Notation.wholeNumber(1, MILLION), usual.minimum()),
                section.value("base", Notation.duration(MS_100, HOUR), usual.base()),
                section.value("max", Notation.duration(MS_100, HOUR), usual.max()));
        if (read.base().compareTo(read.max()) > 0) {
            findings.problem(
                    "ejection.base",
                    section.lineOf("base"),
                    "want no more than ejection.max (" + Units.duration(read.max()) + "), got "
                            + Units.duration(read.base()));
        }
        return read;
    }

    private static Retry retry(Section section) {
        return new Retry(
                section.value("max", Notation.wholeNumber(0, 10), Retry.DEFAULT.max()),
                section.value("budget", Notation.percent(0, 100), Retry.DEFAULT.budgetPercent()),
                section.value("floor", Notation.wholeNumber(0, MILLION), Retry.DEFAULT.floor()));
    }

    private static Heartbeat heartbeat(Section section) {
        return new Heartbeat(
                section.value("after", Notation.duration(Duration.ZERO, HOUR), Heartbeat.DEFAULT.after()),
                section.value("every", Notation.duration(MS_100, HOUR), Heartbeat.DEFAULT.every()));
    }

    private Timeouts timeouts(Section section) {
        Timeouts usual = Timeouts.DEFAULT;
        Notation<Duration> orNone = Notation.durationOrNone(MS_100, DAY);
        Timeouts read = new Timeouts(
                section.value("connect", Notation.duration(MS_10, MINUTE), usual.connect()),
                section.value("firstOutput", orNone, usual.firstOutput()),
                section.value("total", orNone, usual.total()),
                section.value("clientHead", Notation.duration(MS_100, MINUTES_10), usual.clientHead()),
                section.value("clientBody", Notation.duration(MS_100, HOUR), usual.clientBody()),
                section.value("clientIdle", Notation.duration(MS_100, DAY), usual.clientIdle()),
                section.value("slowReader", orNone, usual.slowReader()),
                section.value("stall", orNone, usual.stall()),
                section.value("upstreamIdle", Notation.duration(Duration.ofSeconds(1), HOUR), usual.upstreamIdle()));
        if (!read.total().isZero() && read.firstOutput().compareTo(read.total()) > 0) {
            findings.problem(
                    "timeouts.firstOutput",
                    section.lineOf("firstOutput"),
                    "want no more than timeouts.total (" + Units.duration(read.total()) + "), got "
                            + Units.duration(read.firstOutput()));
        }
        if (read.upstreamIdle().compareTo(REPLICA_CLOSES_IDLE) >= 0) {
            findings.warning(
                    "timeouts.upstreamIdle",
                    "vLLM closes idle connections after 5s, so requests will meet closed ones; 3s is safe");
        }
        return read;
    }

    private static Limits limits(Section section) {
        Limits usual = Limits.DEFAULT;
        return new Limits(
                section.value("body", Notation.size(KIB, GIB), usual.bodyBytes()),
                section.value("bodyMemory", Notation.percent(1, 80), usual.bodyMemoryPercent()),
                section.value("headers", Notation.size(KIB, MIB), (long) usual.headerBytes())
                        .intValue(),
                section.value("requestLine", Notation.size(KIB, MIB), (long) usual.requestLineBytes())
                        .intValue(),
                section.value("connections", Notation.wholeNumber(1, MILLION), usual.connections()));
    }

    private static Drain drain(Section section) {
        return new Drain(
                section.value("lameDuck", Notation.duration(Duration.ZERO, MINUTES_10), Drain.DEFAULT.lameDuck()),
                section.value("deadline", Notation.duration(Duration.ZERO, DAY), Drain.DEFAULT.deadline()));
    }

    private static Routes routes(Section section) {
        return new Routes(new LinkedHashSet<>(section.texts("allow", PATHS)));
    }

    private Trust trust(Section section) {
        List<String> blocks = section.texts("proxies", BLOCKS);
        for (String block : blocks) {
            if (block.endsWith("/0")) {
                findings.warning("trust.proxies", block + " believes the forwarding headers of everyone");
            }
        }
        return new Trust(blocks);
    }

    private static Log log(Section section) {
        return new Log(section.value("access", Notation.flag(), Log.DEFAULT.access()));
    }

    private Tracing tracing(Section section) {
        Tracing usual = Tracing.DEFAULT;
        if (root.has("tracing") && !section.has("endpoint")) {
            findings.problem("tracing.endpoint", root.lineOf("tracing"), "missing; want " + COLLECTOR.want());
        }
        return new Tracing(
                section.value("endpoint", COLLECTOR, usual.endpoint()),
                section.value("service", SERVICE, usual.service()),
                section.value("sample", Notation.ratio(), usual.sample()),
                section.secrets("headers", HEADERS, secrets));
    }

    private static Explain explain(Section section) {
        return new Explain(section.value("headers", Notation.flag(), Explain.DEFAULT.headers()));
    }

    /** Whether both cannot be listened at: the same port of the same host, or of all hosts. Port 0 is any free one. */
    private static boolean collide(Endpoint one, Endpoint other) {
        boolean sameHost = one.host().equals(other.host()) || isEveryHost(one) || isEveryHost(other);
        return one.port() == other.port() && one.port() != 0 && sameHost;
    }

    private static boolean isEveryHost(Endpoint endpoint) {
        return endpoint.host().equals("0.0.0.0") || endpoint.host().equals("::");
    }

    private static @Nullable String collector(String text) {
        Matcher url = URL.matcher(text);
        HostPort split = url.matches() ? HostPort.split(url.group(1)) : null;
        return split == null || split.port() == 0 || HostPort.faultOf(split.host()) != null
                ? null
                : text.endsWith("/") ? text.substring(0, text.length() - 1) : text;
    }

    private static boolean isBlock(String text) {
        int slash = text.indexOf('/');
        if (slash < 0) {
            return HostPort.isIp(text);
        }
        String address = text.substring(0, slash);
        int mostBits = NetUtil.isValidIpV4Address(address) ? Integer.SIZE : 128;
        return HostPort.isIp(address)
                && Notation.wholeNumber(0, mostBits).parser().parse(text.substring(slash + 1)) != null;
    }
}
