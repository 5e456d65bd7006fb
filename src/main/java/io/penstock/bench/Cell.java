package io.penstock.bench;

import io.penstock.sim.EngineProfile;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * One experiment: a workload, the replicas that it meets, and what its callers find good.
 *
 * @param name what people call it
 * @param workload who asks for what
 * @param profile how fast each replica is
 * @param replicas how many there are
 * @param trouble what is wrong with the first of them
 * @param firstTokenSeconds the longest time to the first token that is good
 * @param interTokenSeconds the longest mean time from token to token that is good
 */
public record Cell(
        String name,
        Workload workload,
        EngineProfile profile,
        int replicas,
        Trouble trouble,
        double firstTokenSeconds,
        double interTokenSeconds) {

    /** What is wrong with one replica. */
    public enum Trouble {
        /** Nothing. */
        NONE,
        /** Each of its steps takes three times as long. */
        SLOW,
        /** For 60 s it makes no token. */
        HANGS
    }

    private static final EngineProfile SMALL = EngineProfile.H100_8B;
    private static final EngineProfile LARGE = EngineProfile.H100_70B.withCacheBlocks(22_500);

    private static final Workload CHAT = new Workload(82, 450, 170, 0, 0, 0, 1, false);
    private static final Workload BURSTS = new Workload(60, 450, 190, 0, 0, 0, 3, false);
    private static final Workload MIX = new Workload(32.4, 450, 150, 0.1, 0, 0, 1, false);
    private static final Workload GROUPS = new Workload(9, 1_200, 150, 0, 150, 6_000, 1, false);
    private static final Workload ONE_PROMPT = new Workload(54, 400, 175, 0, 1, 3_000, 1, false);
    private static final Workload FEW_GROUPS = new Workload(8, 300, 80, 0, 30, 6_000, 1, false);
    private static final Workload READING = new Workload(18, 1_500, 40, 0, 0, 0, 1, false);
    private static final Workload SHORT_GROUPS = new Workload(3, 80, 24, 0, 24, 1_500, 1, false);
    private static final Workload TENANTS = new Workload(40, 450, 170, 0, 0, 0, 1, true);

    /** All of them. */
    public static final List<Cell> ALL = List.of(
            new Cell("W1", CHAT, SMALL, 4, Trouble.NONE, 0.5, 0.030),
            new Cell("W1-bursts", BURSTS, SMALL, 4, Trouble.NONE, 0.5, 0.030),
            new Cell("W2", MIX, SMALL, 4, Trouble.NONE, 1.5, 0.045),
            new Cell("W3", GROUPS, LARGE, 4, Trouble.NONE, 2, 0.060),
            new Cell("W5", ONE_PROMPT, SMALL, 4, Trouble.NONE, 0.5, 0.030),
            new Cell("W8a", MIX.at(18), SMALL, 4, Trouble.SLOW, 1.5, 0.045),
            new Cell("W8c", MIX.at(22), SMALL, 4, Trouble.HANGS, 1.5, 0.045),
            new Cell("W10", TENANTS, SMALL, 4, Trouble.NONE, 0.5, 0.060));

    /** Those that also make sense in real time, since they need few tokens per second to show what they show. */
    public static final List<Cell> SMALL_ENOUGH = List.of(
            new Cell("shared", FEW_GROUPS, LARGE.withCacheBlocks(5_000), 4, Trouble.NONE, 2, 0.060),
            new Cell("unequal", READING, SMALL, 4, Trouble.SLOW, 1.5, 0.045));

    /** One that suits a tiny model on processor cores: {@link EngineProfile#TINY_CPU} with a cache of 256 blocks. */
    public static final Cell TINY =
            new Cell("tiny", SHORT_GROUPS, EngineProfile.TINY_CPU.withCacheBlocks(256), 2, Trouble.NONE, 2, 0.060);

    /**
     * Finds one.
     *
     * @param name as in {@link #ALL} and {@link #SMALL_ENOUGH}, or that of {@link #TINY}
     * @return the cell
     * @throws IllegalArgumentException if there is none of that name
     */
    public static Cell named(String name) {
        List<Cell> known = Stream.of(ALL, SMALL_ENOUGH, List.of(TINY))
                .flatMap(List::stream)
                .toList();
        return known.stream()
                .filter(each -> each.name.equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no cell " + name + "; there are "
                        + String.join(", ", known.stream().map(Cell::name).toList())));
    }

    /**
     * The same with more or fewer requests.
     *
     * @param perSecond how many
     * @return the changed copy
     */
    public Cell at(double perSecond) {
        return new Cell(name, workload.at(perSecond), profile, replicas, trouble, firstTokenSeconds, interTokenSeconds);
    }

    /**
     * The same with more or fewer replicas, each with as much to do.
     *
     * @param number how many
     * @return the changed copy
     */
    public Cell with(int number) {
        Workload scaled = workload.at(workload.rate() * number / replicas);
        return new Cell(name, scaled, profile, number, trouble, firstTokenSeconds, interTokenSeconds);
    }

    /**
     * How many requests come.
     *
     * @return per second
     */
    public double rate() {
        return workload.rate();
    }

    /**
     * Whether it can also run over sockets: replicas that hang and callers that flood come in virtual time only.
     *
     * @return true if it can
     */
    public boolean fitsRealTime() {
        return trouble != Trouble.HANGS && !workload.flood();
    }

    /**
     * What happens in it, in a sentence for people.
     *
     * @return the sentence
     */
    public String story() {
        StringBuilder story = new StringBuilder(replicas + " × " + profile.name() + ": " + workload.story());
        switch (trouble) {
            case SLOW -> story.append(". One replica is three times as slow as the others");
            case HANGS -> story.append(". One replica makes no token for 60 s");
            case NONE -> {}
        }
        return story.append(String.format(
                        Locale.ROOT,
                        ". Good: the first token within %.1f s, and then one every %.0f ms or sooner.",
                        firstTokenSeconds,
                        1_000 * interTokenSeconds))
                .toString();
    }
}
