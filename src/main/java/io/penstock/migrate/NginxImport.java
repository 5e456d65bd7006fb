package io.penstock.migrate;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Makes a {@code penstock.yaml} out of an nginx configuration such as vLLM's guide has people write: one upstream of vLLM
 * servers, passed to by {@code location /}. What has no key of ours stands in comments, with the reason. Confined to one
 * thread; reads no files but the text it is given.
 */
public final class NginxImport {

    private static final Set<String> CHOICES =
            Set.of("least_conn", "ip_hash", "hash", "random", "least_time", "fair", "sticky", "consistent_hash");
    /** Paths that Penstock answers itself, or that only show nginx's own state. */
    private static final Set<String> ANSWERED =
            Set.of("/health", "/ping", "/healthz", "/nginx_status", "/nginx-health");

    private final String source;
    private final Account account = new Account();
    private final List<Directive> outer;
    private final List<Directive> upstreams;

    private NginxImport(String source, List<Directive> outer) {
        this.source = source;
        this.outer = outer;
        this.upstreams =
                outer.stream().filter(each -> each.name().equals("upstream")).toList();
    }

    /**
     * Translates a whole file.
     *
     * @param text its content
     * @param source its name, for people
     * @return the new file, and what could not be carried over
     * @throws UnusableFile when it is malformed, or passes requests to nobody
     */
    public static Translation translate(String text, String source) throws UnusableFile {
        return new NginxImport(source, Site.outer(NginxText.parse(text))).translate();
    }

    private Translation translate() throws UnusableFile {
        List<Site> sites = Site.all(outer);
        Site site = sites.isEmpty() ? siteOfUpstreamAlone() : sites.get(0);
        Target target = target(site);
        ReplicaList replicas = new ReplicaList(account, target.tls());
        Directive origin = target.upstream();
        if (origin != null) {
            replicas.addAll(origin);
        } else {
            origin = site.pass();
            if (origin == null) {
                throw new IllegalStateException("a target comes from an upstream or a proxy_pass");
            }
            replicas.addHost(target.authority(), origin);
        }
        paths(site, target);
        others(site, target, sites);
        Page keys = keys(site, replicas, origin, target.upstream());
        fates(site, target.upstream());
        differences(site, replicas, target);
        String yaml = whole(site, target, keys);
        String complaint = Trial.complaint(yaml);
        if (complaint != null) {
            throw new UnusableFile(0, "what was made of it is no good configuration: " + complaint);
        }
        return new Translation(yaml, account.lost());
    }

    private Site siteOfUpstreamAlone() throws UnusableFile {
        if (upstreams.isEmpty()) {
            boolean includes = outer.stream().anyMatch(each -> each.name().equals("include"));
            throw new UnusableFile(
                    0,
                    "no upstream and no proxy_pass found"
                            + (includes ? "; included files are not followed (nginx -T prints the whole)" : ""));
        }
        Directive first = upstreams.get(0);
        account.lost(first.shown(), first.line(), "no location passes to it with proxy_pass; taken as it is");
        Directive server = outer.stream()
                .filter(each -> each.name().equals("server"))
                .findFirst()
                .orElse(null);
        return new Site(outer, server, List.of());
    }

    private Target target(Site site) throws UnusableFile {
        Directive pass = site.pass();
        if (pass == null) {
            return new Target(false, upstreams.get(0).first(), null, upstreams.get(0));
        }
        Target target = Target.of(pass, upstreams);
        if (target != null) {
            return target;
        }
        if (upstreams.isEmpty()) {
            throw new UnusableFile(pass.line(), "where " + pass.shown() + " leads cannot be told");
        }
        account.lost(
                pass.shown(),
                pass.line(),
                "where it leads cannot be told; upstream "
                        + Plain.text(upstreams.get(0).first()) + " is taken");
        return new Target(false, upstreams.get(0).first(), null, upstreams.get(0));
    }

    private void paths(Site site, Target target) {
        Directive pass = site.pass();
        Directive location = site.location();
        if (pass != null && location != null && !site.keepsPaths(target.path())) {
            account.lost(
                    location.shown() + " with " + pass.shown(),
                    location.line(),
                    "paths are not rewritten: clients must ask for vLLM's own paths, such as /v1/chat/completions");
        }
    }

    /** Everything that passes or answers somewhere else. */
    private void others(Site site, Target target, List<Site> sites) {
        for (Site other : sites) {
            Directive pass = other.pass();
            if (!other.equals(site) && Objects.equals(other.server(), site.server()) && pass != null) {
                otherPass(other, pass, target);
            }
        }
        for (Directive server : outer) {
            if (server.name().equals("server") && !server.equals(site.server())) {
                account.lost(
                        "another server",
                        server.line(),
                        "Penstock is one server at one address, with one set of" + " replicas");
            }
        }
        Directive own = site.server();
        Set<String> errorPages = errorPages(own);
        for (Directive location : own == null ? List.<Directive>of() : own.all("location")) {
            if (!site.locations().contains(location)
                    && location.all("proxy_pass").isEmpty()) {
                if (ANSWERED.contains(location.last()) || errorPages.contains(location.last())) {
                    account.needless(
                            location.shown(),
                            location.line(),
                            "Penstock answers /health, /ping and errors itself, and has /metrics on its operator's port");
                } else {
                    account.lost(location.shown(), location.line(), "only vLLM's paths are served");
                }
            }
        }
    }

    private void otherPass(Site other, Directive pass, Target target) {
        Target elsewhere = Target.of(pass, upstreams);
        String subject = "location " + Plain.text(other.path());
        int line = pass.line();
        if (elsewhere == null || !elsewhere.sameReplicas(target)) {
            account.lost(
                    subject + " with " + pass.shown(),
                    line,
                    "there is one set of replicas. Where these serve other models, add them to upstreams: a request"
                            + " goes to a replica that serves its model");
        } else if (other.keepsPaths(elsewhere.path())) {
            account.needless(subject, line, "the same replicas; all of vLLM's paths for inference are served");
        } else {
            account.lost(subject, line, "paths are not rewritten: clients must ask for vLLM's own paths");
        }
    }

    private static Set<String> errorPages(@Nullable Directive server) {
        List<String> pages = new ArrayList<>();
        if (server != null) {
            server.all("error_page").forEach(each -> pages.add(each.last()));
        }
        return Set.copyOf(pages);
    }

    private Page keys(Site site, ReplicaList replicas, Directive origin, @Nullable Directive upstream)
            throws UnusableFile {
        Page page = new Page();
        new ListenAddress(account).write(site.server(), page);
        page.gap().comment("nginx: " + origin.shown() + " (line " + origin.line() + ")");
        replicas.write(page, origin);
        selection(upstream, page);
        new Settings(site, account).write(page);
        return page;
    }

    private static void selection(@Nullable Directive upstream, Page page) {
        Directive choice = upstream == null
                ? null
                : upstream.block().stream()
                        .filter(each -> CHOICES.contains(each.name()))
                        .findFirst()
                        .orElse(null);
        page.gap();
        if (choice == null) {
            page.comment(
                            "nginx: its default, in turn. Answers differ in length, so least_in_flight may suit vLLM better.")
                    .line("selection: round_robin");
        } else {
            page.comment("nginx: " + choice.shown() + " (line " + choice.line() + ")")
                    .line("selection: least_in_flight");
        }
    }

    private void fates(Site site, @Nullable Directive upstream) {
        DirectiveFates fates = new DirectiveFates(account);
        if (upstream != null) {
            fates.enterUpstream(upstream);
        }
        List<List<Directive>> scopes = site.scopes();
        for (int i = scopes.size() - 1; i >= 0; i--) {
            fates.enter(scopes.get(i));
        }
    }

    private void differences(Site site, ReplicaList replicas, Target target) {
        account.different("nginx passes "
                + (site.path().equals("/") ? "every path" : "what its locations say")
                + "; Penstock passes vLLM's paths for inference and refuses the ones that control vLLM, such as /sleep"
                + " (routes.allow opens more).");
        if (replicas.hasNames()) {
            account.different("A URL is one replica. Where several containers share one name, write"
                    + " {dns: NAME, port: 8000}: every address is a replica then.");
        }
        if (target.tls()) {
            account.different("The certificates of https replicas are verified; nginx did not unless told to.");
        }
        for (Directive upstream : upstreams) {
            if (!upstream.equals(target.upstream())) {
                List<String> servers = upstream.all("server").stream()
                        .map(each -> Plain.text(each.first()))
                        .toList();
                account.different("Not used: " + upstream.shown() + " (line " + upstream.line() + ") with "
                        + String.join(", ", servers) + ".");
            }
        }
    }

    private String whole(Site site, Target target, Page keys) {
        Page page = new Page();
        Directive upstream = target.upstream();
        Directive location = site.location();
        page.comment("Made by `penstock import` from " + Plain.text(source) + ": "
                + (upstream == null ? "the host" : Plain.text(upstream.shown()))
                + (location == null ? "" : ", which " + location.shown() + " passes to")
                + ". Try it with `penstock check`.");
        page.comments("NOT CARRIED OVER:", account.lost());
        page.gap().line(keys.toString().stripTrailing());
        page.comments("No longer needed:", account.needless());
        page.comments("Different in any case:", account.differences());
        return page.toString();
    }
}
