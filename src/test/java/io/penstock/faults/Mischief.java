package io.penstock.faults;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Which requests are struck, and how often each was tried, whichever replica it came to. Any thread may ask. */
final class Mischief {

    private static final Pattern ID = Pattern.compile("\"(?:user|user_id)\":\"([^\"]+)\"");

    private final Map<String, Strike> strikes = new ConcurrentHashMap<>();
    private final Map<String, AtomicInteger> tries = new ConcurrentHashMap<>();

    /** Strikes the first try of a request; with a kill, every try. */
    void plan(String id, Strike strike) {
        strikes.put(id, strike);
    }

    /** Whether a client asks this, and not a balancer by itself. */
    static boolean isQuestion(String body) {
        return ID.matcher(body).find();
    }

    /**
     * A request has come to a replica. Returns what happens to it, null for nothing.
     *
     * @param everybody what happens there to every request that asks for text, null for nothing
     */
    @Nullable
    Strike arrives(String body, @Nullable Strike everybody) {
        Matcher id = ID.matcher(body);
        if (!id.find()) {
            return null;
        }
        int number = tries.computeIfAbsent(id.group(1), unused -> new AtomicInteger())
                .incrementAndGet();
        if (everybody != null) {
            return everybody;
        }
        Strike strike = strikes.get(id.group(1));
        return strike != null && (number == 1 || strike.cut() == Strike.Cut.KILL) ? strike : null;
    }

    /** How often a request came to any replica. */
    int tries(String id) {
        AtomicInteger count = tries.get(id);
        return count == null ? 0 : count.get();
    }

    /** How often any request came to any replica. */
    int tries() {
        return tries.values().stream().mapToInt(AtomicInteger::get).sum();
    }

    /** Forgets everything. */
    void clear() {
        strikes.clear();
        tries.clear();
    }
}
