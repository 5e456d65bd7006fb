package io.penstock.proxy;

import io.penstock.admission.Ticket;
import io.penstock.config.PenstockConfig;
import io.penstock.proxy.ExchangeReport.Result;
import io.penstock.selection.Candidates;
import io.penstock.selection.RequestTraits;
import io.penstock.upstream.Lease;
import io.penstock.upstream.Outcome;
import io.penstock.upstream.Standing;
import io.penstock.upstream.UpstreamState;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
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
 * <p>The client's head is held until there is output, so until then every failure can be made good elsewhere. What the
 * client gets is the {@link Reply}'s; where the request may still go is the {@link Itinerary}'s; whatever runs for it at
 * replicas is among its {@link Attempts}. When the client leaves, everything stops in whatever phase it is. Confined to one event loop; ends exactly once.
 */
final class Exchange {

    /** A body with images takes long to read: the other requests of the event loop should not wait for it. */
    private static final int READ_ON_LOOP_BYTES = 1 << 20;

    private final Loop loop;
    private final Edge.Admitted admitted;
    private final HttpServerRequest request;
    private final Timeline timeline;
    private final StreamRelay relay;
    private final Reply reply;
    private final Attempts attempts;
    private final BodyIntake intake;
    private final Itinerary itinerary = new Itinerary();
    private final Deadlines deadlines;
    private final Alarm backOff;

    private Buffer body = Buffer.buffer(0);
    private boolean bodyIsIn;
    private RequestTraits traits = RequestTraits.NONE;
    private boolean late;
    private @Nullable Ticket ticket;

    Exchange(Loop loop, Edge.Admitted admitted) {
        this.loop = loop;
        this.admitted = admitted;
        this.request = admitted.request();
        Journal journal = new Journal(loop, admitted, () -> traits);
        this.timeline = new Timeline(
                admitted.arrivedNanos(), journal, admitted.trace(loop.shared().tracer()));
        this.attempts = new Attempts(timeline);
        this.relay = new StreamRelay(loop, request, admitted.requestId(), this::clientDoesNotRead);
        this.reply = new Reply(loop, admitted, timeline, relay, this::facts, this::release);
        this.intake = new BodyIntake(loop, request, this::bodyArrived, reply::refuse);
        this.deadlines = new Deadlines(loop, this::waitedLongEnough, this::end);
        this.backOff = new Alarm(loop.vertx());
    }

    // ---- on the way in ---------------------------------------------------------------------------------------------

    /** Begins. Must run in the turn in which the request arrived. */
    void start() {
        loop.opened(this);
        loop.shared().retries().requestBegan();
        request.response().exceptionHandler(t -> {}); // The close handler tells us all we need.
        request.response().closeHandler(v -> stop(Result.CLIENT_LEFT, FailureKind.CLIENT_LEFT));
        request.exceptionHandler(t -> {});
        intake.start();
    }

    private void bodyArrived(Buffer whole) {
        body = whole;
        bodyIsIn = true;
        BodyTraits reader = admitted.traits(loop.shared());
        if (loop.shared().poison().contains(whole)) {
            reply.refuse(new ProxyFailure(
                    FailureKind.POISON_BODY,
                    "this request was in flight when two replicas died a moment ago; it is refused for a minute"));
        } else if (whole.length() <= READ_ON_LOOP_BYTES) {
            understood(reader.read(whole));
        } else {
            loop.vertx()
                    .executeBlocking(() -> reader.read(whole), /* ordered= */ false)
                    .onComplete(read -> understood(read.succeeded() ? read.result() : RequestTraits.NONE));
        }
    }

    private void understood(RequestTraits read) {
        if (!reply.ended()) {
            traits = read;
            beginWaiting();
            seek(/* front= */ false);
        }
    }

    private void seek(boolean front) {
        // Too late to wait again, but not to go where there is room.
        Lease lease = front && !late ? null : loop.shared().room().lease(traits, itinerary.tried());
        if (lease != null) {
            attempt(lease);
            return;
        }
        if (late) {
            giveUp();
            return;
        }
        timeline.waits(loop.now());
        ticket = loop.await(traits, itinerary.tried(), front, this::granted);
        if (ticket == null) {
            reply.refuse(loop.turnedAway(traits));
        }
    }

    private void granted(Lease lease) {
        ticket = null;
        if (reply.ended()) {
            lease.end(Outcome.IGNORED);
        } else {
            timeline.leased(loop.now());
            attempt(lease);
        }
    }

    private void attempt(Lease lease) {
        Attempt next = new Attempt(this, loop, relay, admitted.route().dialect(), lease, itinerary.begin());
        attempts.began(next);
        next.start();
    }

    // ---- what an attempt asks for -------------------------------------------------------------------------------

    Future<HttpClientRequest> dial(UpstreamState upstream) {
        return loop.dial(upstream, request.method(), admitted.uri());
    }

    Future<HttpClientResponse> send(HttpClientRequest opened, Attempt by) {
        timeline.connected(loop.now());
        admitted.toReplica(request.headers(), opened.headers(), by.upstream(), by.number(), by.span());
        return opened.send(body);
    }

    boolean headIsOurs() {
        return reply.headIsOurs();
    }

    // ---- what an attempt tells ----------------------------------------------------------------------------------

    void headArrived() {
        timeline.head(loop.now());
    }

    /** The point of no return for the whole exchange. */
    void outputBegins(Attempt from, HttpClientResponse head, boolean stream) {
        attempts.abandonAllBut(from);
        stopWaiting();
        body = Buffer.buffer(0);
        intake.stop();
        reply.begin(from, head, stream);
    }

    void attemptEnded(Attempt from, int status) {
        attempts.over(from, null);
        reply.complete(from, status);
    }

    /** An answer that was kept back is whole. {@code kind} is null unless it says that the replica is in trouble. */
    void attemptAnswered(Attempt from, @Nullable FailureKind kind, Answer answer) {
        if (kind == null) {
            from.endLease(Outcome.COMPLETED);
            attempts.abandonAllBut(from);
            attempts.over(from, null);
            stopWaiting();
            reply.pass(answer, null);
        } else {
            String words = "replica " + from.upstream().name() + " answered with status " + answer.status();
            failed(from, new ProxyFailure(kind, words), answer);
        }
    }

    void attemptFailed(Attempt from, FailureKind kind, String message) {
        failed(from, new ProxyFailure(kind, message), null);
    }

    /** The replica said itself, in the middle of its stream, that it failed. */
    void attemptBroke(Attempt from, Buffer event, ProxyFailure failure) {
        attempts.over(from, failure.kind());
        loop.suspect(from.upstream(), failure);
        reply.broke(from, event, failure);
    }

    // ---- elsewhere ----------------------------------------------------------------------------------------------

    private void failed(Attempt from, ProxyFailure failure, @Nullable Answer answer) {
        attempts.over(from, failure.kind());
        loop.suspect(from.upstream(), failure);
        boolean free = from.onTrial() && elsewhere(from.upstream());
        Itinerary.Next next = itinerary.after(from.upstream(), failure, answer, free);
        if (attempts.first() != null && next != Itinerary.Next.POISONED) {
            return; // It was hedged, and the other attempt goes on.
        }
        switch (next) {
            case FAILOVER -> seek(/* front= */ true);
            case RETRY -> retry();
            case POISONED -> {
                attempts.abandonAll(FailureKind.HEDGE_LOST);
                loop.shared().poison().add(body);
                String text = failure.text() + "; the second replica to do so for this request";
                reply.fail(new ProxyFailure(FailureKind.POISON, text), from);
            }
            case OVER -> reply.fail(failure, from);
        }
    }

    /** An error from a replica that is well: another one is asked, if the budget allows it and one has room. */
    private void retry() {
        RetryPolicy policy = loop.shared().retries();
        int retries = itinerary.retries();
        if (!policy.permits(retries) || !elsewhere(null) || !policy.take()) {
            giveUp();
            return;
        }
        backOff.ring(policy.backOff(retries), () -> {
            Lease lease = loop.shared().room().lease(traits, itinerary.tried());
            if (lease == null) {
                giveUp();
            } else {
                itinerary.retried();
                attempt(lease);
            }
        });
    }

    /** Whether anyone but that one could take it. */
    private boolean elsewhere(@Nullable UpstreamState not) {
        return !Candidates.among(
                        loop.shared().live().current(),
                        traits.model(),
                        other -> other != not && itinerary.tried().allows(other))
                .isEmpty();
    }

    /** Nobody does better: what the last replica said is passed on, else our own words. */
    private void giveUp() {
        ProxyFailure failure = itinerary.lastFailure();
        Answer answer = itinerary.lastAnswer();
        if (failure == null || answer == null) {
            reply.refuse(failure == null ? loop.waitedInVain(traits) : failure);
        } else {
            stopWaiting();
            reply.pass(answer, failure.kind());
        }
    }

    // ---- what others tell ---------------------------------------------------------------------------------------

    /**
     * A replica was judged dead. Work of ours there that has shown nothing yet goes elsewhere, if there is an elsewhere.
     */
    void replicaLost(UpstreamState lost, FailureKind kind, String reason) {
        Attempt there = attempts.at(lost);
        if (there != null && !reply.begun() && (attempts.isHedged() || elsewhere(lost))) {
            leave(there, new ProxyFailure(kind, "replica " + lost.name() + ": " + reason));
        }
    }

    private void leave(Attempt there, ProxyFailure why) {
        there.abandon(Outcome.IGNORED);
        failed(there, why, null);
    }

    /**
     * Its replica shows no progress and may hang: another one is asked, too, and whichever has output first has the
     * request. A false alarm costs an attempt; a true one costs the client no more time than it took to notice.
     */
    private void hedge() {
        Attempt running = attempts.first();
        if (running == null || attempts.isHedged() || reply.begun()) {
            return;
        }
        UpstreamState suspect = running.upstream();
        if (suspect.standing() == Standing.SUSPECT && elsewhere(suspect)) {
            Lease lease = loop.shared().room().lease(traits, itinerary.tried().forGood(suspect));
            if (lease != null) {
                attempt(lease);
            }
        }
    }

    /** The deadline of the shutdown has passed, or another one: ends honestly. */
    void end(ProxyFailure why) {
        reply.fail(why, attempts.abandonAll(why.kind()));
    }

    /**
     * A look at the clock, about once a second. A replica that is out of rotation may finish what it has begun, but not
     * for ever in silence: a vLLM that is told to stop may leave its streams open without a word.
     */
    void look() {
        for (Attempt each : attempts.all()) {
            if (each.isLost(loop.config().timeouts().stall())) {
                fellSilent(each);
            }
        }
        hedge();
    }

    private void fellSilent(Attempt silent) {
        String text = "replica " + silent.upstream().name() + " is out of rotation and has fallen silent";
        if (reply.begun()) {
            silent.endLease(Outcome.FAILED);
            end(new ProxyFailure(FailureKind.STALLED_MID_STREAM, text));
        } else {
            leave(silent, new ProxyFailure(FailureKind.LEFT_BEFORE_OUTPUT, text));
        }
    }

    private void clientDoesNotRead() {
        stop(Result.BROKEN, FailureKind.CLIENT_DOES_NOT_READ);
        FrontConnections.kill(request.connection());
    }

    private void stop(Result result, FailureKind why) {
        timeline.stopped(phase());
        reply.abandoned(result, why, attempts.abandonAll(why));
    }

    private Phase phase() {
        Attempt running = attempts.first();
        if (!bodyIsIn) {
            return Phase.BODY;
        }
        if (reply.begun()) {
            return Phase.DECODE;
        }
        if (running != null) {
            return running.phase();
        }
        return backOff.isSet() ? Phase.BACK_OFF : Phase.QUEUE;
    }

    // ---- the clock ----------------------------------------------------------------------------------------------

    private void beginWaiting() {
        Duration waited = Duration.ofNanos(timeline.sinceArrival(loop.now()));
        PenstockConfig config = loop.config();
        Duration patience = admitted.patience(config.admission().maxWait());
        deadlines.begin(patience.minus(waited), config.timeouts());
        if (traits.stream()) {
            reply.keepAlive(config.heartbeat().after().minus(waited), attempts::first);
        }
    }

    private void waitedLongEnough() {
        late = true;
        if (ticket != null) {
            giveUp();
        }
    }

    private void stopWaiting() {
        deadlines.answering();
        backOff.cancel();
    }

    private Timeline.Facts facts() {
        return admitted.facts(traits, intake.length());
    }

    /** The reply has ended: nothing of this request goes on. */
    private void release() {
        Ticket queued = ticket;
        if (queued != null) {
            queued.cancel();
        }
        stopWaiting();
        deadlines.end();
        intake.stop();
        body = Buffer.buffer(0);
        loop.closed(this);
    }
}
