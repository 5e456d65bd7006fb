package io.penstock.migrate;

import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Where a {@code proxy_pass} leads.
 *
 * @param tls whether replicas are reached by HTTPS
 * @param authority what stands between scheme and path: an upstream's name or a host
 * @param path what takes the place of the location's prefix; null when the client's path stays
 * @param upstream the upstream of that name; null for a plain host
 */
record Target(
        boolean tls,
        String authority,
        @Nullable String path,
        @Nullable Directive upstream) {

    private static final Pattern URL = Pattern.compile("(https?)://([^/?#$]+)(/[^$]*)?", Pattern.CASE_INSENSITIVE);

    /** The target; null when only a request could tell (variables) or it is no HTTP URL. */
    static @Nullable Target of(Directive pass, List<Directive> upstreams) {
        Matcher url = URL.matcher(pass.first());
        if (!url.matches()) {
            return null;
        }
        String authority = url.group(2).toLowerCase(Locale.ROOT);
        Directive named = upstreams.stream()
                .filter(each -> each.first().toLowerCase(Locale.ROOT).equals(authority))
                .findFirst()
                .orElse(null);
        return new Target(url.group(1).equalsIgnoreCase("https"), authority, url.group(3), named);
    }

    /** Whether both lead to the same replicas in the same way. */
    boolean sameReplicas(Target other) {
        return tls == other.tls && authority.equals(other.authority);
    }
}
