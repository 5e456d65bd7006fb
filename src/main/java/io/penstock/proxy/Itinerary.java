package io.penstock.proxy;

import io.penstock.admission.Tried;
import io.penstock.upstream.UpstreamState;
import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Where one request has been, and whether it may go on. A replica that is dead, refusing or leaving costs the request
 * nothing: it goes elsewhere. An error from a replica that stays in rotation is retried within limits, and never there.
 * A request that was without output at the death of two replicas, or when their engines stood still, is perhaps what did it. Confined to one event
 * loop.
 */
final class Itinerary {

    /** What comes after a failed attempt. */
    enum Next {
        /** To the front of the waiting room, with the first deadline. */
        FAILOVER,
        /** Another replica at once, if the budget allows it and one has room. */
        RETRY,
        /** Nowhere: it may be what kills replicas. */
        POISONED,
        /** Nowhere: this failure is final. */
        OVER
    }

    private static final int POISON_DEATHS = 2;
    private static final Set<FailureKind> DEATHS = EnumSet.of(
            FailureKind.DIED_BEFORE_OUTPUT,
            FailureKind.CUT_BEFORE_RELAY,
            FailureKind.ENGINE_DEAD,
            FailureKind.STALLED_BEFORE_OUTPUT);
    private static final Set<FailureKind> UNTIL_RESTART = EnumSet.of(FailureKind.ENGINE_DEAD, FailureKind.TOLD_TO_STOP);

    private Tried tried = Tried.NOBODY;
    private int attempts;
    private int retries;
    private int deaths;
    private @Nullable ProxyFailure lastFailure;
    private @Nullable Answer lastAnswer;

    /** Who must not get it. */
    Tried tried() {
        return tried;
    }

    /** How often it was retried. */
    int retries() {
        return retries;
    }

    /** Counts another attempt; the first is 1. */
    int begin() {
        return ++attempts;
    }

    /** Why the last attempt failed, null if none has. */
    @Nullable
    ProxyFailure lastFailure() {
        return lastFailure;
    }

    /** What the replica said that failed last, null if it said nothing. */
    @Nullable
    Answer lastAnswer() {
        return lastAnswer;
    }

    /** An attempt failed. One that was on trial is moved at no cost: that its replica may fail was known. */
    Next after(UpstreamState failed, ProxyFailure failure, @Nullable Answer answer, boolean onTrial) {
        FailureKind kind = failure.kind();
        lastFailure = failure;
        lastAnswer = answer;
        deaths += DEATHS.contains(kind) ? 1 : 0;
        return switch (kind.elsewhere()) {
            case NO -> Next.OVER;
            case FAILOVER -> {
                note(failed, kind);
                yield deaths >= POISON_DEATHS ? Next.POISONED : Next.FAILOVER;
            }
            case RETRY -> {
                tried = tried.forGood(failed);
                yield onTrial ? Next.FAILOVER : Next.RETRY;
            }
        };
    }

    private void note(UpstreamState failed, FailureKind kind) {
        if (UNTIL_RESTART.contains(kind)) {
            tried = tried.untilRestart(failed);
        } else if (kind != FailureKind.STALE_CONNECTION) {
            tried = tried.untilProbed(failed);
        }
    }

    /** Another attempt is made though a replica answered. */
    void retried() {
        retries++;
    }
}
