package io.penstock.health;

import io.penstock.upstream.Upstream;
import io.vertx.core.Future;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** What a replica can be asked, apart from the requests of clients. Confined to one event loop. */
interface Inquiries {

    /**
     * Asks {@code GET /health}, at one address after the other until one is reached. If none is, the first one, which is
     * the one that answered last, decides. An address has {@code timeout} for all of it.
     *
     * @param upstream where, with at least one address
     * @param timeout connecting and waiting for the head
     * @return a future that never fails
     */
    Future<HttpProbe.Result> health(Upstream upstream, Duration timeout);

    /**
     * Reads {@code GET /v1/models}.
     *
     * @param upstream who
     * @param address where
     * @param timeout for all of it
     * @return a future that never fails
     */
    Future<ModelList> models(Upstream upstream, String address, Duration timeout);

    /**
     * Reads {@code GET /metrics}.
     *
     * @param upstream who
     * @param address where
     * @param timeout for all of it
     * @return a future that never fails; null if there was nothing to read
     */
    Future<@Nullable GaugeScanner> metrics(Upstream upstream, String address, Duration timeout);

    /**
     * Posts a request that costs the engine next to nothing.
     *
     * @param upstream who
     * @param address where
     * @param path which kind of request
     * @param body the request, as JSON
     * @param timeout for all of it
     * @return a future that never fails
     */
    Future<TokenCall.Kind> token(Upstream upstream, String address, String path, String body, Duration timeout);
}
