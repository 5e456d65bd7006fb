package io.penstock.upstream;

import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;

/**
 * What is thought of one replica: what its probes say, and if they pass, what its engine's progress and its requests say.
 * Of these, what is worse for new work is shown: stalled before ejected, ejected before suspect.
 *
 * <p>Any thread may read it.
 */
final class Opinion {

    /** A standing and why it is so. One value, so that no reader sees half of a change. */
    private record Judgement(Standing standing, String reason) {}

    private static final AtomicReferenceFieldUpdater<Opinion, Judgement> JUDGEMENT =
            AtomicReferenceFieldUpdater.newUpdater(Opinion.class, Judgement.class, "judgement");

    private final Conduct conduct;
    private final EngineActivity engine;
    // Any thread may take a replica out (REFUSED, LEAVING); only the probe verticle brings one back.
    private volatile Judgement judgement = new Judgement(Standing.STARTING, "not probed yet");

    Opinion(Conduct conduct, EngineActivity engine) {
        this.conduct = conduct;
        this.engine = engine;
    }

    /** The probes' say. For the probe verticle only. */
    void judge(Standing standing, String reason) {
        judgement = new Judgement(standing, reason);
    }

    /** Ends the good opinion of its probes; false if there was none. Any thread. */
    boolean takeOut(Standing standing, String reason) {
        Judgement now = judgement;
        return now.standing() == Standing.READY && JUDGEMENT.compareAndSet(this, now, new Judgement(standing, reason));
    }

    boolean passesProbes() {
        return judgement.standing() == Standing.READY;
    }

    Standing standing() {
        Standing probed = judgement.standing();
        if (probed != Standing.READY) {
            return probed;
        }
        EngineActivity.Suspicion suspicion = engine.suspicion();
        if (suspicion != null && suspicion.standing() == Standing.STALLED) {
            return Standing.STALLED;
        }
        if (conduct.ejection() != null) {
            return Standing.EJECTED;
        }
        return suspicion == null ? Standing.READY : suspicion.standing();
    }

    String reason() {
        Judgement now = judgement;
        if (now.standing() != Standing.READY) {
            return now.reason();
        }
        EngineActivity.Suspicion suspicion = engine.suspicion();
        if (suspicion != null && suspicion.standing() == Standing.STALLED) {
            return suspicion.reason();
        }
        Ejection out = conduct.ejection();
        if (out != null) {
            return out.reason();
        }
        return suspicion == null ? now.reason() : suspicion.reason();
    }
}
