package io.penstock.bench;

import io.vertx.core.Future;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpMethod;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What prefix caches were asked for so far, or a guess at it.
 *
 * @param queries prompt tokens
 * @param hits those that were found
 */
record Lookups(double queries, double hits) {

    static final Lookups NONE = new Lookups(0, 0);

    /** What a replica's cache found. */
    static Future<Lookups> ofReplica(HttpClient client, String host, int port) {
        return read(client, host, port, "vllm:prefix_cache_queries_total", "vllm:prefix_cache_hits_total");
    }

    /** What a Penstock believes that its replicas' caches found. */
    static Future<Lookups> ofPenstock(HttpClient client, String host, int adminPort) {
        return read(client, host, adminPort, "penstock_prefix_lookup_tokens_total", "penstock_prefix_hit_tokens_total");
    }

    private static Future<Lookups> read(HttpClient client, String host, int port, String queries, String hits) {
        return client.request(HttpMethod.GET, port, host, "/metrics")
                .compose(request -> request.send())
                .compose(response -> response.body())
                .map(body -> new Lookups(sum(queries, body.toString()), sum(hits, body.toString())));
    }

    static double sum(String family, String exposition) {
        Matcher samples = Pattern.compile("(?m)^" + Pattern.quote(family) + "\\{[^}]*} (\\S+)$")
                .matcher(exposition);
        double sum = 0;
        while (samples.find()) {
            sum += Double.parseDouble(samples.group(1));
        }
        return sum;
    }

    Lookups plus(Lookups more) {
        return new Lookups(queries + more.queries, hits + more.hits);
    }

    Lookups since(Lookups before) {
        return new Lookups(queries - before.queries, hits - before.hits);
    }

    /** Not a number if nothing was asked. */
    double ratio() {
        return hits / queries;
    }
}
