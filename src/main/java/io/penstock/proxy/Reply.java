package io.penstock.proxy;

import io.penstock.proxy.ApiTable.Dialect;
import io.penstock.proxy.ExchangeReport.Result;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClientResponse;
import java.time.Duration;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What the client of one exchange gets: comments while it waits, then a replica's answer or an error of ours, and an end
 * that tells the truth. Until something has left, the true status is still possible; afterwards a failure is one last
 * event and a visible cut. Ends exactly once. Confined to one event loop.
 */
final class Reply {

    private final Loop loop;
    private final Edge.Admitted admitted;
    private final Dialect dialect;
    private final Timeline timeline;
    private final StreamRelay relay;
    private final Supplier<Timeline.Facts> facts;
    private final Runnable over;
    private final Alarm heartbeat;
    private boolean begun;
    private boolean ended;

    /**
     * Makes one.
     *
     * @param loop the event loop
     * @param admitted the request
     * @param timeline where it is noted what happened when
     * @param relay the client's connection
     * @param facts what is known of the request; asked once, at the end
     * @param over called once, at the end, before the report
     */
    Reply(
            Loop loop,
            Edge.Admitted admitted,
            Timeline timeline,
            StreamRelay relay,
            Supplier<Timeline.Facts> facts,
            Runnable over) {
        this.loop = loop;
        this.admitted = admitted;
        this.dialect = admitted.route().dialect();
        this.timeline = timeline;
        this.relay = relay;
        this.facts = facts;
        this.over = over;
        this.heartbeat = new Alarm(loop.vertx());
    }

    boolean ended() {
        return ended;
    }

    /** Whether a replica's answer is on its way out: then no other attempt may follow. */
    boolean begun() {
        return begun;
    }

    /** Whether a heartbeat has sent our own head: then the answer can only be a stream, or an error event. */
    boolean headIsOurs() {
        return relay.headSent() && !begun;
    }

    // ---- signs of life ------------------------------------------------------------------------------------------

    /**
     * Tells the client now and then that the line is alive, as long as it hears nothing else.
     *
     * @param after when to begin
     * @param answering the attempt that is being passed on, null while there is none
     */
    void keepAlive(Duration after, Supplier<@Nullable Attempt> answering) {
        heartbeat.ring(after, () -> beat(answering));
    }

    private void beat(Supplier<@Nullable Attempt> answering) {
        Duration every = loop.config().heartbeat().every();
        Duration silence = Duration.ofNanos(loop.now() - relay.lastWriteNanos());
        if (begun && silence.compareTo(every) < 0) {
            keepAlive(every.minus(silence), answering);
            return;
        }
        Attempt attempt = answering.get();
        // In the middle of an answer only between two events.
        if (!begun || (attempt != null && attempt.betweenEvents())) {
            relay.heartbeat();
        }
        keepAlive(every, answering);
    }

    // ---- a replica's answer -------------------------------------------------------------------------------------

    /** An answer begins to flow. */
    void begin(Attempt from, HttpClientResponse head, boolean stream) {
        begun = true;
        long now = loop.now();
        timeline.firstOutput(now);
        if (stream) {
            long asked = now - from.lease().startNanos();
            loop.firstOutput(from.upstream().name(), timeline.sinceArrival(now), asked);
        } else {
            heartbeat.cancel();
        }
        relay.explain(timeline.decision(from.upstream().name()));
        relay.head(head);
    }

    /** All of an answer has flowed. */
    void complete(Attempt from, int status) {
        heartbeat.cancel();
        taken(relay.end(), status, null, from.upstream().name(), from.events());
    }

    /** Passes an answer on that was kept back whole; {@code kind} says why it is an error, null if it is none of ours. */
    void pass(Answer answer, @Nullable FailureKind kind) {
        if (ended) {
            return;
        }
        String replica = answer.from().name();
        if (headIsOurs()) {
            // It is no stream, and our head has promised one: its words become the last event.
            relay.cut(ErrorShape.lateAnswer(dialect, answer.status(), answer.body(), replica));
            finish(Result.BROKEN, kind, answer.status(), replica, 0);
            return;
        }
        begun = true;
        if (kind == null && answer.status() < 400) {
            timeline.firstOutput(loop.now());
        }
        heartbeat.cancel();
        relay.explain(timeline.decision(replica));
        taken(relay.answer(answer, kind), answer.status(), kind, replica, 0);
    }

    /** The whole answer is on its way; whether the client took it is seen at its end. */
    private void taken(Future<Void> sent, int status, @Nullable FailureKind kind, String replica, long events) {
        Result whole = status < 400 ? Result.COMPLETED : Result.UPSTREAM_ERROR;
        sent.onComplete(done -> {
            boolean left = done.failed();
            finish(left ? Result.CLIENT_LEFT : whole, left ? FailureKind.CLIENT_LEFT : kind, status, replica, events);
        });
    }

    // ---- failures -----------------------------------------------------------------------------------------------

    /** The replica said in the middle of its stream that it failed: that is the last that leaves. */
    void broke(Attempt from, Buffer event, ProxyFailure failure) {
        FailureKind kind = failure.kind();
        // On this one vLLM's words are about its own parser.
        boolean ours = dialect == Dialect.ANTHROPIC;
        relay.cut(ours ? eventOf(failure) : event);
        finish(Result.BROKEN, kind, kind.status(), from.upstream().name(), from.events());
    }

    /** As {@link #fail}, with no replica in it. */
    void refuse(ProxyFailure failure) {
        fail(failure, null);
    }

    /** Turns a failure into what the client gets: its true status if that is still possible, else an honest cut. */
    void fail(ProxyFailure failure, @Nullable Attempt last) {
        if (ended) {
            return;
        }
        FailureKind kind = failure.kind();
        String replica = last == null ? null : last.upstream().name();
        if (relay.headSent() || begun) {
            boolean stream = !begun || (last != null && last.isStream());
            boolean torn = last != null && last.isTorn();
            Buffer event = eventOf(failure);
            relay.cut(!stream ? null : torn ? Buffer.buffer("\n\n").appendBuffer(event) : event);
            finish(Result.BROKEN, kind, kind.status(), replica, last == null ? 0 : last.events());
            return;
        }
        relay.refuse(
                kind.status(),
                admitted.refusalHeaders(failure),
                ErrorShape.body(dialect, kind.status(), kind.code(), failure.text()));
        finish(Result.REFUSED, kind, kind.status(), replica, 0);
    }

    private Buffer eventOf(ProxyFailure failure) {
        return ErrorShape.event(dialect, failure.kind().status(), failure.kind().code(), failure.text());
    }

    /** Nobody listens any more. */
    void abandoned(Result result, FailureKind why, @Nullable Attempt last) {
        String replica = last == null ? null : last.upstream().name();
        finish(result, why, why.status(), replica, last == null ? 0 : last.events());
    }

    private void finish(
            Result result, @Nullable FailureKind failure, int status, @Nullable String replica, long events) {
        if (ended) {
            return;
        }
        ended = true;
        heartbeat.cancel();
        relay.stop();
        over.run();
        loop.report(
                timeline.report(facts.get(), result, failure, status, replica, events, relay.bytesOut(), loop.now()));
    }
}
