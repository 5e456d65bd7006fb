package io.penstock.health;

import io.penstock.admission.Ticket;
import io.penstock.admission.Tried;
import io.penstock.selection.Candidates;
import io.penstock.selection.RequestTraits;
import io.penstock.upstream.Lease;
import io.penstock.upstream.Outcome;
import io.penstock.upstream.Standing;
import io.penstock.upstream.UpstreamState;
import org.jspecify.annotations.Nullable;

/**
 * One request without its sockets: takes leases, ends them, goes elsewhere, and says what the request path says. Where a
 * request may go is decided by the product's own classes.
 */
final class Errand {

    private static final long STALL = 20 * MovedClock.SECOND;
    private static final long PATIENCE = 600 * MovedClock.SECOND;
    private static final int MOST_RETRIES = 2;
    private static final int POISON_DEATHS = 2;

    private final DayOfFaults day;
    private final RequestTraits traits;
    private final int parts;
    private Tried tried = Tried.NOBODY;
    private @Nullable Ticket ticket;
    private @Nullable Visit visit;
    private int retries;
    private int deaths;
    private boolean over;
    private boolean shown;
    private boolean brokeAtOneThatIsWell;
    private final long bornNanos;

    Errand(DayOfFaults day, int bodyBytes, int parts) {
        this.day = day;
        this.traits = new RequestTraits(DayOfFaults.MODEL, true, bodyBytes);
        this.parts = parts;
        this.bornNanos = day.time.now();
    }

    long bornNanos() {
        return bornNanos;
    }

    /** Whether its answer ended before it was whole though nothing had happened to the replica meanwhile. */
    boolean brokeAtOneThatIsWell() {
        return brokeAtOneThatIsWell;
    }

    /** Whether its client was shown any output. */
    boolean shown() {
        return shown;
    }

    void start() {
        day.time.after(PATIENCE, () -> {
            if (ticket != null) {
                leave();
            }
        });
        seek(/* front= */ false);
    }

    private void seek(boolean front) {
        Lease lease = front ? null : day.room.lease(traits, tried);
        if (lease != null) {
            visit(lease);
            return;
        }
        ticket = day.room.await(traits, tried, front, day::deliver, granted -> {
            ticket = null;
            if (over) {
                granted.end(Outcome.IGNORED);
            } else {
                visit(granted);
            }
        });
        if (ticket == null) {
            end(false);
        }
    }

    private void visit(Lease lease) {
        Visit next = new Visit(lease, day.replica(lease.upstream()));
        visit = next;
        day.leased(lease, tried);
        next.replica.request(next);
    }

    /** The client goes away, wherever the request is. */
    void leave() {
        if (over) {
            return;
        }
        Ticket queued = ticket;
        if (queued != null) {
            queued.cancel();
        }
        Visit running = visit;
        if (running != null) {
            running.end(Outcome.IGNORED);
        }
        day.errands.remove(this);
        over = true;
    }

    private void end(boolean well) {
        over = true;
        visit = null;
        day.ended(this, well);
    }

    /** A replica was judged lost: what has no output there goes elsewhere, if there is an elsewhere. */
    void lost(UpstreamState lost) {
        Visit running = visit;
        if (running != null && running.lease.upstream() == lost && !running.begun && elsewhere(lost)) {
            running.end(Outcome.IGNORED);
            tried = tried.untilProbed(lost);
            seek(/* front= */ true);
        }
    }

    /** About once a second: one that is out of rotation is not waited for without end. */
    void look() {
        Visit running = visit;
        if (running == null || !running.isLost()) {
            return;
        }
        UpstreamState silent = running.lease.upstream();
        running.end(running.begun ? Outcome.FAILED : Outcome.IGNORED);
        if (running.begun) {
            end(false);
        } else {
            tried = tried.untilProbed(silent);
            seek(/* front= */ true);
        }
    }

    private boolean elsewhere(@Nullable UpstreamState not) {
        return !Candidates.among(day.live.current(), traits.model(), other -> other != not && tried.allows(other))
                .isEmpty();
    }

    private void retry(Visit from) {
        UpstreamState upstream = from.lease.upstream();
        boolean free = from.lease.onTrial() && elsewhere(upstream);
        tried = tried.forGood(upstream);
        if (free) {
            seek(/* front= */ true);
            return;
        }
        Lease lease = retries < MOST_RETRIES ? day.room.lease(traits, tried) : null;
        if (lease == null) {
            end(false);
        } else {
            retries++;
            visit(lease);
        }
    }

    /** One attempt at one replica. */
    private final class Visit implements ModelledReplica.Work {

        private final Lease lease;
        private final ModelledReplica replica;
        private boolean ended;
        private boolean begun;
        private boolean wasOut;
        private int made;
        private long heardNanos;

        private Visit(Lease lease, ModelledReplica replica) {
            this.lease = lease;
            this.replica = replica;
            this.heardNanos = day.time.now();
        }

        private void end(Outcome outcome) {
            ended = true;
            boolean well = replica.truth() == ModelledReplica.Truth.GOOD
                    && replica.soFor() >= day.time.now() - lease.startNanos();
            brokeAtOneThatIsWell = begun && well && outcome != Outcome.COMPLETED;
            replica.forget(this);
            lease.end(outcome);
            day.released(lease);
            if (outcome == Outcome.FAILED || lease.onTrial()) {
                day.incident(lease.upstream());
            }
            if (visit == this) {
                visit = null;
            }
        }

        private boolean isLost() {
            Standing standing = lease.upstream().standing();
            boolean out = !standing.takesWork() && standing != Standing.EJECTED && standing != Standing.SUSPECT;
            if (out && !wasOut && standing != Standing.STALLED) {
                heardNanos = day.time.now();
            }
            wasOut = out;
            return out && day.time.now() - heardNanos >= STALL;
        }

        @Override
        public boolean over() {
            return ended;
        }

        @Override
        public void refused(String reason) {
            UpstreamState upstream = lease.upstream();
            if (upstream.refuse(reason)) {
                day.doubt(upstream, reason);
            }
            end(Outcome.FAILED);
            tried = tried.untilProbed(upstream);
            seek(/* front= */ true);
        }

        @Override
        public void answered(int status) {
            UpstreamState upstream = lease.upstream();
            lease.provesNothing();
            if (replica.truth() == ModelledReplica.Truth.LEAVING) {
                end(Outcome.IGNORED);
                upstream.leave("says that it was told to stop");
                tried = tried.untilRestart(upstream);
                seek(/* front= */ true);
                return;
            }
            end(status == 500 ? Outcome.FAILED : Outcome.IGNORED);
            if (status == 503) {
                upstream.conduct().busy().begin(day.time.now(), day.random.nextDouble());
            }
            retry(this);
        }

        @Override
        public boolean output() {
            heardNanos = day.time.now();
            lease.upstream().progressed(heardNanos);
            lease.output(heardNanos);
            day.relayed();
            if (!begun) {
                begun = true;
                shown = true;
                lease.upstream().conduct().ramp().firstOutput();
            }
            if (++made < parts) {
                return false;
            }
            end(Outcome.COMPLETED);
            Errand.this.end(true);
            return true;
        }

        @Override
        public void died() {
            UpstreamState upstream = lease.upstream();
            end(Outcome.FAILED);
            day.doubt(upstream, "died");
            if (begun || ++deaths >= POISON_DEATHS) {
                Errand.this.end(false);
                return;
            }
            tried = tried.untilProbed(upstream);
            seek(/* front= */ true);
        }
    }
}
