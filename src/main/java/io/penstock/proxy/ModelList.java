package io.penstock.proxy;

import io.penstock.proxy.ExchangeReport.Result;
import io.penstock.selection.RequestTraits;
import io.penstock.upstream.UpstreamState;
import io.vertx.core.Future;
import io.vertx.core.MultiMap;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.DecodeException;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * {@code GET /v1/models}: the lists of all usable replicas as one. Each model once, every field as its replica gave it.
 * If no replica has a list to give, the first replica's own answer is passed on (401, say). Confined to one event loop.
 */
final class ModelList {

    private static final long TIMEOUT_MILLIS = Duration.ofSeconds(5).toMillis();

    private final Loop loop;
    private final Edge edge;

    ModelList(Loop loop, Edge edge) {
        this.loop = loop;
        this.edge = edge;
    }

    /** One replica's answer. */
    private record Answer(int status, @Nullable String contentType, Buffer body) {}

    /** Answers with the list, or with the one model that the path names. */
    void answer(Edge.Admitted admitted) {
        List<UpstreamState> usable = loop.shared().live().current().members().stream()
                .filter(UpstreamState::usable)
                .toList();
        if (usable.isEmpty()) {
            edge.refuse(
                    admitted,
                    new ProxyFailure(FailureKind.NO_REPLICA, "no replica is available at the moment; try again later"),
                    "");
            return;
        }
        new Inquiry(admitted).ask(usable);
    }

    /** One client's question, put to all replicas. */
    private final class Inquiry {

        private final Edge.Admitted admitted;
        private final List<HttpClientRequest> asked = new ArrayList<>();
        private boolean over;

        private Inquiry(Edge.Admitted admitted) {
            this.admitted = admitted;
        }

        private void ask(List<UpstreamState> replicas) {
            admitted.request().pause();
            admitted.request().exceptionHandler(t -> {});
            admitted.request().response().exceptionHandler(t -> {}).closeHandler(v -> clientLeft());
            List<Future<Answer>> answers = replicas.stream().map(this::ask).toList();
            Future.join(answers).onComplete(all -> {
                if (!over) {
                    over = true;
                    admitted.request().resume();
                    respond(admitted, answers);
                }
            });
        }

        private Future<Answer> ask(UpstreamState replica) {
            return loop.dialFresh(replica, HttpMethod.GET, "/v1/models").compose(request -> {
                if (over) {
                    request.reset();
                    return Future.failedFuture("the client left");
                }
                asked.add(request);
                HeaderHygiene.toReplica(
                        admitted.request().headers(),
                        request.headers(),
                        admitted.hop(),
                        admitted.requestId(),
                        replica.identity().replica().apiKey());
                long timer = loop.vertx().setTimer(TIMEOUT_MILLIS, late -> request.reset());
                return request.send()
                        .compose(ModelList::whole)
                        .onComplete(done -> loop.vertx().cancelTimer(timer));
            });
        }

        private void clientLeft() {
            if (!over) {
                over = true;
                asked.forEach(HttpClientRequest::reset);
                report(admitted, Result.CLIENT_LEFT, FailureKind.CLIENT_LEFT, FailureKind.CLIENT_LEFT.status(), 0);
            }
        }
    }

    private static Future<Answer> whole(HttpClientResponse response) {
        return response.body().map(body -> new Answer(response.statusCode(), response.getHeader("content-type"), body));
    }

    private void respond(Edge.Admitted admitted, List<Future<Answer>> asked) {
        Map<String, JsonObject> models = new LinkedHashMap<>();
        Answer other = null;
        boolean anyList = false;
        for (Future<Answer> each : asked) {
            Answer answer = each.result();
            if (answer == null) {
                continue;
            }
            JsonArray list = answer.status() == 200 ? list(answer.body()) : null;
            if (list == null) {
                other = other == null ? answer : other;
                continue;
            }
            anyList = true;
            for (int i = 0; i < list.size(); i++) {
                if (list.getValue(i) instanceof JsonObject model && model.getValue("id") instanceof String id) {
                    models.putIfAbsent(id, model);
                }
            }
        }
        if (anyList) {
            listed(admitted, models);
        } else if (other != null) {
            send(admitted, other.status(), other.contentType(), other.body());
        } else {
            edge.refuse(
                    admitted,
                    new ProxyFailure(FailureKind.NO_REPLICA, "no replica answered for its models; try again later"),
                    "");
        }
    }

    private static @Nullable JsonArray list(Buffer body) {
        try {
            return body.toJsonObject().getValue("data") instanceof JsonArray data ? data : null;
        } catch (DecodeException e) {
            return null;
        }
    }

    private void listed(Edge.Admitted admitted, Map<String, JsonObject> models) {
        if (admitted.route().kind() == ApiTable.Kind.MODELS) {
            JsonArray data = new JsonArray();
            models.values().forEach(data::add);
            JsonObject list = new JsonObject().put("object", "list").put("data", data);
            send(admitted, 200, "application/json", list.toBuffer());
            return;
        }
        String id = admitted.path().decoded().substring("/v1/models/".length());
        JsonObject model = models.get(id);
        if (model == null) {
            send(
                    admitted,
                    404,
                    "application/json",
                    ErrorShape.body(
                            admitted.route().dialect(),
                            404,
                            "model_not_found",
                            "The model `" + id + "` does not exist."));
        } else {
            send(admitted, 200, "application/json", model.toBuffer());
        }
    }

    private void send(Edge.Admitted admitted, int status, @Nullable String contentType, Buffer body) {
        MultiMap headers = MultiMap.caseInsensitiveMultiMap();
        StreamRelay relay = new StreamRelay(loop, admitted.request(), admitted.requestId());
        relay.answer(status, headers, contentType == null ? "application/json" : contentType, body);
        report(admitted, status < 400 ? Result.COMPLETED : Result.UPSTREAM_ERROR, null, status, relay.bytesOut());
    }

    private void report(
            Edge.Admitted admitted, Result result, @Nullable FailureKind failure, int status, long bytesOut) {
        loop.report(new Timeline(admitted.arrivedNanos())
                .report(admitted.facts(RequestTraits.NONE, 0), result, failure, status, null, 0, bytesOut, loop.now()));
    }
}
