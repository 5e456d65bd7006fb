package io.penstock.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import ch.qos.logback.classic.Level;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class LiveConfigTest {

    private static final String TWO = "upstreams: [http://a, http://b]\n";
    private static final String BAD = TWO + "probe: {fall: 0}\nx: 1\n";
    private static final String FILE = FakeSurroundings.FILE.toString();

    private final FakeSurroundings world = new FakeSurroundings();
    private final HeardLog log = new HeardLog();

    @AfterEach
    void stopListening() {
        log.close();
    }

    @Test
    void itStartsInForceAndSaysSo() {
        Reading first = world.read(TWO + "timeouts: {upstreamIdle: 9s}");
        LiveConfig live = new LiveConfig(first);
        assertThat(live.state().source()).isEqualTo(FILE);
        assertThat(live.state().current()).isEqualTo(first.config());
        assertThat(live.state().appliedCount()).isEqualTo(1);
        assertThat(live.state().warnings()).hasSize(1);
        assertThat(log.atOrAbove(Level.INFO).get(0))
                .isEqualTo("INFO configuration from " + FILE + " (" + first.hash() + "), upstreams [a:80, b:80]");
        assertThat(log.atOrAbove(Level.WARN)).hasSize(1);
    }

    @Test
    void itCannotStartBad() {
        Reading bad = world.read(BAD);
        assertThatIllegalArgumentException().isThrownBy(() -> new LiveConfig(bad));
    }

    @Test
    void anUnchangedFileIsSilent() {
        LiveConfig live = started();
        assertThat(live.accept(world.read(TWO))).isNull();
        assertThat(live.accept(world.read(TWO + "# a comment"))).isNull();
        assertThat(log.atOrAbove(Level.INFO)).isEmpty();
        assertThat(live.state().appliedCount()).isEqualTo(1);
        assertThat(live.state().hash())
                .isEqualTo(world.read(TWO + "# a comment").hash());
    }

    @Test
    void aChangeSaysInOneLineWhatDiffersAndNeverAKey() {
        world.environment.put("A", "hunter2");
        LiveConfig live = new LiveConfig(world.read("upstreams: [http://a, {url: http://b, models: [m]}, http://c]"));
        log.forget();
        Reading next = world.read("""
            upstreams:
              - {url: http://a, weight: 2, maxInFlight: 3, apiKey: "${env:A}"}
              - {url: https://b, name: b:80, models: [n, l]}
              - {dns: d, port: 1}
            probe: {fall: 9}
            log: {access: false}
            """);
        assertThat(live.accept(next)).isEqualTo(next.config());
        assertThat(log.atOrAbove(Level.INFO))
                .containsExactly("INFO configuration changed (" + FILE + ", " + next.hash() + "): upstream a:80 changed"
                        + " (weight 1 -> 2, maxInFlight 0 -> 3, apiKey); upstream b:80 changed (address http://b:80 ->"
                        + " https://b:443, models [m] -> [l, n]); upstream d added; upstream c:80 removed;"
                        + " probe.fall 3 -> 9; log.access true -> false");
        assertThat(live.accept(next)).isNull();
        assertThat(live.state().appliedCount()).isEqualTo(2);
    }

    @Test
    void anotherOrderIsAChange() {
        LiveConfig live = started();
        assertThat(live.accept(world.read("upstreams: [http://b, http://a]"))).isNotNull();
        assertThat(log.atOrAbove(Level.INFO)).singleElement().asString().endsWith(": upstreams in another order");
    }

    @Test
    void aBadEditIsToldOnceAndChangesNothing() {
        LiveConfig live = started();
        ConfigState before = live.state();
        for (int scan = 0; scan < 3; scan++) {
            assertThat(live.accept(world.read(BAD))).isNull();
        }
        assertThat(log.atOrAbove(Level.INFO))
                .containsExactly(
                        "ERROR configuration " + FILE + " refused, the last good one (" + before.hash()
                                + ") stays in force; problems: 2",
                        "ERROR   probe.fall: want a whole number from 1 to 100, got 0 (line 2)",
                        "ERROR   x: unknown key; known here: listen, admin, upstreams, selection, admission, probe,"
                                + " progress, ejection, retry, heartbeat, timeouts, limits, drain, routes, trust, log,"
                                + " tracing, explain (line 3)");
        assertThat(live.state().current()).isSameAs(before.current());
        assertThat(live.state().hash()).isEqualTo(before.hash());
        assertThat(live.state().problems()).hasSize(2);
        assertThat(live.state().rejectedCount()).isEqualTo(1);
        live.accept(world.read(BAD + "y: 1"));
        assertThat(live.state().problems()).hasSize(3);
        assertThat(live.state().rejectedCount()).isEqualTo(2);
    }

    @Test
    void undoingABadEditClearsItWithOneLine() {
        LiveConfig live = started();
        live.accept(world.read(BAD));
        log.forget();
        assertThat(live.accept(world.read(TWO))).isNull();
        assertThat(live.accept(world.read(TWO))).isNull();
        assertThat(log.atOrAbove(Level.INFO))
                .containsExactly("INFO configuration " + FILE + " is good again, nothing in force changes");
        assertThat(live.state().problems()).isEmpty();
        assertThat(live.state().rejectedCount()).isEqualTo(1);
        live.accept(world.read(BAD));
        assertThat(live.state().rejectedCount()).isEqualTo(2);
    }

    @Test
    void mendingABadEditIntoAChangeAppliesIt() {
        LiveConfig live = started();
        live.accept(world.read(BAD));
        assertThat(live.accept(world.read("upstreams: [http://a]"))).isNotNull();
        assertThat(live.state().problems()).isEmpty();
        assertThat(live.state().appliedCount()).isEqualTo(2);
    }

    @Test
    void anotherAdminKeyHoldsAtOnceAndIsNeverShown() {
        LiveConfig live = started();
        world.environment.put("ADMIN_KEY", "hunter2-hunter2-hunter2");

        PenstockConfig changed =
                Objects.requireNonNull(live.accept(world.read(TWO + "admin: {key: \"${env:ADMIN_KEY}\"}")));

        assertThat(changed.admin().key()).isEqualTo("hunter2-hunter2-hunter2");
        assertThat(live.state().lastChange()).containsExactly("admin.key changed");
        assertThat(live.state().toString()).doesNotContain("hunter2");
    }

    @Test
    void theLastChangeIsRememberedUntilTheNextWhateverComesBetween() {
        LiveConfig live = started();
        assertThat(live.state().lastChange()).isEmpty();

        live.accept(world.read(TWO + "probe: {fall: 5}"));
        live.accept(world.read(BAD));
        live.accept(world.read(TWO + "probe: {fall: 5} # mended"));

        assertThat(live.state().lastChange()).containsExactly("probe.fall 3 -> 5");
    }

    @Test
    void whatNeedsARestartWaitsAndTheRestApplies() {
        LiveConfig live = started();
        PenstockConfig changed =
                Objects.requireNonNull(live.accept(world.read(TWO + "listen: :9000\nadmin: :9001\nprobe: {fall: 5}")));
        assertThat(changed.listen()).isEqualTo(PenstockConfig.DEFAULT_LISTEN);
        assertThat(changed.admin()).isEqualTo(PenstockConfig.Admin.DEFAULT);
        assertThat(changed.probe().fall()).isEqualTo(5);
        assertThat(live.state().pendingRestart())
                .containsExactly("listen 0.0.0.0:8000 -> 0.0.0.0:9000", "admin 127.0.0.1:8090 -> 0.0.0.0:9001");
        assertThat(log.atOrAbove(Level.WARN))
                .containsExactly("WARN pending restart: listen 0.0.0.0:8000 -> 0.0.0.0:9000;"
                        + " admin 127.0.0.1:8090 -> 0.0.0.0:9001");
        log.forget();
        assertThat(live.accept(world.read(TWO + "probe: {fall: 5}"))).isNull();
        assertThat(live.state().pendingRestart()).isEmpty();
        assertThat(log.atOrAbove(Level.INFO)).containsExactly("INFO nothing is pending a restart any more");
    }

    @Test
    void aWarningIsToldOnce() {
        LiveConfig live = started();
        String risky = TWO + "trust: {proxies: [0.0.0.0/0]}\n";
        live.accept(world.read(risky));
        live.accept(world.read(risky + "# again"));
        assertThat(log.atOrAbove(Level.WARN)).hasSize(1);
        assertThat(live.state().warnings()).hasSize(1);
    }

    @Test
    void whatOnlyARestartCanChangeIsPendingWhileTheRestApplies() {
        LiveConfig live = started();
        PenstockConfig applied = Objects.requireNonNull(live.accept(world.read(
                TWO + "timeouts: {upstreamIdle: 2s, connect: 1s}\nlimits: {headers: 64KiB, requestLine: 32KiB}\n")));
        assertThat(applied.timeouts().connect()).hasSeconds(1);
        assertThat(applied.timeouts().upstreamIdle()).hasSeconds(3);
        assertThat(applied.limits()).isEqualTo(PenstockConfig.Limits.DEFAULT);
        assertThat(live.state().pendingRestart()).hasSize(3);
        live.accept(world.read(TWO));
        assertThat(live.state().pendingRestart()).isEmpty();
    }

    @Test
    void tracingWaitsForARestartAndShowsNoSecret() {
        LiveConfig live = started();
        String traced = "tracing: {endpoint: http://c:4318, headers: {x-key: hunter2}}";
        assertThat(live.accept(world.read(TWO + traced))).isNull();
        assertThat(live.state().current().tracing().off()).isTrue();
        assertThat(live.state().pendingRestart())
                .containsExactly("tracing off -> http://c:4318 with [x-key], service penstock, sample 1.0");
        assertThat(log.atOrAbove(Level.INFO).toString()).doesNotContain("hunter2");
    }

    private LiveConfig started() {
        LiveConfig live = new LiveConfig(world.read(TWO));
        log.forget();
        return live;
    }
}
