package io.penstock.bench;

import io.penstock.selection.Prompt;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * What kind of requests come, and how many: lengths are lognormal, arrivals a Poisson process unless they come in bursts.
 *
 * @param rate requests per second
 * @param promptTokens mean length of what each prompt has of its own
 * @param outputTokens mean length of an answer
 * @param longShare which share of them has ten times as much to read and to write
 * @param groups how many beginnings there are that prompts share; the n-th is used 1/n times as often as the first
 * @param sharedTokens how long such a beginning is
 * @param burstiness coefficient of variation of the time between two arrivals; 1 for a Poisson process
 * @param flood whether a second caller floods for 20 s, while the first goes on
 */
record Workload(
        double rate,
        int promptTokens,
        int outputTokens,
        double longShare,
        int groups,
        int sharedTokens,
        double burstiness,
        boolean flood) {

    static final String QUIET = "quiet";
    static final String LOUD = "loud";

    private static final double PROMPT_SIGMA = 0.4;
    private static final double OUTPUT_SIGMA = 0.6;
    private static final double ESTIMATE = 0.2;
    private static final double FLOOD_RATE = 120;
    private static final double FLOOD_FROM = 60;
    private static final double FLOOD_UNTIL = 80;
    private static final int PIECE = 64;

    /** The same at another rate. */
    Workload at(double perSecond) {
        return new Workload(perSecond, promptTokens, outputTokens, longShare, groups, sharedTokens, burstiness, flood);
    }

    /** What comes, in words. */
    String story() {
        StringBuilder story = new StringBuilder();
        if (sharedTokens > 0) {
            story.append("prompts begin with ")
                    .append(groups == 1 ? "the same " : "one of " + groups + " texts of ")
                    .append(sharedTokens)
                    .append(" tokens, then about ");
        } else {
            story.append("prompts of about ");
        }
        story.append(promptTokens + " of their own; answers of about " + outputTokens);
        if (longShare > 0) {
            story.append("; a tenth has ten times as much of both");
        }
        if (burstiness > 1) {
            story.append("; they come in bursts");
        }
        return story.append(flood ? "; one caller is steady, and another one floods for 20 s" : "")
                .toString();
    }

    /** All requests of so many seconds, in order; the same for the same seed. */
    List<BenchCall> calls(double seconds, long seed) {
        Random random = new Random(seed);
        List<BenchCall> calls = new ArrayList<>();
        double now = 0;
        while (true) {
            now += gap(random) / (flood ? floodedRate(now) : rate);
            if (now >= seconds) {
                return calls;
            }
            boolean quiet = !flood || random.nextDouble() < rate / 2 / floodedRate(now);
            calls.add(call((long) (now * 1e9), quiet ? QUIET : LOUD, -1, random));
        }
    }

    /** One request for each beginning that prompts share, evenly over so many seconds. */
    List<BenchCall> first(double seconds, long seed) {
        Random random = new Random(seed);
        List<BenchCall> calls = new ArrayList<>();
        for (int group = 0; group < groups; group++) {
            calls.add(call((long) (group * seconds / groups * 1e9), QUIET, group, random));
        }
        return calls;
    }

    private double floodedRate(double now) {
        return now >= FLOOD_FROM && now < FLOOD_UNTIL ? rate / 2 + FLOOD_RATE : rate;
    }

    /** Of mean 1. */
    private double gap(Random random) {
        if (burstiness <= 1) {
            return -Math.log(1 - random.nextDouble());
        }
        // Two exponentials, balanced means: as uneven as a gamma distribution of the same variation, and easy to draw.
        double square = burstiness * burstiness;
        double share = 0.5 * (1 + Math.sqrt((square - 1) / (square + 1)));
        double mean = random.nextDouble() < share ? 1 / (2 * share) : 1 / (2 * (1 - share));
        return -Math.log(1 - random.nextDouble()) * mean;
    }

    /** A group below 0 is drawn. */
    private BenchCall call(long atNanos, String caller, int wanted, Random random) {
        int times = random.nextDouble() < longShare ? 10 : 1;
        int own = lognormal(times * promptTokens, PROMPT_SIGMA, random);
        int output = lognormal(times * outputTokens, OUTPUT_SIGMA, random);
        int group = wanted >= 0 ? wanted : groups == 0 ? 0 : zipf(random);
        int tokens = own + sharedTokens;
        long[] pieces = new long[tokens / PIECE];
        for (int i = 0; i < pieces.length; i++) {
            boolean shared = (i + 1) * PIECE <= sharedTokens;
            pieces[i] = shared ? (group + 1) * 0x1_0000_0001L * 31 + i * 0x9E3779B97F4A7C15L : random.nextLong();
        }
        double error = 1 + ESTIMATE * (2 * random.nextDouble() - 1);
        Prompt seen = new Prompt((int) Math.max(1, tokens * error), pieces);
        return new BenchCall(atNanos, caller, seen, tokens, output);
    }

    private int zipf(Random random) {
        double all = 0;
        for (int n = 1; n <= groups; n++) {
            all += 1.0 / n;
        }
        double drawn = random.nextDouble() * all;
        for (int n = 1; n < groups; n++) {
            drawn -= 1.0 / n;
            if (drawn < 0) {
                return n - 1;
            }
        }
        return groups - 1;
    }

    private static int lognormal(int mean, double sigma, Random random) {
        double drawn = mean * Math.exp(sigma * random.nextGaussian() - sigma * sigma / 2);
        return (int) Math.max(1, Math.min(20.0 * mean, drawn));
    }
}
