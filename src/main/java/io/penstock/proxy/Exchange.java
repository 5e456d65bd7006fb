package io.penstock.proxy;

import io.penstock.admission.Tried;
import io.penstock.admission.WaitingRoom;
import io.penstock.proxy.ApiTable.Dialect;
import io.penstock.proxy.ExchangeReport.Result;
import io.penstock.proxy.FailureKind.Elsewhere;
import io.penstock.selection.Candidates;
import io.penstock.selection.RequestTraits;
import io.penstock.upstream.Lease;
import io.penstock.upstream.Outcome;
import io.penstock.upstream.UpstreamState;
import io.vertx.core.MultiMap;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * One inference request, from its head to its last byte:
 *
 * <pre>
 * body → traits → waiting room → lease → attempt ─ first output → relay → end
 *                      ↑                    │ failed before output
 *                      └────────────────────┘
 * </pre>
 *
 * <p>The client's head is held until there is output, so until then every failure can be made good elsewhere. A client
 * that waits for a stream hears a comment now and then. When the client leaves, everything stops in whatever phase it
 * is. Confined to one event loop; ends exactly once.
 */
final class Exchange {

    /** A request that was without output at the death of this many replicas may be what kills them. */
    private static final int POISON_DEATHS = 2;

    /** A body with images takes long to read: the other requests of the event loop should not wait for it. */
    private static final int READ_ON_LOOP_BYTES = 1 << 20;

    private static final long NO_TIMER = -1;

    private final Loop loop;
    private final Edge.Admitted admitted;
    private final HttpServerRequest request;
    private final Timeline timeline;
    private final StreamRelay relay;
    private final BodyIntake intake;

    private Buffer body = Buffer.buffer(0);
    private RequestTraits traits = RequestTraits.NONE;
    private Tried tried = Tried.NOBODY;
    private int attempts;
    private int deaths;
    private long waitTimer = NO_TIMER;
    private long outputTimer = NO_TIMER;
    private long totalTimer = NO_TIMER;
    private long heartbeatTimer = NO_TIMER;
    private boolean late;
    private boolean relaying;
    private boolean ended;
    private @Nullable Attempt attempt;
    private WaitingRoom.@Nullable Ticket ticket;
    private @Nullable ProxyFailure lastFailure;

    Exchange(Loop loop, Edge.Admitted admitted) {
        this.loop = loop;
        this.admitted = admitted;
        this.request = admitted.request();
        this.timeline = new Timeline(admitted.arrivedNanos());
        this.relay = new StreamRelay(loop, request, admitted.requestId());
        this.intake = new BodyIntake(loop, request, this::bodyArrived, this::refuse);
    }

    // ---- on the way in ---------------------------------------------------------------------------------------------

    /** Begins. Must run in the turn in which the request arrived. */
    void start() {
        loop.opened(this);
        request.response().exceptionHandler(t -> {}); // The close handler tells us all we need.
        request.response().closeHandler(v -> clientLeft());
        request.exceptionHandler(t -> {});
        intake.start();
    }

    private void bodyArrived(Buffer whole) {
        body = whole;
        if (whole.length() <= READ_ON_LOOP_BYTES) {
            understood(BodyTraits.read(whole));
        } else {
            loop.vertx()
                    .executeBlocking(() -> BodyTraits.read(whole), /* ordered= */ false)
                    .onComplete(read -> understood(read.succeeded() ? read.result() : RequestTraits.NONE));
        }
    }

    private void understood(RequestTraits read) {
        if (!ended) {
            traits = read;
            armDeadlines();
            seek(/* front= */ false);
        }
    }

    private void seek(boolean front) {
        // Too late to wait again, but not to go where there is room.
        Lease lease = front && !late ? null : loop.shared().room().lease(traits, tried);
        if (lease != null) {
            attempt(lease);
            return;
        }
        if (late) {
            fail(nobodyTookIt(), null);
            return;
        }
        timeline.waits(loop.now());
        ticket = loop.shared().room().await(traits, tried, front, loop::execute, this::granted);
        if (ticket == null) {
            refuse(new ProxyFailure(FailureKind.WAITING_ROOM_FULL, "too many requests are waiting; try again later"));
        }
    }

    private void granted(Lease lease) {
        if (ended) {
            lease.end(Outcome.IGNORED);
            return;
        }
        ticket = null;
        timeline.leased(loop.now());
        attempt(lease);
    }

    private void attempt(Lease lease) {
        Attempt next = new Attempt(this, loop, lease, ++attempts);
        attempt = next;
        next.start();
    }

    // ---- what an attempt asks for -------------------------------------------------------------------------------

    HttpMethod method() {
        return request.method();
    }

    String uri() {
        return admitted.uri();
    }

    Buffer body() {
        return body;
    }

    StreamRelay relay() {
        return relay;
    }

    void writeHeaders(MultiMap headers, UpstreamState upstream, int number) {
        String id = number == 1 ? admitted.requestId() : admitted.requestId() + "-" + number;
        HeaderHygiene.toReplica(
                request.headers(),
                headers,
                admitted.hop(),
                id,
                upstream.identity().replica().apiKey());
    }

    // ---- what an attempt tells ----------------------------------------------------------------------------------

    void connected() {
        timeline.connected(loop.now());
    }

    void headArrived() {
        timeline.head(loop.now());
    }

    /** Whether a heartbeat has sent our own head: then the answer can only be a stream, or an error event. */
    boolean headIsOurs() {
        return relay.headSent() && !relaying;
    }

    /** The point of no return for the whole exchange. */
    void outputBegins(HttpClientResponse head) {
        relaying = true;
        timeline.firstOutput(loop.now());
        stopWaiting();
        body = Buffer.buffer(0);
        intake.stop();
        relay.head(head);
    }

    /** The replica's answer is no stream, and our head has promised one: its words become the last event. */
    void answeredTooLate(Attempt from, int status, Buffer answer) {
        timeline.attempt(from.report(null));
        attempt = null;
        Dialect dialect = admitted.route().dialect();
        Buffer event =
                ErrorShape.lateAnswer(dialect, status, answer, from.upstream().name());
        relay.cut(event);
        finish(Result.BROKEN, null, status, from.upstream().name(), 0);
    }

    void attemptEnded(Attempt from, int status) {
        timeline.attempt(from.report(null));
        attempt = null;
        String replica = from.upstream().name();
        Result whole = status < 400 ? Result.COMPLETED : Result.UPSTREAM_ERROR;
        relay.end()
                .onComplete(taken -> finish(
                        taken.succeeded() ? whole : Result.CLIENT_LEFT,
                        taken.succeeded() ? null : FailureKind.CLIENT_LEFT,
                        status,
                        replica,
                        from.events()));
    }

    void attemptFailed(Attempt failed, FailureKind kind, String message) {
        failed.endLease(kind.charged() ? Outcome.FAILED : Outcome.IGNORED);
        timeline.attempt(failed.report(kind));
        attempt = null;
        lastFailure = new ProxyFailure(kind, message);
        if (kind == FailureKind.DIED_BEFORE_OUTPUT || kind == FailureKind.CUT_BEFORE_RELAY) {
            deaths++;
            loop.doubt(failed.upstream(), message);
        } else if (kind == FailureKind.DIED_MID_STREAM) {
            loop.doubt(failed.upstream(), message);
        }
        if (kind.elsewhere() != Elsewhere.FAILOVER) {
            fail(lastFailure, failed);
        } else if (deaths >= POISON_DEATHS) {
            fail(
                    new ProxyFailure(FailureKind.POISON, message + "; the second replica to do so for this request"),
                    failed);
        } else {
            moveOn(failed.upstream(), kind);
        }
    }

    private void moveOn(UpstreamState from, FailureKind kind) {
        if (kind != FailureKind.STALE_CONNECTION) {
            tried = tried.with(from);
        }
        seek(/* front= */ true);
    }

    // ---- what others tell ---------------------------------------------------------------------------------------

    /**
     * A replica was judged dead. Work of ours there that has shown nothing yet goes elsewhere, if there is an elsewhere.
     */
    void replicaLost(UpstreamState lost, String reason) {
        Attempt running = attempt;
        if (running == null || running.upstream() != lost || relaying || ended) {
            return;
        }
        boolean elsewhere = !Candidates.among(
                        loop.shared().live().current(), traits.model(), other -> other != lost && tried.allows(other))
                .isEmpty();
        if (elsewhere) {
            abandon(FailureKind.LEFT_BEFORE_OUTPUT);
            lastFailure = new ProxyFailure(FailureKind.LEFT_BEFORE_OUTPUT, "replica " + lost.name() + ": " + reason);
            moveOn(lost, FailureKind.LEFT_BEFORE_OUTPUT);
        }
    }

    /** The deadline of the shutdown has passed: ends honestly. */
    void shutDown() {
        Attempt running = abandon(FailureKind.SHUTTING_DOWN);
        fail(new ProxyFailure(FailureKind.SHUTTING_DOWN, "Penstock is shutting down"), running);
    }

    private void clientLeft() {
        Attempt running = abandon(FailureKind.CLIENT_LEFT);
        finish(
                Result.CLIENT_LEFT,
                FailureKind.CLIENT_LEFT,
                FailureKind.CLIENT_LEFT.status(),
                running == null ? null : running.upstream().name(),
                running == null ? 0 : running.events());
    }

    /** Stops the running attempt, which says nothing about its replica. Returns it, null if there is none. */
    private @Nullable Attempt abandon(FailureKind why) {
        Attempt running = attempt;
        if (running != null) {
            running.abandon(Outcome.IGNORED);
            timeline.attempt(running.report(why));
            attempt = null;
        }
        return running;
    }

    // ---- the clock ----------------------------------------------------------------------------------------------

    private void armDeadlines() {
        long waited = timeline.sinceArrival(loop.now());
        Duration maxWait = admitted.patience(loop.config().admission().maxWait());
        waitTimer = timer(maxWait.minusNanos(waited), this::waitedLongEnough);
        outputTimer = timerIfAny(loop.config().timeouts().firstOutput(), "no output");
        totalTimer = timerIfAny(loop.config().timeouts().total(), "no end");
        if (traits.stream()) {
            heartbeatTimer = timer(loop.config().heartbeat().after().minusNanos(waited), this::heartbeat);
        }
    }

    private long timer(Duration delay, Runnable action) {
        return loop.vertx().setTimer(Math.max(1, delay.toMillis()), fired -> action.run());
    }

    private long timerIfAny(Duration limit, String what) {
        return limit.isZero() ? NO_TIMER : timer(limit, () -> timedOut(what, limit));
    }

    private void heartbeat() {
        relay.heartbeat();
        heartbeatTimer = timer(loop.config().heartbeat().every(), this::heartbeat);
    }

    private void waitedLongEnough() {
        late = true;
        if (ticket != null) {
            fail(nobodyTookIt(), null);
        }
    }

    private ProxyFailure nobodyTookIt() {
        ProxyFailure before = lastFailure;
        if (before != null) {
            return before;
        }
        return loop.shared().live().current().anyUsable()
                ? new ProxyFailure(FailureKind.QUEUE_DEADLINE, "all replicas are busy; try again later")
                : new ProxyFailure(FailureKind.NO_REPLICA, "no replica is available at the moment; try again later");
    }

    private void timedOut(String what, Duration limit) {
        Attempt running = abandon(FailureKind.TIMED_OUT);
        fail(new ProxyFailure(FailureKind.TIMED_OUT, what + " within " + limit.toSeconds() + " s"), running);
    }

    private void stopWaiting() {
        cancel(waitTimer);
        cancel(outputTimer);
        cancel(heartbeatTimer);
    }

    private void cancel(long id) {
        if (id != NO_TIMER) {
            loop.vertx().cancelTimer(id);
        }
    }

    // ---- the end ------------------------------------------------------------------------------------------------

    private void refuse(ProxyFailure failure) {
        fail(failure, null);
    }

    /** Turns a failure into what the client gets: its true status if that is still possible, else an honest cut. */
    private void fail(ProxyFailure failure, @Nullable Attempt last) {
        if (ended) {
            return;
        }
        FailureKind kind = failure.kind();
        Dialect dialect = admitted.route().dialect();
        String replica = last == null ? null : last.upstream().name();
        if (relay.headSent() || relaying) {
            boolean stream = !relaying || (last != null && last.isStream());
            relay.cut(stream ? ErrorShape.event(dialect, kind.status(), kind.code(), failure.text()) : null);
            finish(Result.BROKEN, kind, kind.status(), replica, last == null ? 0 : last.events());
            return;
        }
        relay.refuse(
                kind.status(),
                admitted.refusalHeaders(kind),
                ErrorShape.body(dialect, kind.status(), kind.code(), failure.text()));
        finish(Result.REFUSED, kind, kind.status(), replica, 0);
    }

    private void finish(
            Result result, @Nullable FailureKind failure, int status, @Nullable String replica, long events) {
        if (ended) {
            return;
        }
        ended = true;
        WaitingRoom.Ticket queued = ticket;
        if (queued != null) {
            queued.cancel();
        }
        stopWaiting();
        cancel(totalTimer);
        intake.stop();
        loop.closed(this);
        Timeline.Facts facts = admitted.facts(traits, intake.length());
        loop.report(timeline.report(facts, result, failure, status, replica, events, relay.bytesOut(), loop.now()));
    }
}
