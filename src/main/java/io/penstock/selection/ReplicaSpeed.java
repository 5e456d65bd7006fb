package io.penstock.selection;

/**
 * How fast one replica reads prompts and makes tokens, learned from what it was seen to do; recent work counts most.
 * Confined to whoever holds the lock. Times are in seconds.
 */
final class ReplicaSpeed {

    private static final double KEPT = 0.97;
    private static final double KEPT_STEPS = 0.995;
    /** What takes longer is no step: the replica hung. */
    private static final double LONGEST_STEP_SECONDS = 2;

    private static final double GAP_SHARE = 0.05;
    private static final double MIN_GAP_GROWTH = 1.0001;

    private double tokens;
    private double seconds;
    private double gap;
    private double minGap;
    private double added;
    private double answered;

    /** Prompt tokens were read in that time, up to a first output. Several in one step: the later ones took no time. */
    void read(double promptTokens, double tookSeconds) {
        tokens = KEPT * tokens + promptTokens;
        seconds = KEPT * seconds + Math.max(0, tookSeconds);
    }

    /** One step of the engine took so long, from a token of a request to its next, while so many were being answered. */
    void stepped(double tookSeconds, int answering) {
        if (tookSeconds <= 0) {
            return;
        }
        gap = gap == 0 ? tookSeconds : gap + GAP_SHARE * (tookSeconds - gap);
        minGap = minGap == 0 || tookSeconds < minGap ? tookSeconds : minGap * MIN_GAP_GROWTH;
        if (tookSeconds <= LONGEST_STEP_SECONDS) {
            added = KEPT_STEPS * added + tookSeconds - Math.min(minGap, tookSeconds);
            answered = KEPT_STEPS * answered + answering;
        }
    }

    void clear() {
        tokens = 0;
        seconds = 0;
        gap = 0;
        minGap = 0;
        added = 0;
        answered = 0;
    }

    /** Prompt tokens per second; 0 while nothing is known. */
    double rate() {
        return seconds > 0 ? tokens / seconds : 0;
    }

    /** From one token to the next, with the work that it usually has; 0 while nothing is known. */
    double gap() {
        return gap;
    }

    /** From one token to the next when it has little to do; 0 while nothing is known. */
    double minGap() {
        return minGap;
    }

    /**
     * From one token to the next with so many to answer; 0 while nothing is known. What a request adds, by its tokens and
     * by the prompts that come with such requests, is taken from many steps: a long prompt makes a few of them very slow,
     * which its neighbours hardly notice over their whole answers.
     */
    double gap(int requests) {
        return answered > 0 ? minGap + added / answered * requests : minGap;
    }
}
