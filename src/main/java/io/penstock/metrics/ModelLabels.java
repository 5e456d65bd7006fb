package io.penstock.metrics;

import io.penstock.upstream.LiveUpstreams;
import io.penstock.upstream.UpstreamState;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * What the label {@code model} may say: models that replicas serve, by the configuration or by their own lists, up to
 * {@value #MOST}. What callers write never becomes a label by itself. Any event loop may ask.
 */
final class ModelLabels {

    /** For requests that name no model. */
    static final String NONE = "none";
    /** For models that no replica is known to serve, and for one too many. */
    static final String OTHER = "other";

    /** A replica may serve thousands of adapters, and each has a histogram per replica. */
    static final int MOST = 64;

    private final LiveUpstreams upstreams;
    private final Set<String> named = ConcurrentHashMap.newKeySet();

    ModelLabels(LiveUpstreams upstreams) {
        this.upstreams = upstreams;
    }

    /** The label for what a request asked for; null if it named no model. */
    String of(@Nullable String model) {
        if (model == null) {
            return NONE;
        }
        if (!served(model)) {
            return OTHER;
        }
        if (named.contains(model)) {
            return model;
        }
        if (named.size() >= MOST) {
            return OTHER;
        }
        named.add(model);
        return model;
    }

    private boolean served(String model) {
        List<UpstreamState> members = upstreams.current().members();
        for (int i = 0; i < members.size(); i++) {
            if (Boolean.TRUE.equals(members.get(i).serves(model))) {
                return true;
            }
        }
        return false;
    }

    /** The models that have a label. */
    Set<String> named() {
        return Set.copyOf(named);
    }

    /** Those of them that are served now. */
    Set<String> present() {
        Set<String> present = new HashSet<>();
        for (String model : named) {
            if (served(model)) {
                present.add(model);
            }
        }
        return present;
    }

    /** Makes room for others. */
    void forget(Set<String> models) {
        named.removeAll(models);
    }
}
