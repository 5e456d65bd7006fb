package io.penstock.proxy;

import io.penstock.upstream.UpstreamState;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClientResponse;
import org.jspecify.annotations.Nullable;

/**
 * A whole answer of a replica that was kept back: a short one that is no stream, or the error that stood in the place of
 * a stream's first event.
 *
 * @param from the replica
 * @param status its HTTP status; for an error event the code it names
 * @param head its head; null for an error event, whose head said 200
 * @param body its body; for an error event the event's data
 */
record Answer(UpstreamState from, int status, @Nullable HttpClientResponse head, Buffer body) {}
