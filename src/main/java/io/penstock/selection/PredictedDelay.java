package io.penstock.selection;

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
    /** What was learned of a replica loses its weight against what its peers do; it may be well again. */
    private static final double FORGET_SECONDS = 30;

    private static final double OUTPUT_WEIGHT = 0.03;
    private static final double DISTURBANCE = 0.1;
    private static final double BOUND_TIMES = 1.25;
    private static final double BOUND_MORE = 4;
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

    /** What replicas that serve the same know together. */
    private static final class Peers {
        private double rates;
        private int ratesKnown;
        private double gaps;
        private int gapsKnown;
        private double leastGap;
    }

    /** One candidate in one choice. */
    private static final class Offer {
        private final ReplicaOutlook outlook;
        private final long uncached;
        private double cost;

        private Offer(ReplicaOutlook outlook, long uncached) {
            this.outlook = outlook;
            this.uncached = uncached;
        }
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
            count(each.speed(), groups.computeIfAbsent(group(each), models -> new Peers()));
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

    private static void count(ReplicaSpeed speed, Peers peers) {
        if (speed.rate() > 0) {
            peers.rates += speed.rate();
            peers.ratesKnown++;
        }
        if (speed.gap() > 0) {
            peers.gaps += speed.gap();
            peers.gapsKnown++;
            peers.leastGap = peers.leastGap == 0 ? speed.minGap() : Math.min(peers.leastGap, speed.minGap());
        }
    }

    private double rate(ReplicaOutlook each, Peers peers, long nowNanos) {
        if (!terms.learnedRate()) {
            return UNKNOWN_RATE;
        }
        double mixed = mixed(each.speed().rate(), peers.rates, peers.ratesKnown, nowNanos - each.lastFirstNanos());
        return mixed == 0 ? UNKNOWN_RATE : mixed;
    }

    private static double gap(ReplicaOutlook each, Peers peers, long nowNanos) {
        ReplicaSpeed speed = each.speed();
        double found = each.answering() == 0
                ? speed.minGap() > 0 ? speed.minGap() : peers.leastGap
                : mixed(speed.gap(), peers.gaps, peers.gapsKnown, nowNanos - each.lastProgressNanos());
        return found == 0 ? UNKNOWN_GAP : found;
    }

    /** What one knows of itself counts less the older it is; then its peers are asked. 0 if nobody knows. */
    private static double mixed(double own, double all, int known, long agoNanos) {
        int others = own > 0 ? known - 1 : known;
        if (others == 0) {
            return own;
        }
        double peers = (all - own) / others;
        double weight = own > 0 ? Math.exp(-Math.max(0, ReplicaOutlook.seconds(agoNanos)) / FORGET_SECONDS) : 0;
        return own * weight + peers * (1 - weight);
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
        List<Offer> offers = offers(traits, candidates, nowNanos);
        long least = Long.MAX_VALUE;
        for (Offer offer : offers) {
            least = Math.min(least, offer.uncached);
        }
        Offer best = offers.get(0);
        for (Offer offer : offers) {
            offer.cost = cost(offer.outlook, offer.uncached, least, output, nowNanos);
            if (!(offer.cost >= 0)) {
                throw new IllegalStateException("a prediction is no number: " + offer.cost);
            }
            best = offer.cost < best.cost ? offer : best;
        }
        Offer cold = terms.fillCold() ? cold(offers, mean(candidates, nowNanos), best, output, nowNanos) : null;
        return assign(traits, cold != null ? cold : amongEquals(offers, best.cost), output, nowNanos);
    }

    /**
     * Gives a request to a replica that was chosen otherwise.
     *
     * @param traits what is known of the request
     * @param chosen where it goes
     * @param nowNanos now
     * @return the assignment, in nobody's books yet
     */
    public Assignment assign(RequestTraits traits, UpstreamState chosen, long nowNanos) {
        return assign(traits, offer(traits, chosen, nowNanos), output(traits), nowNanos);
    }

    private Assignment assign(RequestTraits traits, Offer offer, double output, long nowNanos) {
        ReplicaOutlook outlook = offer.outlook;
        double wait = outlook.waitSeconds(offer.uncached, nowNanos);
        outlook.turn(++turn);
        return new Assignment(outlook, traits, offer.uncached, output, wait);
    }

    /** Those that do not hold far more than the others. At least one holds no more than the mean. */
    private List<Offer> offers(RequestTraits traits, List<UpstreamState> candidates, long nowNanos) {
        double most = BOUND_TIMES * mean(candidates, nowNanos) + BOUND_MORE;
        List<Offer> offers = new ArrayList<>(candidates.size());
        for (int i = 0; i < candidates.size(); i++) {
            if (!terms.bound() || outlook(candidates.get(i), nowNanos).held() <= most) {
                offers.add(offer(traits, candidates.get(i), nowNanos));
            }
        }
        return offers;
    }

    private double mean(List<UpstreamState> candidates, long nowNanos) {
        double held = 0;
        for (int i = 0; i < candidates.size(); i++) {
            held += outlook(candidates.get(i), nowNanos).held();
        }
        return held / candidates.size();
    }

    private Offer offer(RequestTraits traits, UpstreamState candidate, long nowNanos) {
        ReplicaOutlook outlook = outlook(candidate, nowNanos);
        return new Offer(outlook, outlook.uncached(traits.prompt(), tokens(traits), terms.prefix()));
    }

    /** What the answer itself costs is the same everywhere but for how fast tokens come. */
    private double cost(ReplicaOutlook at, long uncached, long least, double output, long nowNanos) {
        double disturbed = terms.idle() ? DISTURBANCE * at.answering() * (uncached - least) / at.rate() : 0;
        return at.waitSeconds(uncached, nowNanos) + OUTPUT_WEIGHT * output * at.gap() + disturbed;
    }

    /** One with next to nothing that would be best if only it had seen the prompt: so that it will have, next time. */
    private @Nullable Offer cold(List<Offer> offers, double mean, Offer best, double output, long nowNanos) {
        long least = Long.MAX_VALUE;
        for (Offer offer : offers) {
            least = Math.min(least, offer.uncached);
        }
        Offer cheapest = null;
        double lowest = best.cost;
        for (Offer offer : offers) {
            if (offer.outlook.held() < mean / 2 - BOUND_MORE) {
                double warm = cost(offer.outlook, least, least, output, nowNanos);
                if (warm <= lowest) {
                    lowest = warm;
                    cheapest = offer;
                }
            }
        }
        return cheapest;
    }

    /** Predictions are not that good: of those that are about as cheap, the one with the fewest requests, then in turn. */
    private static Offer amongEquals(List<Offer> offers, double least) {
        Offer chosen = null;
        for (Offer offer : offers) {
            if (offer.cost > EQUAL_TIMES * least + EQUAL_SECONDS) {
                continue;
            }
            if (chosen == null || before(offer.outlook, chosen.outlook)) {
                chosen = offer;
            }
        }
        return chosen == null ? offers.get(0) : chosen;
    }

    private static boolean before(ReplicaOutlook some, ReplicaOutlook other) {
        int held = some.held() - other.held();
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
        long uncached = here.uncached(traits.prompt(), tokens(traits), terms.prefix());
        double extra = Math.max(0, uncached - waiting.uncached());
        double there = waiting.outlook().waitBehindSeconds(lineTokens, waiting.uncached(), nowNanos);
        double cost = here.waitSeconds(uncached, nowNanos) + DISTURBANCE * here.answering() * extra / here.rate();
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
        if (!over.silent() && over.outputs() > 0) {
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
