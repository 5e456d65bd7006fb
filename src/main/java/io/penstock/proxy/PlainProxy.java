package io.penstock.proxy;

import io.vertx.core.Future;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.proxy.handler.ProxyHandler;
import io.vertx.httpproxy.HttpProxy;
import io.vertx.httpproxy.ProxyContext;
import io.vertx.httpproxy.ProxyInterceptor;
import io.vertx.httpproxy.ProxyOptions;
import io.vertx.httpproxy.ProxyResponse;
import java.util.IdentityHashMap;

/**
 * Routes that are passed through as they come, on Vert.x Web Proxy: stored responses, paths that the operator opened.
 * Bodies are streamed both ways, so only a connection that cannot be made is made good elsewhere. Confined to one event
 * loop.
 */
final class PlainProxy {

    private static final String PASSAGE = "penstock.passage";

    private final Loop loop;
    private final ProxyHandler handler;
    // From the router to the proxy, by the one object that they have in common.
    private final IdentityHashMap<HttpServerResponse, Passage> passages = new IdentityHashMap<>();

    PlainProxy(Loop loop) {
        this.loop = loop;
        HttpProxy proxy = HttpProxy.reverseProxy(new ProxyOptions().setSupportWebSocket(false), loop.freshClient());
        proxy.origin(PlainProxy::dial);
        proxy.addInterceptor(new Hygiene());
        this.handler = ProxyHandler.create(proxy);
    }

    /** Passes a request through. */
    void pass(RoutingContext context, Edge.Admitted admitted) {
        HttpServerResponse response = context.response();
        Passage passage = new Passage(loop, admitted);
        passages.put(response, passage);
        response.closeHandler(v -> passage.clientLeft());
        if (BodyIntake.expectsContinue(context.request())) {
            response.writeContinue();
        }
        handler.handle(context);
    }

    /** Vert.x lets a request hang for ever if this throws, and sends it though its client is gone: neither happens. */
    private static Future<HttpClientRequest> dial(ProxyContext context) {
        try {
            return passage(context).dial(context.request());
        } catch (RuntimeException bug) {
            return Future.failedFuture(bug);
        }
    }

    private static Passage passage(ProxyContext context) {
        Passage passage = context.get(PASSAGE, Passage.class);
        if (passage == null) {
            throw new IllegalStateException("a request that was not admitted");
        }
        return passage;
    }

    /** Headers, errors of ours, and the books. */
    private final class Hygiene implements ProxyInterceptor {

        @Override
        public Future<ProxyResponse> handleProxyRequest(ProxyContext context) {
            context.set(
                    PASSAGE, passages.remove(context.request().proxiedRequest().response()));
            Passage passage = passage(context);
            passage.aim(context.request());
            return context.sendRequest()
                    .onSuccess(response -> passage.headArrived(response.getStatusCode()))
                    .recover(cause -> Future.succeededFuture(passage.refusal(context.request(), cause)));
        }

        @Override
        public Future<Void> handleProxyResponse(ProxyContext context) {
            Passage passage = passage(context);
            passage.cleanHead(context.response());
            return context.sendResponse().onComplete(passage::answered);
        }
    }
}
