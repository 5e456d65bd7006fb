package io.penstock.selection;

import io.penstock.upstream.Choice;
import io.penstock.upstream.Choice.Option;
import io.penstock.upstream.Choice.Reason;
import io.penstock.upstream.UpstreamState;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Chooses the replica that will give its first output soonest, as predicted from what it was given, what it has read
 * before and how fast it was; not at the expense of those that are being answered, and never far more to one than to the
 * others. Nothing here needs a word from the replica but its answers. Confined to whoever holds the lock.
 */
public final class PredictedDelay {

    /** Prompt tokens per second while nobody knows. Low: who guesses high believes that queues are short. */
    static final double UNKNOWN_RATE = 8_000;
    /** Seconds from token to token while nobody knows. */
    static final double UNKNOWN_GAP = 0.015;

    private static final double UNKNOWN_OUTPUT = 200;
    private static final double KEPT_OUTPUT = 0.99;
    private static final double EQUAL_TIMES = 1.02;
    private static final double EQUAL_SECONDS = 0.005;
    private static final double WORTH_MOVING_SECONDS = 0.010;

    private static final int BYTES_PER_TOKEN = 4;
    /** A body whose text was not found holds images or sound: far fewer tokens than bytes. */
    private static final int MOST_UNKNOWN_TOKENS = 16_384;

    private final PredictionTerms terms;
    private final Map<UpstreamState, ReplicaOutlook> outlooks = new LinkedHashMap<>();
    private double outputTokens;
    private double outputs;
    private long turn;

    /**
     * Begins with nothing learned.
     *
     * @param terms what predictions take into account
     */
    public PredictedDelay(PredictionTerms terms) {
        this.terms = terms;
    }

    /**
     * Looks at the clock and at all replicas: who is new, who has gone, who was restarted, how fast each is. Before
     * anything else is asked.
     *
     * @param members all replicas
     * @param nowNanos now
     */
    public void refresh(List<UpstreamState> members, long nowNanos) {
        if (outlooks.size() > members.size()) {
            outlooks.values().removeIf(each -> each.upstream().removed() && each.idle());
        }
        for (int i = 0; i < members.size(); i++) {
            outlook(members.get(i), nowNanos);
        }
        Map<Set<String>, Peers> groups = new HashMap<>();
        for (ReplicaOutlook each : outlooks.values()) {
            each.refresh(nowNanos);
            groups.computeIfAbsent(group(each), models -> new Peers()).count(each.speed());
        }
        for (ReplicaOutlook each : outlooks.values()) {
            Peers peers = groups.getOrDefault(group(each), new Peers());
            each.estimate(rate(each, peers, nowNanos), gap(each, peers, nowNanos));
        }
    }

    /** Another model, another speed. */
    private static Set<String> group(ReplicaOutlook each) {
        Set<String> models = each.upstream().knownModels();
        return models == null ? Set.of() : models;
    }

    private double rate(ReplicaOutlook each, Peers peers, long nowNanos) {
        if (!terms.learnedRate()) {
            return UNKNOWN_RATE;
        }
        double mixed = peers.rate(each.speed().rate(), nowNanos - each.lastFirstNanos());
        return mixed == 0 ? UNKNOWN_RATE : mixed;
    }

    private static double gap(ReplicaOutlook each, Peers peers, long nowNanos) {
        ReplicaSpeed speed = each.speed();
        double found = each.answering() == 0
                ? speed.minGap() > 0 ? speed.minGap() : peers.leastGap()
                : peers.gap(speed.gap(), nowNanos - each.lastProgressNanos());
        return found == 0 ? UNKNOWN_GAP : found;
    }

    /**
     * Chooses a replica.
     *
     * @param traits what is known of the request
     * @param candidates who may be chosen; at least one, all of them known since the last {@link #refresh}
     * @param nowNanos now
     * @return the choice, in nobody's books yet
     */
    public Assignment choose(RequestTraits traits, List<UpstreamState> candidates, long nowNanos) {
        double output = output(traits);
        FairShare share = share(candidates, nowNanos);
        List<Offer> offers = offers(traits, candidates, share, nowNanos);
        long least = least(offers);
        Offer best = offers.get(0);
        for (Offer offer : offers) {
            offer.cost(cost(offer.outlook(), offer.uncached(), least, output, nowNanos));
            if (!(offer.cost() >= 0)) {
                throw new IllegalStateException("a prediction is no number: " + offer.cost());
            }
            best = offer.cost() < best.cost() ? offer : best;
        }
        Offer cold = terms.fillCold() ? cold(offers, share, best, output, nowNanos) : null;
        Offer chosen = cold != null ? cold : amongEquals(offers, best.cost());
        Reason reason = candidates.size() == 1
                ? Reason.ONLY_ONE_USABLE
                : chosen == best
                        ? Reason.LEAST_PREDICTED_DELAY
                        : cold != null ? Reason.FILLED_THE_COLD : Reason.FEWEST_OF_EQUALS;
        List<Option> options = options(offers, chosen, least, output, nowNanos);
        tellBeyondBound(options, offers, candidates, share, nowNanos);
        return assign(traits, chosen, reason, options, candidates.size(), output, nowNanos);
    }

    /**
     * How long a request would wait for its first output where it would wait least: until its prompt is read and, where
     * tokens would come too slowly with one more, until somebody's answer there has ended.
     *
     * @param traits what is known of the request
     * @param candidates who may be chosen, all of them known since the last {@link #refresh}
     * @param targetSeconds the longest from token to token that is good; 0: no matter how long
     * @param nowNanos now
     * @return seconds; 0 if there are no candidates
     */
    public double leastWaitSeconds(
            RequestTraits traits, List<UpstreamState> candidates, double targetSeconds, long nowNanos) {
        double least = Double.POSITIVE_INFINITY;
        for (UpstreamState candidate : candidates) {
            Offer offer = offer(traits, candidate, nowNanos);
            ReplicaOutlook at = offer.outlook();
            boolean slow = targetSeconds > 0 && at.gapWithOneMore() > targetSeconds;
            double read = at.waitSeconds(offer.uncached(), nowNanos);
            least = Math.min(least, slow ? Math.max(read, at.nextEndSeconds(output(traits))) : read);
        }
        return candidates.isEmpty() ? 0 : least;
    }

    private static long least(List<Offer> offers) {
        long least = Long.MAX_VALUE;
        for (Offer offer : offers) {
            least = Math.min(least, offer.uncached());
        }
        return least;
    }

    private List<Option> options(List<Offer> offers, Offer chosen, long least, double output, long nowNanos) {
        int[] listed = Shortlist.of(offers.size(), i -> offers.get(i).cost(), offers.indexOf(chosen));
        List<Option> options = new ArrayList<>(listed.length + 1);
        for (int i : listed) {
            Offer offer = offers.get(i);
            options.add(offer.told(output, disturbance(offer.outlook(), offer.uncached(), least), nowNanos));
        }
        return options;
    }

    /** Those that hold far more than the others were not asked, and nothing was predicted of them. */
    private void tellBeyondBound(
            List<Option> options, List<Offer> offers, List<UpstreamState> candidates, FairShare share, long nowNanos) {
        if (offers.size() == candidates.size()) {
            return;
        }
        for (int i = 0; i < candidates.size() && options.size() < Choice.MOST_OPTIONS; i++) {
            ReplicaOutlook outlook = outlook(candidates.get(i), nowNanos);
            if (!share.allows(outlook)) {
                options.add(new Option(outlook.upstream().name(), outlook.held(), null));
            }
        }
    }

    /**
     * Gives a request to a replica that was chosen otherwise.
     *
     * @param traits what is known of the request
     * @param chosen where it goes
     * @param reason who chose
     * @param nowNanos now
     * @return the assignment, in nobody's books yet
     */
    public Assignment assign(RequestTraits traits, UpstreamState chosen, Reason reason, long nowNanos) {
        return assign(traits, chosen, reason, List.of(), nowNanos);
    }

    /**
     * Moves a request that waits in a lane.
     *
     * @param waiting the request, in the lane
     * @param to where it goes
     * @param nowNanos now
     * @return another assignment, in nobody's books yet
     */
    public Assignment move(Assignment waiting, ReplicaOutlook to, long nowNanos) {
        Option left = waiting.choice().option(waiting.outlook().upstream().name());
        return assign(
                waiting.traits(), to.upstream(), Reason.MOVED, left == null ? List.of() : List.of(left), nowNanos);
    }

    private Assignment assign(
            RequestTraits traits, UpstreamState chosen, Reason reason, List<Option> before, long nowNanos) {
        double output = output(traits);
        Offer only = offer(traits, chosen, nowNanos);
        only.cost(cost(only.outlook(), only.uncached(), only.uncached(), output, nowNanos));
        List<Option> options = new ArrayList<>(before);
        options.add(only.told(output, /* disturbance= */ 0, nowNanos));
        return assign(traits, only, reason, options, options.size(), output, nowNanos);
    }

    private Assignment assign(
            RequestTraits traits,
            Offer offer,
            Reason reason,
            List<Option> options,
            int candidates,
            double output,
            long nowNanos) {
        ReplicaOutlook outlook = offer.outlook();
        double wait = outlook.waitSeconds(offer.uncached(), nowNanos);
        outlook.turn(++turn);
        Choice choice = new Choice(
                reason,
                options,
                candidates - options.size(),
                nowNanos,
                /* laneNanos= */ 0,
                tokens(traits),
                (long) (1e9 * wait));
        return new Assignment(outlook, traits, offer.uncached(), output, wait, choice);
    }

    /** Those that do not hold far more than their share; all, if that is nobody, as happens where weights differ. */
    private List<Offer> offers(RequestTraits traits, List<UpstreamState> candidates, FairShare share, long nowNanos) {
        List<Offer> offers = new ArrayList<>(candidates.size());
        for (int i = 0; i < candidates.size(); i++) {
            if (!terms.bound() || share.allows(outlook(candidates.get(i), nowNanos))) {
                offers.add(offer(traits, candidates.get(i), nowNanos));
            }
        }
        if (offers.isEmpty()) {
            candidates.forEach(each -> offers.add(offer(traits, each, nowNanos)));
        }
        return offers;
    }

    private FairShare share(List<UpstreamState> candidates, long nowNanos) {
        List<ReplicaOutlook> asked = new ArrayList<>(candidates.size());
        for (int i = 0; i < candidates.size(); i++) {
            asked.add(outlook(candidates.get(i), nowNanos));
        }
        return FairShare.among(asked);
    }

    private Offer offer(RequestTraits traits, UpstreamState candidate, long nowNanos) {
        ReplicaOutlook outlook = outlook(candidate, nowNanos);
        int matched = matched(outlook, traits.prompt());
        return new Offer(outlook, matched, ReplicaOutlook.uncached(traits.prompt(), tokens(traits), matched));
    }

    private int matched(ReplicaOutlook at, Prompt prompt) {
        return terms.prefix() ? at.matched(prompt) : 0;
    }

    private double cost(ReplicaOutlook at, long uncached, long least, double output, long nowNanos) {
        return at.waitSeconds(uncached, nowNanos) + Offer.answer(at, output) + disturbance(at, uncached, least);
    }

    private double disturbance(ReplicaOutlook at, long uncached, long least) {
        return terms.idle() ? Offer.disturbance(at, (double) uncached - least) : 0;
    }

    /** One with next to nothing that would be best if only it had seen the prompt: so that it will have, next time. */
    private @Nullable Offer cold(List<Offer> offers, FairShare share, Offer best, double output, long nowNanos) {
        long least = least(offers);
        Offer cheapest = null;
        double lowest = best.cost();
        for (Offer offer : offers) {
            if (share.leavesIdle(offer.outlook())) {
                double warm = cost(offer.outlook(), least, least, output, nowNanos);
                if (warm <= lowest) {
                    lowest = warm;
                    cheapest = offer;
                }
            }
        }
        return cheapest;
    }

    /** Predictions are not that good: of those about as cheap, the one with the fewest for its weight, then in turn. */
    private static Offer amongEquals(List<Offer> offers, double least) {
        Offer chosen = null;
        for (Offer offer : offers) {
            if (offer.cost() > EQUAL_TIMES * least + EQUAL_SECONDS) {
                continue;
            }
            if (chosen == null || before(offer.outlook(), chosen.outlook())) {
                chosen = offer;
            }
        }
        return chosen == null ? offers.get(0) : chosen;
    }

    private static boolean before(ReplicaOutlook some, ReplicaOutlook other) {
        int held = some.held() * other.weight() - other.held() * some.weight();
        return held != 0 ? held < 0 : some.turn() < other.turn();
    }

    /**
     * Whether a request that waits in a lane would do better at a replica that has nothing to read.
     *
     * @param waiting the request, in the lane
     * @param lineTokens what stands before it there, as the sum of {@link #weight}
     * @param here the other replica
     * @param nowNanos now
     * @return true if it is worth it, also to those that are being answered there
     */
    public boolean worthMoving(Assignment waiting, long lineTokens, ReplicaOutlook here, long nowNanos) {
        RequestTraits traits = waiting.traits();
        long uncached = ReplicaOutlook.uncached(traits.prompt(), tokens(traits), matched(here, traits.prompt()));
        double extra = Math.max(0, uncached - waiting.uncached());
        double there = waiting.outlook().waitBehindSeconds(lineTokens, waiting.uncached(), nowNanos);
        double cost = here.waitSeconds(uncached, nowNanos) + Offer.disturbance(here, extra);
        return cost < there - WORTH_MOVING_SECONDS;
    }

    /**
     * What a request in a lane has to have read before the next one's turn comes.
     *
     * @param waiting the request
     * @return tokens
     */
    public static long weight(Assignment waiting) {
        return waiting.uncached();
    }

    /**
     * Notes that a request was answered whole.
     *
     * @param over the request
     */
    public void finished(Assignment over) {
        if (over.traits().stream() && over.outputs() > 0) {
            outputTokens = KEPT_OUTPUT * outputTokens + over.outputs();
            outputs = KEPT_OUTPUT * outputs + 1;
        }
    }

    /**
     * One replica as predictions see it.
     *
     * @param upstream the replica
     * @param nowNanos now
     * @return always the same for it while it is known
     */
    public ReplicaOutlook outlook(UpstreamState upstream, long nowNanos) {
        ReplicaOutlook known = outlooks.get(upstream);
        if (known == null) {
            known = new ReplicaOutlook(upstream, nowNanos);
            outlooks.put(upstream, known);
        }
        return known;
    }

    /**
     * All replicas as predictions see them.
     *
     * @return in the order in which they came
     */
    public Iterable<ReplicaOutlook> outlooks() {
        return outlooks.values();
    }

    private double output(RequestTraits traits) {
        double mean = outputs == 0 ? UNKNOWN_OUTPUT : outputTokens / outputs;
        return traits.longestAnswer() > 0 ? Math.min(mean, traits.longestAnswer()) : mean;
    }

    private static long tokens(RequestTraits traits) {
        int known = traits.prompt().tokens();
        return known > 0 ? known : Math.min(MOST_UNKNOWN_TOKENS, traits.bodyBytes() / BYTES_PER_TOKEN);
    }
}
