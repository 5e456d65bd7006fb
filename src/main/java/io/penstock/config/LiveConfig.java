package io.penstock.config;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides what each reading means: a change to put into force, an edit to refuse, a mended file, or nothing. A bad edit
 * leaves the last good configuration in force. One thread feeds it; any thread may look at {@link #state()}.
 */
final class LiveConfig {

    private static final Logger LOG = LoggerFactory.getLogger(LiveConfig.class);

    /** The last good reading. Written and read by the feeding thread. */
    private Reading good;

    /** The bad reading that the file stands at; null while it is good. Written and read by the feeding thread. */
    private @Nullable Reading bad;

    /** Replaced by the feeding thread; read by any. */
    private volatile ConfigState state;

    /** Starts with a good reading, which is in force from now on. */
    LiveConfig(Reading first) {
        PenstockConfig config = first.config();
        if (config == null) {
            throw new IllegalArgumentException("the first reading must be good: " + first.problems());
        }
        good = first;
        state = new ConfigState(
                first.source(), config, first.hash(), 1, 0, List.of(), first.warnings(), List.of(), List.of());
        LOG.info("configuration from {} ({}), upstreams {}", first.source(), first.hash(), names(config));
        first.warnings().forEach(LOG::warn);
    }

    ConfigState state() {
        return state;
    }

    /** Takes a reading in; returns the configuration to put into force, or null when nothing changes. */
    @Nullable
    PenstockConfig accept(Reading reading) {
        PenstockConfig written = reading.config();
        if (written == null) {
            refuse(reading);
            return null;
        }
        boolean mended = bad != null;
        bad = null;
        PenstockConfig before = state.current();
        PenstockConfig wanted = written.servingAs(before);
        boolean changed = !wanted.equals(before);
        List<String> lastChange = state.lastChange();
        if (changed) {
            lastChange = ConfigDiff.between(good, reading);
            tellChange(reading, lastChange);
        } else if (mended) {
            LOG.info("configuration {} is good again, nothing in force changes", reading.source());
        } else if (!reading.hash().equals(good.hash())) {
            LOG.debug("configuration {} was edited, no value changed", reading.source());
        }
        List<String> pending = ConfigDiff.pendingRestart(before, written);
        tellPending(pending);
        reading.warnings().stream()
                .filter(warning -> !state.warnings().contains(warning))
                .forEach(LOG::warn);
        good = reading;
        state = new ConfigState(
                reading.source(),
                wanted,
                reading.hash(),
                state.appliedCount() + (changed ? 1 : 0),
                state.rejectedCount(),
                List.of(),
                reading.warnings(),
                lastChange,
                pending);
        return changed ? wanted : null;
    }

    private void refuse(Reading reading) {
        if (bad != null && bad.sawTheSameAs(reading)) {
            return;
        }
        bad = reading;
        List<String> problems =
                reading.problems().stream().map(Problem::toString).toList();
        LOG.error(
                "configuration {} refused, the last good one ({}) stays in force; problems: {}",
                reading.source(),
                good.hash(),
                problems.size());
        problems.forEach(problem -> LOG.error("  {}", problem));
        state = new ConfigState(
                state.source(),
                state.current(),
                state.hash(),
                state.appliedCount(),
                state.rejectedCount() + 1,
                problems,
                state.warnings(),
                state.lastChange(),
                state.pendingRestart());
    }

    private static void tellChange(Reading reading, List<String> change) {
        LOG.info("configuration changed ({}, {}): {}", reading.source(), reading.hash(), String.join("; ", change));
    }

    private void tellPending(List<String> pending) {
        if (pending.equals(state.pendingRestart())) {
            return;
        }
        if (pending.isEmpty()) {
            LOG.info("nothing is pending a restart any more");
        } else {
            LOG.warn("pending restart: {}", String.join("; ", pending));
        }
    }

    private static List<String> names(PenstockConfig config) {
        return config.upstreams().stream().map(Replica::name).toList();
    }
}
