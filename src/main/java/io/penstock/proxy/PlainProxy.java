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
 * Routes that are passed through as they come, on Vert.x Web Proxy: forms, stored responses, paths that the operator
 * opened. Bodies are streamed both ways, so only a connection that cannot be made is made good elsewhere. Confined to
 * one event loop.
 */
final class PlainProxy {

    private final Loop loop;
    private final ProxyHandler handler;
    // By the one object that the router and the proxy have in common.
    private final IdentityHashMap<HttpServerResponse, Passage> passages = new IdentityHashMap<>();

    PlainProxy(Loop loop) {
        this.loop = loop;
        HttpProxy proxy = HttpProxy.reverseProxy(new ProxyOptions().setSupportWebSocket(false), loop.client());
        proxy.origin(this::dial);
        proxy.addInterceptor(new Hygiene());
        this.handler = ProxyHandler.create(proxy);
    }

    /** Passes a request through. */
    void pass(RoutingContext context, Edge.Admitted admitted) {
        HttpServerResponse response = context.response();
        Passage passage = new Passage(loop, admitted, () -> passages.remove(response));
        passages.put(response, passage);
        response.closeHandler(v -> passage.clientLeft());
        handler.handle(context);
    }

    /** Vert.x lets a request hang for ever if this throws, and sends it though its client is gone: neither happens. */
    private Future<HttpClientRequest> dial(ProxyContext context) {
        try {
            return passage(context).dial(context.request());
        } catch (RuntimeException bug) {
            return Future.failedFuture(bug);
        }
    }

    private Passage passage(ProxyContext context) {
        Passage passage = passages.get(context.request().proxiedRequest().response());
        if (passage == null) {
            throw new IllegalStateException("a request that was not admitted");
        }
        return passage;
    }

    /** Headers, errors of ours, and the books. */
    private final class Hygiene implements ProxyInterceptor {

        @Override
        public Future<ProxyResponse> handleProxyRequest(ProxyContext context) {
            Passage passage = passage(context);
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
