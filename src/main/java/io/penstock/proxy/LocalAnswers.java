package io.penstock.proxy;

import io.penstock.proxy.ExchangeReport.Result;
import io.penstock.selection.RequestTraits;
import io.penstock.upstream.UpstreamState;
import io.vertx.core.MultiMap;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;

/** Routes of vLLM's API that the front answers by itself, from memory. Confined to one event loop. */
final class LocalAnswers {

    private final Loop loop;
    private final Edge edge;
    private final String version;

    LocalAnswers(Loop loop, Edge edge, String version) {
        this.loop = loop;
        this.edge = edge;
        this.version = version;
    }

    /** {@code /health} and {@code /ping}: 200 with an empty body while at least one replica can take work, else 503. */
    void health(Edge.Admitted admitted) {
        if (loop.shared().live().anyOpen()) {
            send(admitted, Buffer.buffer());
        } else {
            edge.refuse(
                    admitted, new ProxyFailure(FailureKind.NO_REPLICA, "no replica is available at the moment"), "");
        }
    }

    /** {@code /version}. */
    void version(Edge.Admitted admitted) {
        send(
                admitted,
                new JsonObject()
                        .put("version", version)
                        .put("server", "penstock")
                        .toBuffer());
    }

    /** {@code /load}: requests in flight at all replicas together. */
    void load(Edge.Admitted admitted) {
        int inFlight = 0;
        for (UpstreamState replica : loop.shared().live().current().members()) {
            inFlight += replica.inFlight();
        }
        send(admitted, new JsonObject().put("server_load", inFlight).toBuffer());
    }

    private void send(Edge.Admitted admitted, Buffer body) {
        StreamRelay relay = new StreamRelay(loop, admitted.request(), admitted.requestId());
        relay.answer(200, MultiMap.caseInsensitiveMultiMap(), body.length() == 0 ? "" : "application/json", body);
        loop.report(new Timeline(admitted.arrivedNanos())
                .report(
                        admitted.facts(RequestTraits.NONE, 0),
                        Result.COMPLETED,
                        null,
                        200,
                        null,
                        0,
                        relay.bytesOut(),
                        loop.now()));
    }
}
