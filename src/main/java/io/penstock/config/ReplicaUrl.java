package io.penstock.config;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The URL of a replica, which is a scheme, a host and perhaps a port (RFC 3986 section 3), and nothing else.
 *
 * @param endpoint host and port
 * @param tls whether the scheme is https
 */
record ReplicaUrl(Endpoint endpoint, boolean tls) {

    static final String WANT = "a URL such as http://vllm0:8000";

    private static final int HTTP_PORT = 80;
    private static final int HTTPS_PORT = 443;
    /** RFC 3986 appendix B, without its leniency about scheme and authority. */
    private static final Pattern URL = Pattern.compile(
            "(https?)://([^/?#]*)(/[^?#]*)?(\\?[^#]*)?(#.*)?", Pattern.CASE_INSENSITIVE | Pattern.DOTALL);

    /** The URL, or null after noting what is wrong with it. */
    static @Nullable ReplicaUrl parse(Scalar found, Findings findings) {
        Matcher url = URL.matcher(found.text());
        if (!url.matches()) {
            boolean bare = found.text().indexOf("//") < 0 && HostPort.split(found.text()) != null;
            String hint = bare ? "; write http://" + found.shown() : "";
            findings.problem(found.path(), found.line(), "want " + WANT + ", got " + found.shown() + hint);
            return null;
        }
        String extra = extra(url);
        if (extra != null) {
            findings.problem(found.path(), found.line(), extra + " (" + found.shown() + ")");
            return null;
        }
        return parse(found, url.group(1).toLowerCase(Locale.ROOT).equals("https"), url.group(2), findings);
    }

    private static @Nullable ReplicaUrl parse(Scalar found, boolean tls, String authority, Findings findings) {
        HostPort split = HostPort.split(authority);
        if (split == null || split.port() == 0) {
            findings.problem(
                    found.path(),
                    found.line(),
                    "want HOST:PORT after the scheme, with IPv6 in brackets and a port from 1 to 65535, got "
                            + found.shown());
            return null;
        }
        String fault = HostPort.faultOf(split.host());
        if (fault != null) {
            findings.problem(
                    found.path(),
                    found.line(),
                    new Scalar("", split.host(), 0).shown() + " " + fault + " (" + found.shown() + ")");
            return null;
        }
        int port = split.port() > 0 ? split.port() : tls ? HTTPS_PORT : HTTP_PORT;
        return new ReplicaUrl(new Endpoint(HostPort.canonical(split.host()), port), tls);
    }

    /** What stands in the URL that may not, with what to do instead; null when nothing does. */
    private static @Nullable String extra(Matcher url) {
        String path = url.group(3) == null ? "/" : url.group(3);
        // A password with a slash in it looks like a path, and is none of the log's business either.
        if (url.group(2).indexOf('@') >= 0 || path.indexOf('@') >= 0) {
            return "a URL holds no user or password here; put the replica's key into apiKey";
        }
        if (!path.equals("/")) {
            return "a URL holds no path here, since each request brings its own; end it after the port";
        }
        if (url.group(4) != null) {
            return "a URL holds no query here, since each request brings its own; end it after the port";
        }
        return url.group(5) == null ? null : "a URL holds no fragment (#...) here; end it after the port";
    }
}
